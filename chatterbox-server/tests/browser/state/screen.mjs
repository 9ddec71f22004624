// What is shown of texts: the same as in the other programs, which have made the examples.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { screen } from "../../../page/screen.js";
import { linesOf } from "../../../page/state/text.js";

test("the page spells out what the other programs spell out", () => {
  const examples = JSON.parse(readFileSync(new URL("screen.json", import.meta.url), "utf8"));
  assert.ok(examples.length > 400);
  for (const [text, whole, short] of examples) {
    assert.equal(screen(text), whole, JSON.stringify(text));
    assert.equal(screen(text, 9), short, JSON.stringify(text));
  }
});

test("half of a pair of surrogates is no character", () => {
  assert.equal(screen("a\ud800b\udc00"), "a\ufffdb\ufffd");
  assert.equal(screen("\ud83d\ude00"), "\ud83d\ude00");
});

test("of a text without end a part is kept", () => {
  assert.deepEqual(linesOf("one\r\ntwo\n"), ["one", "two", ""]);
  const lines = linesOf("x\n".repeat(10_000));
  assert.equal(lines.length, 1001);
  assert.equal(lines.at(-1), "…");
  const long = linesOf("x".repeat(10_000_000));
  assert.deepEqual([long.length, long[0].length, long[1]], [2, 64 * 1024, "…"]);
});
