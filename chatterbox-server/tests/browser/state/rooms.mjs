// Rooms: members, levels, what was missed, and the history of each.

import assert from "node:assert/strict";
import { test } from "node:test";

import { World, room } from "./world.mjs";

const LAB = (more) => room("#lab", 12, more);

test("who is in a room, who keeps order there, and what has changed", () => {
  const one = new World().join({ ROOMS: [{ ROOM: "ALL", TOPIC: "be kind", TALK: 0, SLOW: 0, FLOOR: 0 }, LAB({ STAFF: { bob: 3 }, LEVEL: 2, LENGTH: 4000, FLAGS: ["closed"] })] });
  const lab = one.at("#lab");
  assert.deepEqual([lab.members, lab.count, lab.level, [...lab.staff], lab.length, lab.flags], [["ann", "bob"], 2, 2, [["bob", 3]], 4000, ["closed"]]);
  assert.equal(one.at("ALL").topic, "be kind");
  one.frame({ ROOM_USERS_JOINED: { "#lab": ["cyd", "bob"] } });
  one.frame({ ROOM_USERS_LEFT: { "#lab": ["ann"] }, USERS_RENAMED: { bob: "Robert" } });
  assert.deepEqual([one.at("#lab").members, [...one.at("#lab").staff]], [["cyd", "Robert"], [["Robert", 3]]]);
  one.frame({ ROOMS: [{ ROOM: "#lab", NUMBER: 12, ROSTER: false, COUNT: 600, TOPIC: "crowded" }] });
  assert.deepEqual([one.at("#lab").members, one.at("#lab").count, one.at("#lab").topic], [null, 600, "crowded"]);
  assert.notEqual(one.at("#lab"), lab, "what has changed is another object");
  assert.equal(one.at("#lab"), one.at("#lab"), "and what has not is the same");
});

test("the end of a membership is told once, where it is looked for", () => {
  const inLab = () => {
    const one = new World().join({ ROOMS: [LAB()] });
    one.apply({ open: "#lab" });
    one.apply({ open: "ALL" });
    return one;
  };
  const end = (code) => ({ ROOMS_LEFT: [{ ROOM: "#lab", NUMBER: 12, CODE: code }] });
  const told = (one) => ["ALL", "#lab"].map((target) => one.said(target).filter((line) => /removed|left|no member/.test(line)).length);
  const kicked = inLab();
  kicked.frame(end("kicked"));
  assert.deepEqual(told(kicked), [1, 0], "where the user is");
  const left = inLab();
  left.frame({ ...end("left"), RESULT: { ID: "1", OK: true, CODE: "ok", INFO: "You have left #lab." } });
  assert.deepEqual(told(left), [1, 0], "by the answer alone");
  for (const welcome of [end("left"), { RESUMED: false }]) {
    const again = inLab();
    again.apply({ open: "@bob" });
    again.again(welcome);
    assert.deepEqual([...told(again), again.said("@bob").filter((line) => /lab/.test(line))], [1, 0, []], "in the lobby");
    const reader = inLab();
    reader.apply({ open: "#lab" });
    assert.deepEqual(told(reader.again(welcome)), [0, 1], "in the room");
  }
});

test("comings and goings have the time of the first one, whoever else comes and goes", () => {
  const one = new World().join();
  const moves = () => one.at("ALL").items.at(-1);
  one.chat.apply({ frame: { USERS_JOINED: ["cyd"] } }, 1000);
  one.chat.apply({ frame: { USERS_JOINED: ["dan"] } }, 2000);
  one.chat.apply({ frame: { USERS_LEFT: ["dan"] } }, 3000);
  assert.deepEqual([moves().joined, moves().left, moves().time], [["cyd"], [], 1000]);
});

test("what was missed in a room comes page by page, each message once and in its order", () => {
  const one = new World().join({ ROOMS: [LAB({ LAST: 10 })] });
  one.apply({ open: "#lab" });
  one.again({ ROOMS: [LAB({ LAST: 40, GAP: true })], MESSAGES: [["bob", "#lab", 40, "m40"], ["bob", "ALL", 41, "public"]], IDS: [40, 41] });
  assert.deepEqual(one.take().at(-1), { HISTORY: { WITH: "#lab", AFTER: 10, LIMIT: 100 } });
  one.frame({ MESSAGES: [["bob", "#lab", 42, "m42"]], IDS: [42] });
  assert.ok(!one.said("#lab").some((line) => line.startsWith("bob")), "it waits for what was said before it");
  one.frame({ HISTORY: { WITH: "#lab", MESSAGES: [["bob", "#lab", 20, "m20"], ["ann", "#lab", 21, "mine"]], IDS: [20, 21], MORE: true } });
  assert.deepEqual(one.take(), [{ HISTORY: { WITH: "#lab", AFTER: 21, LIMIT: 100 } }]);
  one.frame({ HISTORY: { WITH: "#lab", MESSAGES: [["bob", "#lab", 40, "m40"]], IDS: [40], MORE: false } });
  assert.deepEqual(one.said("#lab").filter((line) => line.startsWith("bob")), ["bob: m20", "bob: m40", "bob: m42"]);
  assert.deepEqual(one.take(), []);
});

