// Coming back: what was missed, what arrived, who came and went, and where the user was.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NOW, World, room } from "./world.mjs";

test("a message that has arrived is not sent to a server that has forgotten its tag", () => {
  const one = new World().join({ MESSAGES: [["bob", "ALL", 1, "hi"]], IDS: [5] });
  one.apply({ say: "arrived" });
  one.apply({ say: "on its way" });
  one.take();
  one.again({ RESUMED: false, MESSAGES: [["bob", "ALL", 1, "hi"], ["ann", "ALL", NOW, "arrived"]], IDS: [5, 6] });
  assert.deepEqual(one.take().at(-1), { MESSAGES: [["ann", "ALL", NOW, "on its way"]], TAGS: ["2"] });
  assert.deepEqual(one.at("ALL").items.filter((item) => item.own).map(({ lines, delivery }) => [lines[0], delivery]), [["arrived", "stored"], ["on its way", "on its way"]]);
  assert.ok(!one.said("ALL").some((line) => line.startsWith("...")), "its history reaches back, so nothing is missing");
  assert.equal(one.said("ALL").filter((line) => line === "bob: hi").length, 1);
});

test("who has seen nothing misses nothing", () => {
  const one = new World().join();
  one.again({ RESUMED: false, MESSAGES: [["bob", "ALL", 1, "hi"]], IDS: [900] });
  assert.deepEqual(one.said("ALL").filter((line) => !line.startsWith("*")), ["bob: hi"]);
});

test("who came and who left meanwhile is told, and nobody is told of themselves", () => {
  const one = new World().join({ USER_LIST: ["ann", "bob", "cyd"] });
  one.again({ USER_LIST: ["Ann", "cyd", "eve"] });
  assert.equal(one.said("ALL").at(-1), "+eve -bob");
  assert.deepEqual(one.view.people.map(({ name }) => name), ["Ann", "cyd", "eve"]);
});

test("what a room has said is asked for where the welcome could not have it", () => {
  const lab = (LAST) => room("#lab", 12, { LAST });
  const welcome = { RESUMED: false, MESSAGES: [["bob", "ALL", 1, "hi"]], IDS: [5] };
  for (const [LAST, asks] of [[9, [{ HISTORY: { WITH: "#lab", AFTER: 7, LIMIT: 100 } }]], [7, []]]) {
    const one = new World().join({ MESSAGES: [["bob", "ALL", 1, "hi"]], IDS: [5], ROOMS: [lab(7)] });
    one.again({ ...welcome, ROOMS: [lab(LAST)] });
    assert.deepEqual(one.take().filter((frame) => frame.HISTORY), asks);
  }
});

test("after a gap what is said is shown at once", () => {
  const one = new World().join({ ROOMS: [room("#lab", 12, { LAST: 10 })] });
  one.again({ ROOMS: [room("#lab", 12, { LAST: 20, GAP: true })] });
  one.frame({ HISTORY: { WITH: "#lab", MESSAGES: [["bob", "#lab", 1, "m20"]], IDS: [20], MORE: false } });
  one.frame({ MESSAGES: [["bob", "#lab", 1, "m21"]], IDS: [21] });
  assert.deepEqual(one.said("#lab").slice(-2), ["bob: m20", "bob: m21"]);
  one.again({ ROOMS: [room("#lab", 12, { LAST: 30, GAP: true })] });
  assert.deepEqual(one.take().at(-1), { HISTORY: { WITH: "#lab", AFTER: 21, LIMIT: 100 } });
});

test("a gap that was being filled goes on, on the next connection", () => {
  const one = new World().join({ ROOMS: [room("#lab", 12, { LAST: 10 })] });
  one.again({ ROOMS: [room("#lab", 12, { LAST: 40, GAP: true })] });
  one.frame({ HISTORY: { WITH: "#lab", MESSAGES: [["bob", "#lab", 1, "m20"]], IDS: [20], MORE: true } });
  one.take();
  one.again({ ROOMS: [room("#lab", 12, { LAST: 40 })] });
  assert.deepEqual(one.take().filter((frame) => frame.HISTORY), [{ HISTORY: { WITH: "#lab", AFTER: 20, LIMIT: 100 } }]);
});

test("the marker stays where the user has left, whoever comes and goes behind it", () => {
  const one = new World().join({ MESSAGES: [["bob", "ALL", 1, "seen"]], IDS: [5] });
  one.apply({ open: "@bob" });
  const above = one.at("ALL").marker;
  one.frame({ USERS_JOINED: ["eve"] });
  one.frame({ MESSAGES: [["bob", "ALL", 2, "not seen"]], IDS: [6] });
  assert.deepEqual([one.at("ALL").marker, one.at("ALL").items.length, one.at("ALL").unread], [above, above + 2, 1]);
});

