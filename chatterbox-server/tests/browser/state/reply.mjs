// What goes with messages: replies and mentions (MT-1 to MT-4).

import assert from "node:assert/strict";
import { test } from "node:test";

import { named } from "../../../page/state/reply.js";
import { World, room } from "./world.mjs";

const LAB = room("#lab", 12, { USERS: ["ann", "bob", "Cyd"] });

function world(more = {}) {
  return new World().join({ MESSAGES: [["bob", "ALL", 1, "at five?"]], IDS: [5], ROOMS: [LAB], ...more });
}

/** What went beside the messages that were sent. */
function metas(one) {
  return one.take().map((frame) => frame.META);
}

/** The last message of a conversation. */
function last(one, target = "ALL") {
  return one.view.conversations.find((known) => known.target === target).items.findLast((item) => item.kind === "message");
}

test("a reply carries the number of what it answers, and shows its beginning", () => {
  for (const which of ["last", "5", "@BOB"]) {
    const one = world();
    one.apply({ typed: `/reply ${which} yes,  at five` });
    assert.deepEqual(one.sent.at(-1).MESSAGES[0].slice(1, 2), ["ALL"]);
    assert.equal(one.sent.at(-1).MESSAGES[0][3], "yes,  at five", "nothing is quoted into the text");
    assert.deepEqual(metas(one), [[{ REPLY: 5 }]], which);
    const { id, from, text } = last(one).reply;
    assert.deepEqual([id, from, text], [5, "bob", "at five?"]);
  }
});

test("what can't be answered is not sent", () => {
  for (const rest of ["", "last", "last  ", "@cyd no", "first no"]) {
    const one = world();
    const effects = one.apply({ typed: `/reply ${rest}` });
    assert.deepEqual(one.sent, [], rest);
    assert.ok(effects.some((effect) => "restore" in effect), rest);
  }
});

test("a reply of somebody else is shown with what is loaded of it", () => {
  const one = world();
  const META = [{ REPLY: 5 }, { REPLY: 4 }, null, { REPLY: "5", MENTIONS: 7 }, "x"];
  const texts = ["yes", "no", "plain", "odd", "odder"];
  one.frame({ MESSAGES: texts.map((text) => ["bob", "ALL", 2, text]), IDS: [6, 7, 8, 9, 10], META });
  const items = one.view.conversations[0].items.filter((item) => item.kind === "message");
  const replies = items.slice(-5).map(({ reply }) => reply && [reply.id, reply.text]);
  assert.deepEqual(replies, [[5, "at five?"], [4, null], null, null, null]);
});

test("a list of another length, or from who did not agree on it, means nothing", () => {
  const one = world();
  one.frame({ MESSAGES: [["bob", "ALL", 2, "a"], ["bob", "ALL", 2, "b"]], IDS: [6, 7], META: [{ REPLY: 5 }] });
  assert.equal(last(one).reply, null);
  const other = world({ CAPABILITIES: "ids/1" });
  other.frame({ MESSAGES: [["bob", "ALL", 2, "a"]], IDS: [6], META: [{ REPLY: 5 }] });
  assert.equal(last(other).reply, null);
  other.apply({ say: "hello @bob" });
  assert.deepEqual(metas(other), [undefined]);
});

test("who is mentioned is who is there, where a word begins", () => {
  const isThere = (name) => ["bob", "Cyd", "c.d"].find((one) => one.toLowerCase() === name.toLowerCase()) ?? null;
  const table = [
    ["@bob", ["bob"]],
    ["@BOB, (@cyd)! @bob", ["bob", "Cyd"]],
    ["mail@bob @nobody @ @@bob", []],
    ["@c.d.", ["c.d"]],
    ["so\n@bob:", ["bob"]],
  ];
  for (const [text, expected] of table) assert.deepEqual(named(text, isThere), expected, text);
  assert.equal(named(Array.from({ length: 50 }, (_, at) => `@u${at}`).join(" "), (name) => name).length, 20);
  const one = world();
  one.apply({ say: "hello @Bob and @cyd and @ALL" });
  one.apply({ open: "#lab" });
  one.apply({ say: "@bob: and @cyd" });
  one.apply({ say: "nobody" });
  assert.deepEqual(metas(one), [[{ MENTIONS: ["bob"] }], [{ MENTIONS: ["bob", "Cyd"] }], undefined]);
});

test("whoever puts names into MENTIONS means these, and of others the text says it", () => {
  const one = world();
  one.apply({ open: "#lab" });
  const said = (text, meta) => {
    one.frame({ MESSAGES: [["bob", "ALL", 2, text]], IDS: [one.now], META: [meta] });
    one.now += 1;
    return last(one).mention;
  };
  assert.equal(said("look here", { MENTIONS: ["ANN"] }), true);
  assert.equal(said("look here", { MENTIONS: ["ALL"] }), true);
  assert.equal(said("ann said so", { MENTIONS: ["cyd"] }), false);
  assert.equal(said("ann: hello", null), true);
  assert.equal(said("look here", null), false);
});

test("what was said while the connection was lost is sent again with what goes with it", () => {
  const one = world();
  one.apply({ lost: "gone" });
  one.apply({ typed: "/reply last yes" });
  one.take();
  one.apply({ back: true });
  one.frame({ USERNAME_ACCEPTED: true, USER_LIST: ["ann", "bob"], MESSAGES: [], IDS: [], CAPABILITIES: "ids/1 meta/1", RESUME: "token", RESUMED: true });
  assert.deepEqual(metas(one).filter((meta) => meta !== undefined), [[{ REPLY: 5 }]]);
});