test("a gap that has no end leaves a hole, and what waited for it is shown", () => {
  const one = new World().join({ ROOMS: [LAB({ LAST: 10 })] });
  one.frame({ MESSAGES: [["bob", "#lab", 1, "m11"]], IDS: [11] });
  one.again({ ROOMS: [LAB({ LAST: 9000, GAP: true })], MESSAGES: [["bob", "#lab", 9000, "last"]], IDS: [9000] });
  let pages = 0;
  for (let id = 12; one.take().some((frame) => frame.HISTORY); id += 1) {
    pages += 1;
    one.frame({ HISTORY: { WITH: "#lab", MESSAGES: [["bob", "#lab", 1, `m${id}`]], IDS: [id], MORE: true } });
  }
  assert.equal(pages, 10);
  assert.deepEqual(one.said("#lab").slice(-2), ["... open", "bob: last"]);
});

test("a page that brings nothing on, or is refused, ends a gap", () => {
  for (const page of [{ MESSAGES: [], IDS: [], MORE: true }, { CODE: "not-a-member" }, { MESSAGES: "x", IDS: {}, MORE: true }]) {
    const one = new World().join({ ROOMS: [LAB({ LAST: 10 })] });
    one.again({ ROOMS: [LAB({ LAST: 20, GAP: true })], MESSAGES: [["bob", "#lab", 1, "m20"]], IDS: [20] });
    one.take();
    one.frame({ HISTORY: { WITH: "#lab", ...page } });
    assert.deepEqual([one.take(), one.said("#lab").at(-1)], [[], "bob: m20"]);
  }
});

test("what waits for a gap is bounded, and comes back when the room is left", () => {
  const one = new World().join({ ROOMS: [LAB({ LAST: 10 })] });
  one.apply({ open: "#lab" });
  one.again({ ROOMS: [LAB({ LAST: 20, GAP: true })] });
  for (let id = 100; id < 3000; id += 1) one.frame({ MESSAGES: [["bob", "#lab", 1, `m${id}`]], IDS: [id] });
  one.frame({ ROOMS_LEFT: [{ ROOM: "#lab", NUMBER: 12, CODE: "kicked", BY: "eve\u202e", INFO: "spam" }] });
  const said = one.said("#lab").filter((line) => line.startsWith("bob"));
  assert.deepEqual([said.length, said.at(-1)], [1000, "bob: m2999"]);
  assert.ok(one.at("#lab").gone);
  assert.match(one.said("#lab").at(-1), /^\* You were removed from #lab by eve\\u\{202e\}: spam/);
});

test("rooms that a later welcome does not name are gone", () => {
  const one = new World().join({ ROOMS: [LAB(), room("#talk", 13)] });
  one.again({ RESUMED: false, ROOMS: [room("#talk", 14)], MESSAGES: [], IDS: [] });
  assert.deepEqual(one.view.conversations.map((each) => each.target), ["ALL", "#talk"]);
});

test("a room keeps what was said in it under another name, and another room of its name has nothing of it", () => {
  const one = new World().join({ ROOMS: [LAB()] });
  one.apply({ open: "#lab" });
  one.frame({ MESSAGES: [["bob", "#lab", 1, "before"]], IDS: [5] });
  one.frame({ ROOMS: [room("#LAB", 12, { TOPIC: "x" })] });
  assert.deepEqual([one.at("#lab").topic, one.said("#lab").at(-1)], ["x", "bob: before"]);
  one.frame({ ROOMS: [room("#cellar", 12)] });
  assert.deepEqual([one.view.front, one.said("#cellar").at(-1)], ["#cellar", "* You are in #cellar."]);
  assert.ok(one.said("#cellar").includes("bob: before"));
  one.frame({ ROOMS: [room("#cellar", 99)] });
  assert.ok(!one.said("#cellar").includes("bob: before"));
});

test("a page goes to the conversation that it was asked for, whatever its name is by now, and opens none again", () => {
  const one = new World().join({ ROOMS: [LAB()] });
  one.frame({ MESSAGES: [["bob", "ann", 1, "new"], ["bob", "#lab", 1, "new"]], IDS: [50, 51] });
  one.apply({ older: "@bob" });
  one.apply({ older: "#lab" });
  assert.deepEqual(one.take().map(({ HISTORY }) => HISTORY), [
    { WITH: "bob", BEFORE: 50, LIMIT: 100 },
    { WITH: "#lab", BEFORE: 51, LIMIT: 100 },
  ]);
  one.frame({ USERS_RENAMED: { bob: "robert" }, ROOMS_LEFT: [{ ROOM: "#lab", NUMBER: 12, CODE: "left" }] });
  one.frame({ HISTORY: { WITH: "bob", MESSAGES: [["bob", "ann", 1, "old"]], IDS: [40], MORE: false } });
  one.frame({ HISTORY: { WITH: "#lab", MESSAGES: [["bob", "#lab", 1, "old"]], IDS: [41], MORE: false } });
  assert.deepEqual(one.view.conversations.map(({ target, older }) => [target, older]), [["ALL", "beginning"], ["@robert", "beginning"]]);
  assert.deepEqual(one.said("@robert").slice(0, 2), ["bob: old", "bob: new"]);
});
