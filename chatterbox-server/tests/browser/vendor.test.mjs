/**
 * The vendored libraries of the page are what the packages brought, but for one import, and the README beside them says what they are.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const page = new URL("../../page/", import.meta.url);
const vendor = new URL("vendor/", page);
const packages = new URL("node_modules/", import.meta.url);
const read = (url) => readFileSync(url, "utf8");

const FILES = [
  { name: "preact.js", package: "preact", path: "dist/preact.mjs", licence: "LICENSE-preact" },
  { name: "hooks.js", package: "preact", path: "hooks/dist/hooks.mjs", licence: "LICENSE-preact", bare: 'from"preact"', here: 'from"./preact.js"' },
  { name: "htm.js", package: "htm", path: "dist/htm.module.js", licence: "LICENSE-htm" },
];

for (const file of FILES) {
  test(`${file.name} is that of its package`, () => {
    const from = new URL(`${file.package}/`, packages);
    let original = read(new URL(file.path, from));
    if (file.bare) {
      assert.equal(original.split(file.bare).length, 2, "one import to change");
      original = original.replace(file.bare, file.here);
    }
    assert.equal(read(new URL(file.name, vendor)), original);
    assert.equal(read(new URL(file.licence, vendor)), read(new URL("LICENSE", from)));
  });

  test(`README.md says what ${file.name} is`, () => {
    const { version } = JSON.parse(read(new URL(`${file.package}/package.json`, packages)));
    const sum = createHash("sha256").update(readFileSync(new URL(file.name, vendor))).digest("hex");
    const row = read(new URL("README.md", vendor)).split("\n").find((line) => line.startsWith(`| \`${file.name}\``));
    assert.ok(row, "has a row");
    for (const word of [`\`${file.package}\``, `\`${file.path}\``, ` ${version} `, `\`${file.licence}\``, `\`${sum}\``]) {
      assert.ok(row.includes(word), `${row} has ${word}`);
    }
  });
}

test("nothing else is vendored", () => {
  const known = new Set(["README.md", ...FILES.flatMap(({ name, licence }) => [name, name.replace(".js", ".d.ts"), licence])]);
  assert.deepEqual(readdirSync(fileURLToPath(vendor)).filter((name) => !known.has(name)), []);
});

test("versions are exact, and the lock names no registry", () => {
  const { devDependencies } = JSON.parse(read(new URL("package.json", import.meta.url)));
  for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  assert.ok(!read(new URL("package-lock.json", import.meta.url)).includes('"resolved"'));
});

test("the page has nothing that parses markup or code", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|srcdoc|DOMParser|\beval\b|new Function|javascript:/;
  const own = readdirSync(fileURLToPath(page), { recursive: true }).filter((name) => /\.(js|html)$/.test(name) && !name.startsWith("vendor"));
  assert.ok(own.length > 0);
  for (const name of own) {
    const line = read(new URL(name, page)).split("\n").find((line) => forbidden.test(line));
    assert.equal(line, undefined, `${name}: ${line}`);
  }
});
