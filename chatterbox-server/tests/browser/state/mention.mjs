// Whether a text names somebody: the table of the application.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { mentions } from "../../../page/state/mention.js";

const SOURCE = new URL("../../../../chatterbox-client/app/src/model/mention.rs", import.meta.url);

/** The rows of the table in the source of the application. */
function table() {
  const text = readFileSync(SOURCE, "utf8");
  const plain = (literal) => JSON.parse(`"${literal.replace(/\\u\{([0-9a-f]+)\}/g, (_, digits) => String.fromCodePoint(parseInt(digits, 16)))}"`);
  const rows = text.matchAll(/^ *\("((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", (true|false)\),/gm);
  return [...rows].map(([, said, name, expected]) => ({ said: plain(said), name: plain(name), expected: expected === "true" }));
}

test("a text names whom it names for the application", () => {
  const rows = table();
  assert.ok(rows.length > 30, `${rows.length} rows`);
  for (const { said, name, expected } of rows) assert.equal(mentions(said, name), expected, `${JSON.stringify(name)} in ${JSON.stringify(said)}`);
});

test("words of scripts without blanks are bounded as UAX 29 has it, whatever a dictionary says", () => {
  assert.ok(mentions("小明你好", "明"));
  assert.ok(mentions("สวัสดีann", "ann"));
  assert.ok(!mentions("アンナ", "アン"));
  assert.ok(mentions("アンさん", "アン"));
});

test("a text that names somebody nearly without end takes no time without end", () => {
  const said = "anna ".repeat(1_000_000);
  assert.equal(mentions(said, "ann"), false);
});
