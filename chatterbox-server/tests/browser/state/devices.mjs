// Another device of the same user says the same words (DV-2).

import assert from "node:assert/strict";
import { test } from "node:test";

import { NOW, World, room } from "./world.mjs";

const ACCOUNT = { LEVEL: 1 };
const copy = (to, text, id, more = {}, time = NOW) => ({ MESSAGES: [["ann", to, time, text]], IDS: [id], ...more });
const own = (one, target) => one.at(target).items.filter((item) => item.own).map(({ lines, id }) => `${lines[0]} ${id}`);

test("the same words of another device are shown behind the acknowledgement", () => {
  const one = new World().join({ ACCOUNT });
  one.apply({ open: "@bob" });
  one.apply({ say: "ok" });
  one.frame({ ACKS: { 1: 7 } });
  one.frame(copy("bob", "ok", 8));
  one.frame(copy("bob", "ok", 9));
  assert.deepEqual(own(one, "@bob"), ["ok 7", "ok 8", "ok 9"]);
  // A welcome may hold what this page has said itself, of which no echo has come.
  one.again({ MESSAGES: [["ann", "bob", NOW, "ok"], ["ann", "bob", NOW, "ok"]], IDS: [7, 10] });
  assert.deepEqual(own(one, "@bob"), ["ok 7", "ok 8", "ok 9", "ok 10"]);
});

test("the same words of another device are shown before the acknowledgement", () => {
  for (const target of ["@bob", "ALL"]) {
    const to = target.replace("@", "");
    const one = new World().join({ ACCOUNT });
    one.apply({ open: target });
    one.apply({ say: "ok" });
    one.frame(copy(to, "ok", 7));
    assert.equal(own(one, target).length, 1, "it may be the echo");
    one.frame({ ACKS: { 1: 8 } });
    assert.deepEqual(own(one, target), ["ok 7", "ok 8"]);
    one.apply({ say: "ok" });
    one.frame(copy(to, "ok", 9, { ACKS: { 2: 9 } }));
    assert.deepEqual(own(one, target), ["ok 7", "ok 8", "ok 9"]);
    one.apply({ say: "ok" });
    one.frame(copy(to, "ok", 10));
    one.frame(copy(to, "ok", 11));
    one.frame({ ACKS: { 3: 10 } });
    assert.deepEqual(own(one, target), ["ok 7", "ok 8", "ok 9", "ok 10", "ok 11"]);
  }
});

test("the same words of another device are shown where the own ones are refused", () => {
  const one = new World().join({ ACCOUNT });
  one.apply({ open: "@bob" });
  one.apply({ say: "ok" });
  one.frame(copy("bob", "ok", 7));
  one.frame({ REFUSED: { 1: { CODE: "blocked", ERROR: "no" } }, ERROR: "no" });
  one.frame(copy("bob", "ok", 8));
  assert.deepEqual(own(one, "@bob").sort(), ["ok 7", "ok 8", "ok null"]);
});

test("what was not acknowledged is sent again though another device has said the same", () => {
  const one = new World().join({ ACCOUNT });
  one.apply({ open: "@bob" });
  one.apply({ say: "ok" });
  one.apply({ say: "no" });
  one.frame(copy("bob", "ok", 7, {}, NOW - 10));
  one.take();
  const messages = [["ann", "bob", NOW - 10, "ok"], ["ann", "bob", NOW, "no"], ["ann", "bob", NOW - 5, "ok"]];
  one.again({ RESUMED: false, MESSAGES: messages, IDS: [7, 8, 9] });
  const said = one.take().filter((frame) => frame.MESSAGES);
  assert.deepEqual(said, [{ MESSAGES: [["ann", "bob", NOW, "ok"]], TAGS: ["1"] }], "the sender's clock says that the other one is stored");
  one.frame({ ACKS: { 1: 10 } });
  assert.deepEqual(own(one, "@bob").sort(), ["no null", "ok 10", "ok 7", "ok 9"]);
});

test("a page that fills a gap has what another device has said", () => {
  const one = new World().join({ ACCOUNT, ROOMS: [room("#lab", 12, { LAST: 10 })] });
  one.apply({ open: "#lab" });
  one.apply({ say: "mine" });
  one.frame({ ACKS: { 1: 12 } });
  one.apply({ say: "ok" });
  one.again({ ROOMS: [room("#lab", 12, { LAST: 40, GAP: true })] });
  const MESSAGES = [["ann", "#lab", NOW, "mine"], ["ann", "#lab", NOW, "theirs"], ["ann", "#lab", NOW, "ok"], ["ann", "#lab", NOW, "ok"]];
  one.frame({ HISTORY: { WITH: "#lab", MESSAGES, IDS: [12, 20, 21, 22], MORE: false } });
  one.frame({ ACKS: { 2: 22 } });
  assert.deepEqual(own(one, "#lab").sort(), ["mine 12", "ok 21", "ok 22", "theirs 20"]);
});

test("without devices nothing waits for an echo that comes no more", () => {
  const one = new World().join({ CAPABILITIES: "ids/1" });
  one.apply({ say: "hi" });
  one.frame(copy("ALL", "hi", 7, {}, 999));
  one.frame({ ACKS: { 1: 7 } });
  assert.deepEqual(own(one, "ALL"), ["hi 7"]);
  one.apply({ open: "@bob" });
  one.apply({ say: "psst" });
  one.frame({ ACKS: { 2: 8 } });
  one.frame(copy("bob", "psst", 9, {}, 999));
  assert.deepEqual(own(one, "@bob"), ["psst 8", "psst 9"]);
});
