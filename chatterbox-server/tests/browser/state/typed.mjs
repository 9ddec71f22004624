// What is typed: where it goes, what is kept back, and what waits.

import assert from "node:assert/strict";
import { test } from "node:test";

import { World, room } from "./world.mjs";

const argument = (NAME, TYPE, more = {}) => ({ NAME, TYPE, OPTIONAL: false, REST: false, ...more });
const COMMANDS = [
  { NAME: "msg", ALIASES: ["dm"], ARGUMENTS: [argument("user", "user"), argument("text", "text", { REST: true })] },
  { NAME: "join", ARGUMENTS: [argument("room", "room"), argument("password", "secret", { OPTIONAL: true })] },
  { NAME: "topic", ARGUMENTS: [argument("room", "room", { OPTIONAL: true }), argument("text", "text", { REST: true })] },
  { NAME: "passwd", ARGUMENTS: [argument("old", "secret"), argument("new", "secret")] },
  { NAME: "set-perm", ARGUMENTS: [argument("user", "user"), argument("level", "integer"), argument("room", "room", { OPTIONAL: true })] },
  {
    NAME: "mute",
    ARGUMENTS: [argument("user", "user"), argument("duration", "duration", { OPTIONAL: true }), argument("room", "room", { OPTIONAL: true }), argument("reason", "text", { OPTIONAL: true, REST: true })],
  },
];

function world() {
  return new World().join({ ROOMS: [room("#lab", 12)] }, COMMANDS);
}

/** Where a message of one text went, and with which text. */
function messages(sent) {
  return sent.flatMap((frame) => frame.MESSAGES ?? []).map(([, to, , text]) => [to, text]);
}

test("a text goes where it says, and else where the user is", () => {
  const table = [
    ["hello", "ALL", "hello"],
    ["  kept  ", "ALL", "  kept  "],
    ["@bob psst", "bob", "psst"],
    ["@BOB psst", "BOB", "psst"],
    ["@ALL to all", "ALL", "to all"],
    ["#LAB two", "#lab", "two"],
    ["//not a command", "ALL", "/not a command"],
    ["@@bob", "ALL", "@bob"],
    ["##lab", "ALL", "#lab"],
    ["# a heading", "ALL", "# a heading"],
    ["#", "ALL", "#"],
    ["@bob one\ntwo", "bob", "one\ntwo"],
    ["one\n/two", "ALL", "one\n/two"],
    ["/* no command */\nint main()", "ALL", "/* no command */\nint main()"],
  ];
  for (const [typed, to, text] of table) {
    const one = world();
    one.apply({ typed });
    assert.deepEqual(messages(one.sent), [[to, text]], JSON.stringify(typed));
  }
});

test("what can't go anywhere comes back, and says why", () => {
  const table = ["@bob", "@bob  ", "#nowhere text", "/nothing", "/msg bob", "/set-perm bob high", "/msg bob one\ntwo", "  /passwd old new", "a\n/passwd old new"];
  for (const typed of table) {
    const one = world();
    one.apply({ typed });
    assert.deepEqual(one.sent, [], JSON.stringify(typed));
    assert.ok(one.effects.some((effect) => effect.restore === typed), JSON.stringify(typed));
    assert.match(one.said("ALL").at(-1), /^\* Nothing was sent: /, JSON.stringify(typed));
  }
  const one = world();
  one.apply({ typed: " \n " });
  assert.deepEqual(one.effects, []);
});

test("of a command that is mistyped the nearest is named, and a guest is told that an account has more", () => {
  const said = (one, typed) => {
    one.apply({ typed });
    assert.deepEqual(one.sent, []);
    return one.said("ALL").at(-1);
  };
  assert.match(said(world(), "/tpic x"), /no command \/tpic \(did you mean \/topic\?\)/);
  assert.match(said(world(), "/hlep"), /did you mean \/help\?/);
  assert.match(said(world(), "/create-room x"), /no command \/create-room\.$/);
  const guest = new World().join({}, [...COMMANDS, { NAME: "register", ARGUMENTS: [] }]);
  assert.match(said(guest, "/create-room x"), /as a guest \(\/register makes an account\)/);
});

