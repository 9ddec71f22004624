// How far the user has read: counted by the server, told to it, and heard of other devices (MK-1, MK-2).

import assert from "node:assert/strict";
import { test } from "node:test";

import { World, room } from "./world.mjs";

const ACCOUNT = { LEVEL: 1 };
const marks = (one) => one.take().filter((frame) => frame.READ).map(({ READ: { WITH, UPTO } }) => `${WITH} ${UPTO}`);
const unread = (one) => Object.fromEntries(one.view.conversations.map(({ target, unread: count }) => [target, count]).filter(([, count]) => count > 0));

test("a welcome says what is unread, and where it begins", () => {
  const lab = room("#lab", 12, { LAST: 9 });
  const one = new World().join({
    ACCOUNT, ROOMS: [lab],
    MESSAGES: [["bob", "ann", 1, "old"], ["bob", "ann", 2, "new"], ["cyd", "ALL", 3, "hi"]], IDS: [5, 7, 8],
    READ: { ALL: 2, "#lab": 3, bob: 5, dan: 4 }, UNREAD: { ALL: 1, "#lab": 100, bob: 1, dan: 0, eve: 3 },
  });
  assert.deepEqual(unread(one), { "#lab": 100, "@bob": 1, "@eve": 3 }, "the lobby is in front, and seen");
  assert.equal(one.at("@dan"), undefined, "nothing is new with dan");
  const bob = one.chat.core.model.list.find("@bob");
  const old = bob.timeline.items.find((item) => item.lines[0] === "old");
  assert.equal(bob.marker, old.key);
  one.apply({ open: "@bob" });
  assert.deepEqual(unread(one), { "#lab": 100, "@eve": 3 });
});

test("what is shown is told, the newest of it, and only forward", () => {
  const one = new World().join({ ACCOUNT, READ: { ALL: 5 }, UNREAD: { ALL: 0 }, MESSAGES: [["bob", "ALL", 1, "a"]], IDS: [5] });
  assert.equal(one.chat.hasMarks(), false);
  one.frame({ MESSAGES: [["bob", "ALL", 2, "b"], ["bob", "ALL", 3, "c"]], IDS: [6, 8] });
  assert.ok(one.chat.hasMarks());
  one.apply({ marks: true });
  assert.deepEqual(marks(one), ["ALL 8"]);
  assert.equal(one.chat.hasMarks(), false);
  // Who looks elsewhere reads nothing.
  one.apply({ seeing: false });
  one.frame({ MESSAGES: [["bob", "ALL", 4, "d"], ["bob", "ann", 5, "psst"]], IDS: [9, 11] });
  assert.equal(one.chat.hasMarks(), false);
  one.apply({ seeing: true });
  one.apply({ marks: true });
  assert.deepEqual(marks(one), ["ALL 9"]);
  one.apply({ open: "@bob" });
  one.apply({ marks: true });
  assert.deepEqual(marks(one), ["bob 11"]);
  // The server moves the mark with an own message.
  one.apply({ say: "yes" });
  one.frame({ ACKS: { [one.take().at(-1).TAGS[0]]: 12 } });
  assert.equal(one.chat.hasMarks(), false);
});

test("what was read comes behind the answers of its frame (CP-10)", () => {
  const one = new World().join({ ACCOUNT });
  const { model } = one.chat.core;
  const { marked } = model;
  let before = null;
  model.marked = (...told) => {
    before = one.said("ALL");
    marked.apply(model, told);
  };
  one.frame({ READ: { ALL: 5 }, ERROR: "no" });
  assert.equal(before?.at(-1), "* no");
});

test("what another device has read is read", () => {
  const one = new World().join({ ACCOUNT });
  one.apply({ seeing: false });
  one.frame({ MESSAGES: [["bob", "ALL", 1, "a"], ["bob", "ALL", 2, "b"], ["bob", "ann", 3, "c"]], IDS: [5, 6, 7] });
  assert.deepEqual(unread(one), { ALL: 2, "@bob": 1 });
  one.frame({ READ: { ALL: 5 } });
  assert.deepEqual(unread(one), { ALL: 1, "@bob": 1 });
  one.frame({ READ: { Bob: 7, ALL: 5, "#other": 3, x: "y" } });
  assert.deepEqual(unread(one), { ALL: 1 });
  one.apply({ seeing: true });
  one.apply({ marks: true });
  assert.deepEqual(marks(one), ["ALL 6"]);
});

test("a guest, and a server that does not want to know, are told nothing", () => {
  for (const welcome of [{ ACCOUNT: { LEVEL: 0 } }, { ACCOUNT, CAPABILITIES: "accounts/1 ids/1" }]) {
    const one = new World().join(welcome);
    one.frame({ MESSAGES: [["bob", "ALL", 2, "b"]], IDS: [6] });
    one.apply({ marks: true });
    assert.deepEqual([one.chat.hasMarks(), marks(one)], [false, []]);
  }
});

test("what another device says is in the conversation with whom it is said to", () => {
  const one = new World().join({ ACCOUNT });
  one.frame({ MESSAGES: [["ann", "bob", 3, "from the other one"]], IDS: [7] });
  assert.deepEqual(one.said("@bob"), ["ann: from the other one"]);
  assert.deepEqual(unread(one), {});
});

test("what the server only counts stays until the newest of it is read", () => {
  const joined = () => new World().join({ ACCOUNT, ROOMS: [room("#lab", 12, { LAST: 20 })], READ: { "#lab": 3, eve: 0 }, UNREAD: { "#lab": 100, eve: 3 } });
  const live = { MESSAGES: [["bob", "#lab", 1, "m21"]], IDS: [21] };
  const one = joined();
  one.frame({ READ: { "#lab": 5 } });
  assert.equal(unread(one)["#lab"], 100);
  one.frame(live);
  one.frame({ READ: { "#lab": 19 } });
  assert.equal(unread(one)["#lab"], 101);
  one.frame({ READ: { "#lab": 20 } });
  assert.equal(unread(one)["#lab"], 1);
  // Of eve the welcome had nothing, and it said of nobody which message is newest.
  one.frame({ READ: { eve: 6 } });
  assert.deepEqual(unread(one), { "#lab": 1 });
  // The floor of a room goes the same way.
  const two = joined();
  two.frame(live);
  two.frame({ ROOMS: [{ ROOM: "#lab", NUMBER: 12, FLOOR: 19 }] });
  assert.equal(unread(two)["#lab"], 101);
  two.frame({ ROOMS: [{ ROOM: "#lab", NUMBER: 12, FLOOR: 20 }] });
  assert.equal(unread(two)["#lab"], 1);
});

test("what is not in the welcome is older than what is", () => {
  const MESSAGES = [["bob", "ann", 1, "a"], ["bob", "ann", 2, "b"]];
  const one = new World().join({ ACCOUNT, MESSAGES, IDS: [50, 51], READ: { bob: 3 }, UNREAD: { bob: 30 } });
  one.frame({ READ: { bob: 48 } });
  assert.deepEqual(unread(one), { "@bob": 30 });
  one.frame({ READ: { bob: 50 } });
  assert.deepEqual(unread(one), { "@bob": 1 });
});