test("who goes elsewhere while a room is joined stays there", () => {
  const join = { NAME: "join", ARGUMENTS: [{ NAME: "room", TYPE: "room" }] };
  const one = new World().join({}, [join, { NAME: "msg", ARGUMENTS: [{ NAME: "user", TYPE: "user" }] }]);
  one.apply({ open: "#lab" });
  one.apply({ open: "@bob" });
  one.frame({ ROOMS: [room("#lab", 12)] });
  assert.equal(one.view.front, "@bob");
  one.apply({ call: { name: "msg", arguments: ["talk"] } });
  one.frame({ ROOMS: [room("#talk", 13)] });
  assert.equal(one.view.front, "@bob", "only joining takes one to a room");
  one.apply({ call: { name: "join", arguments: ["other"] } });
  one.frame({ ROOMS: [room("#other", 14)] });
  assert.equal(one.view.front, "#other");
});

test("who is away is told once, where one speaks to them", () => {
  const one = new World().join({ PRESENCE: { bob: { SINCE: 5, AWAY: null } } });
  one.apply({ open: "@bob" });
  for (const AWAY of ["lunch", "lunch", "still", null, null]) one.frame({ PRESENCE: { bob: { SINCE: 6, AWAY }, nobody: { SINCE: 1, AWAY: "x" } } });
  assert.deepEqual(one.said("@bob"), ["* bob is away: lunch", "* bob is back."]);
  assert.deepEqual(one.view.people.find(({ name }) => name === "bob"), { name: "bob", target: "@bob", away: null, since: 6 });
  assert.equal(one.at("@bob").away, false);
  one.frame({ USERS_LEFT: ["bob"] });
  assert.equal(one.at("@bob").away, true);
  one.frame({ USERS_JOINED: ["BOB"] });
  assert.equal(one.at("@bob").away, false);
});

test("notices are told where they belong, in words", () => {
  const one = new World().join({ ROOMS: [room("#lab", 12)] });
  one.frame({
    NOTICES: [
      { CODE: "invited", ROOM: "#closed", BY: "prof", INFO: "prof invites you to #closed." },
      { CODE: "muted", ROOM: "#lab", NAME: "eve", BY: "prof\u202e", INFO: "spam" },
      { CODE: "announcement", BY: "prof", INFO: "one\ntwo" },
      { CODE: "news" },
      5,
    ],
  });
  assert.deepEqual(one.said("#lab"), ["* muted eve in #lab by prof\\u{202e}: spam"]);
  assert.deepEqual(one.said("ALL").slice(-3), ["* prof invites you to #closed.", "* prof: one\ntwo", "* news"]);
});

test("what was refused elsewhere is told where the user is", () => {
  const one = new World().join();
  one.apply({ typed: "@bob psst" });
  one.frame({ REFUSED: { 1: { CODE: "blocked", ERROR: "You can't." } }, ERROR: "You can't." });
  assert.equal(one.said("ALL").at(-1), "* Refused in @bob: You can't.");
});

test("of a crowd that leaves most are counted", () => {
  const users = [...Array(30).keys()].map((number) => `u${number}`);
  const one = new World().join({ USER_LIST: ["ann", ...users] });
  one.frame({ USERS_LEFT: users });
  const { left, moreLeft, moreJoined } = one.at("ALL").items.at(-1);
  assert.deepEqual([left.length, moreLeft, moreJoined], [20, 10, 0]);
});

test("/quit leaves", () => {
  const one = new World().join();
  one.apply({ typed: "/quit" });
  assert.deepEqual(one.effects, [{ redial: false }, { disconnect: "you have left" }]);
  one.apply({ lost: "you have left" });
  assert.equal(one.view.phase.is, "idle");
});

test("commands whose outcome the connection has taken with it are named", () => {
  const one = new World().join({}, [{ NAME: "back", ARGUMENTS: [] }]);
  one.apply({ lost: "gone" });
  assert.equal(one.said("ALL").filter((line) => line.includes("what came of")).length, 0);
  one.apply({ back: true });
  one.frame({ USERNAME_ACCEPTED: true, USER_LIST: [], MESSAGES: [], IDS: [], CAPABILITIES: "ids/1 commands/1", RESUMED: true });
  one.apply({ typed: "/back" });
  one.apply({ lost: "gone" });
  assert.ok(one.said("ALL").some((line) => line.endsWith("what came of back.")));
});