test("/history is this page's own, whatever the server calls so", () => {
  const one = new World().join({ MORE: true, MESSAGES: [["bob", "ALL", 1, "m7"]], IDS: [7] }, [{ NAME: "command-history", ALIASES: ["history"], ARGUMENTS: [] }]);
  one.apply({ typed: "/history" });
  assert.deepEqual(one.take(), [{ HISTORY: { WITH: "ALL", BEFORE: 7, LIMIT: 100 } }]);
  one.frame({ HISTORY: { WITH: "ALL", MESSAGES: [], IDS: [], MORE: false } });
  one.apply({ typed: "/history" });
  assert.deepEqual(one.take(), []);
  assert.match(one.said("ALL").at(-1), /nothing older/);
  one.apply({ typed: "/command-history" });
  assert.equal(one.take()[0].COMMAND.NAME, "command-history");
});

test("commands are called as the catalogue says", () => {
  const table = [
    ["/msg bob  see you  at five ", "msg", ["bob", "see you  at five"]],
    ["/DM @bob x", "msg", ["bob", "x"]],
    ["/topic a new one", "topic", ["ALL", "a new one"]],
    ["/topic #lab a new one", "topic", ["#lab", "a new one"]],
    ["/set-perm bob 3", "set-perm", ["bob", "3"]],
    ["/mute eve", "mute", ["eve"]],
    ["/mute eve 10m too loud", "mute", ["eve", "10m", "too loud"]],
    ["/mute eve too loud", "mute", ["eve", "too loud"]],
    ["/join lab more", "join", ["lab", "more"]],
  ];
  for (const [typed, name, values] of table) {
    const one = world();
    one.apply({ typed });
    assert.deepEqual(one.sent, [{ COMMAND: { ID: "1", NAME: name, ARGS: values } }], typed);
  }
  const one = world();
  one.apply({ open: "#lab" });
  one.apply({ typed: "/mute eve too loud" });
  one.apply({ typed: "/set-perm bob 3" });
  assert.deepEqual(one.sent.map(({ COMMAND }) => COMMAND.ARGS), [["eve", "#lab", "too loud"], ["bob", "3", "#lab"]]);
});

test("a server's prefix is taken unless ordinary text could begin with it", () => {
  for (const [prefix, used] of [["", "/"], ["@", "/"], ["#", "/"], ["a", "/"], [" ", "/"], ["!", "!"], ["\u202e", "/"], ["!".repeat(99), "/"]]) {
    const one = world();
    one.frame({ PREFIX: prefix });
    assert.equal(one.view.prefix, used, JSON.stringify(prefix));
  }
  const one = world();
  one.frame({ PREFIX: "!" });
  one.apply({ typed: "!msg bob x" });
  one.apply({ typed: "!!x" });
  one.apply({ typed: "/msg bob y" });
  assert.deepEqual(one.sent.map((frame) => frame.COMMAND?.ARGS ?? frame.MESSAGES[0][3]), [["bob", "x"], "!x", ["bob", "y"]]);
});

test("a text that may be the secret that was not asked for yet is not said", () => {
  const one = world();
  one.apply({ typed: "/passwd" });
  one.take();
  one.apply({ typed: "hunter2" });
  assert.deepEqual(one.effects, [], "neither sent nor given back to where it can be seen");
  one.frame({ PROMPT: { ID: "1", TEXT: "old:", SECRET: true } });
  assert.deepEqual([one.view.question.text, one.view.question.secret], ["old:", true]);
  one.apply({ typed: "hunter2" });
  assert.deepEqual(one.take(), []);
  one.apply({ answer: "hunter2\n" });
  assert.deepEqual(one.take(), [{ ANSWER: { ID: "1", TEXT: "hunter2" } }]);
  assert.equal(one.view.question, null);
  one.frame({ RESULT: { ID: "1", OK: true, CODE: "ok", INFO: "done" } });
  one.apply({ typed: "hello" });
  assert.deepEqual(messages(one.take()), [["ALL", "hello"]]);
  // The call has ended without asking.
  one.apply({ typed: "/passwd" });
  one.frame({ RESULT: { ID: "2", OK: false, CODE: "throttled", ERROR: "later" } });
  one.take();
  one.apply({ typed: "hunter2" });
  assert.deepEqual(one.take(), []);
  one.apply({ typed: "hello" });
  assert.deepEqual(messages(one.take()), [["ALL", "hello"]]);
});

test("what is typed while the server asks something else comes back, unless it may be a secret", () => {
  for (const secret of [false, true]) {
    const one = world();
    one.frame({ PROMPT: { ID: "1", TEXT: "sure?", SECRET: secret } });
    one.take();
    one.apply({ typed: "hello" });
    assert.deepEqual(one.sent, []);
    assert.equal(one.effects.some((effect) => effect.restore === "hello"), !secret);
  }
});

