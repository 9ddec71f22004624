// What goes with messages: replies and mentions (MT-1 to MT-4).

import assert from "node:assert/strict";
import { test } from "node:test";

import { mentioning, named } from "../../../page/state/reply.js";
import { Timeline } from "../../../page/state/timeline.js";
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
  for (const rest of ["", "last", "last  ", "@cyd no", "first no", "0 no", "000 no", "9007199254740992 no", "18446744073709551616 no", `${"9".repeat(400)} no`]) {
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

test("a number that no message has is answered with how a reply is typed", () => {
  const one = world();
  one.apply({ typed: "/reply 0 hi" });
  assert.match(one.said("ALL").at(-1), /it takes what is answered/);
  one.apply({ typed: "/reply @cyd hi" });
  assert.match(one.said("ALL").at(-1), /not loaded here/);
  one.apply({ typed: "/reply 9007199254740991 hi" });
  assert.deepEqual(metas(one), [[{ REPLY: 9_007_199_254_740_991 }]]);
});

test("what goes with a message is no longer than the server takes", () => {
  const bytes = (meta) => new TextEncoder().encode(JSON.stringify(meta)).length;
  const names = Array.from({ length: 19 }, (_, at) => `${"語".repeat(60)}${at + 10}`);
  const one = world({ USER_LIST: ["ann", "bob", ...names] });
  one.apply({ typed: `/reply 5 @${names.join(" @")} @bob` });
  const [[meta]] = metas(one);
  const { length } = meta.MENTIONS;
  assert.equal(meta.REPLY, 5);
  assert.deepEqual(meta.MENTIONS, [...names.slice(0, length - 1), "bob"], "as many as fit, in their order, and a short one behind them");
  assert.ok(bytes(meta) <= 2048 && bytes({ ...meta, MENTIONS: [...meta.MENTIONS, names.at(-1)] }) > 2048, `${bytes(meta)}`);
  assert.deepEqual(mentioning({ REPLY: 5 }, ["x".repeat(3000)]), { REPLY: 5 });
});

test("what goes with a message counts for the bound of a frame", () => {
  const one = world({ LIMITS: { FRAME: 150 }, USER_LIST: ["ann", "n".repeat(60)] });
  one.apply({ say: "n".repeat(60) });
  assert.deepEqual(metas(one), [undefined]);
  const effects = one.apply({ say: `@${"n".repeat(60)}` });
  assert.deepEqual(one.sent, []);
  assert.ok(effects.some((effect) => "restore" in effect));
  one.again();
  assert.equal(one.sent.filter((frame) => frame.MESSAGES !== undefined).length, 1, "it is not sent on the next connection either");
});

test("what goes with messages counts where they share a frame", () => {
  const names = Array.from({ length: 10 }, (_, at) => `${"n".repeat(90)}${at}`);
  const one = world({ USER_LIST: ["ann", ...names] });
  one.apply({ lost: "gone" });
  for (let at = 0; at < 8; at += 1) one.apply({ say: `@${names.join(" @")}` });
  one.take();
  one.again();
  const frames = one.sent.filter((frame) => frame.MESSAGES !== undefined);
  assert.deepEqual(frames.map((frame) => frame.META.length), [2, 2, 2, 2]);
});

test("messages that share a frame fit the server's bound together", () => {
  const one = world({ LIMITS: { FRAME: 1000 } });
  one.apply({ lost: "gone" });
  for (let at = 0; at < 4; at += 1) one.apply({ say: "x".repeat(400) });
  one.take();
  one.again({ LIMITS: { FRAME: 1000 } });
  const frames = one.sent.filter((frame) => frame.MESSAGES !== undefined);
  assert.equal(frames.length, 4);
  assert.ok(frames.every((frame) => JSON.stringify(frame).length <= 1000));
});

test("a message is found by its number as long as it is there", () => {
  const timeline = new Timeline();
  const message = (id, text = "x") => ({ kind: "message", key: text === "x" ? id : 100 + id, from: "bob", lines: [text], id });
  const texts = () => [1, 2, 3, 4].map((id) => timeline.withId(id)?.lines[0] ?? null);
  for (const id of [1, 2, 3]) timeline.insert(message(id), "end");
  timeline.push({ ...message(null, "own"), key: 50 });
  assert.deepEqual(texts(), ["x", "x", "x", null]);
  timeline.number(50, 4);
  timeline.change(2, (item) => ({ ...item, lines: ["changed"] }));
  assert.deepEqual(texts(), ["x", "changed", "x", "own"]);
  timeline.remove(0);
  assert.deepEqual(texts(), [null, "changed", "x", "own"]);
  timeline.clear(2);
  assert.deepEqual(texts(), [null, null, "x", "own"]);
  // Another history counts from 1 again.
  timeline.pushHole(60);
  timeline.insert(message(3, "other"), "end");
  assert.deepEqual(texts(), [null, null, "other", "own"]);
  timeline.remove(timeline.place(3));
  assert.deepEqual(texts(), [null, null, "other", "own"]);
});

test("what was cleared is not quoted any more", () => {
  const one = world({ ROOMS: [{ ...LAB, LAST: 9 }] });
  one.apply({ open: "#lab" });
  one.frame({ MESSAGES: [["bob", "#lab", 2, "a"], ["bob", "#lab", 2, "b"]], IDS: [10, 11] });
  one.frame({ ROOMS: [{ ROOM: "#lab", NUMBER: 12, FLOOR: 10 }] });
  one.frame({ MESSAGES: [["bob", "#lab", 2, "c"], ["bob", "#lab", 2, "d"]], IDS: [12, 13], META: [{ REPLY: 10 }, { REPLY: 11 }] });
  const replies = one.at("#lab").items.slice(-2).map(({ reply }) => reply.text);
  assert.deepEqual(replies, [null, "b"]);
});

test("a reply shows nothing of another conversation", () => {
  const one = world();
  one.frame({ MESSAGES: [["bob", "ann", 2, "a secret"]], IDS: [6] });
  one.frame({ MESSAGES: [["bob", "ALL", 2, "x"], ["bob", "ann", 2, "x"]], IDS: [7, 8], META: [{ REPLY: 6 }, { REPLY: 6 }] });
  assert.deepEqual([last(one).reply.text, last(one, "@bob").reply.text], [null, "a secret"]);
});

test("the level allows to mention everybody as soon as it is told", () => {
  const commands = ["elevate", "perm", "set-perm", "list"].map((NAME) => ({ NAME, ARGUMENTS: [] }));
  const one = new World().join({ ACCOUNT: { LEVEL: 1 }, ROOMS: [LAB] }, commands);
  const isAllowed = (say, target) => {
    one.apply({ open: target });
    one.take();
    one.apply({ say });
    return metas(one)[0] !== undefined;
  };
  const table = [
    ["list", true, { LEVEL: 5 }, false],
    ["elevate", false, { LEVEL: 5 }, false],
    ["perm", true, { NAME: "bob", LEVEL: 5 }, false],
    ["set-perm", true, { NAME: "ann", LEVEL: 4, ROOM: "#lab" }, false],
    ["elevate", true, { LEVEL: 5 }, true],
    ["set-perm", true, { NAME: "Ann", LEVEL: 2 }, false],
    ["perm", true, { NAME: "ann", LEVEL: 3, ROOM: null }, true],
    ["elevate", true, { LEVEL: 300 }, true],
    ["perm", true, { NAME: "ann", LEVEL: 1 }, false],
  ];
  for (const [command, OK, DATA, expected] of table) {
    one.take();
    one.apply({ typed: `/${command}` });
    const { ID } = one.take()[0].COMMAND;
    one.frame({ RESULT: { ID, OK, CODE: "x", INFO: "x", DATA } });
    assert.equal(isAllowed("hello @ALL", "ALL"), expected, `${command} ${JSON.stringify(DATA)}`);
  }
  for (const LEVEL of [3, 2]) {
    one.frame({ ROOMS: [{ ROOM: "#lab", NUMBER: 12, LEVEL }] });
    assert.equal(isAllowed("hello @ALL", "#lab"), LEVEL === 3);
    assert.equal(isAllowed("hello @ALL", "ALL"), false);
  }
  one.frame({ ROOMS: [{ ROOM: "#lab", NUMBER: 12, LEVEL: 3 }] });
  // A server that has no accounts any more says nothing of a level.
  one.again({ ACCOUNT: { LEVEL: 3 } });
  one.again({ CAPABILITIES: "ids/1 meta/1" });
  assert.equal(isAllowed("hello @ALL", "ALL"), false);
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