test("a question is one at a time, is cancelled by nothing, and is over with its command", () => {
  const one = world();
  for (const id of ["a", "b"]) one.frame({ PROMPT: { ID: id, TEXT: `${id}?`, SECRET: false } });
  const { question } = one.view;
  assert.equal(one.view.question, question, "as long as it is the same it is the same object");
  one.apply({ answer: "two\nlines" });
  assert.deepEqual(one.take(), []);
  one.apply({ cancel: true });
  assert.deepEqual(one.take(), [{ ANSWER: { ID: "a", TEXT: null } }]);
  assert.equal(one.view.question.text, "b?");
  one.frame({ RESULT: { ID: "b", OK: false, CODE: "timeout", ERROR: "too late" } });
  assert.equal(one.view.question, null);
  for (let number = 0; number < 1000; number += 1) one.frame({ PROMPT: { ID: `${number}`, TEXT: "?".repeat(9999), SECRET: false } });
  let answers = 0;
  for (; one.view.question !== null; answers += 1) one.apply({ answer: "" });
  assert.equal(answers, 16);
});

test("beyond the window messages wait, and beyond what a server remembers none is taken", () => {
  const one = world();
  for (let number = 1; number <= 300; number += 1) one.apply({ say: `m${number}` });
  const { sent, effects } = one;
  assert.equal(messages(sent).length, 128);
  assert.equal(one.view.waiting, 256);
  assert.deepEqual(effects.filter((effect) => effect.restore).map((effect) => effect.restore).slice(0, 2), ["m257", "m258"]);
  one.take();
  one.frame({ ACKS: Object.fromEntries([...Array(100).keys()].map((number) => [String(number + 1), number + 1000])) });
  assert.deepEqual([messages(one.sent).length, one.view.waiting], [100, 156]);
  one.take();
  one.frame({ REFUSED: { 101: { CODE: "flood", ERROR: "slow down", WAIT: 3 } }, ERROR: "slow down" });
  assert.equal(messages(one.take()).length, 1);
  const refused = one.at("ALL").items.find((item) => item.delivery === "refused");
  assert.deepEqual([refused.lines, refused.why], [["m101"], "slow down (3 s)"]);
  assert.ok(!one.said("ALL").includes("* slow down"), "it is said at the message, and not once more");
});

test("a message above the server's bound is not sent: it would end every connection", () => {
  const one = new World().join({ LIMITS: { FRAME: 200 } });
  one.apply({ say: "ä".repeat(100) });
  assert.deepEqual(one.sent, []);
  one.apply({ say: "fits" });
  assert.deepEqual(messages(one.sent), [["ALL", "fits"]]);
});

test("a text for a room goes to no other room of its name", () => {
  const one = world();
  one.apply({ open: "#lab" });
  one.frame({ ROOMS_LEFT: [{ ROOM: "#lab", NUMBER: 12, CODE: "deleted" }] });
  one.take();
  one.apply({ say: "secret" });
  assert.deepEqual(one.take(), []);
  one.frame({ ROOMS: [room("#lab", 13)] });
  one.apply({ say: "secret" });
  assert.deepEqual(one.take(), []);
  one.apply({ open: "ALL" });
  one.apply({ open: "#lab" });
  one.apply({ say: "hello" });
  assert.deepEqual(messages(one.take()), [["#lab", "hello"]]);
});

test("who asks for a room sees it when they are in, and nobody is taken anywhere else", () => {
  const one = world();
  one.apply({ open: "#talk" });
  assert.deepEqual(one.take(), [{ COMMAND: { ID: "1", NAME: "join", ARGS: ["#talk"] } }]);
  one.frame({ ROOMS: [room("#Talk", 14)], RESULT: { ID: "1", OK: true, CODE: "ok", INFO: "You are in." } });
  assert.equal(one.view.front, "#Talk");
  one.frame({ ROOMS: [room("#other", 15)] });
  assert.equal(one.view.front, "#Talk");
  one.apply({ open: "#closed" });
  one.frame({ RESULT: { ID: "2", OK: false, CODE: "closed", ERROR: "It is closed." } });
  one.frame({ ROOMS: [room("#closed", 16)] });
  assert.equal(one.view.front, "#Talk", "it came later, for another reason");
});
