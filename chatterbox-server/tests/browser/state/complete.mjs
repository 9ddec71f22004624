// Completion and menus, from a catalogue, the people and the rooms.

import assert from "node:assert/strict";
import { test } from "node:test";

import { begun, complete } from "../../../page/state/complete.js";
import { menuFor } from "../../../page/state/menu.js";
import { World, room } from "./world.mjs";

const argument = (NAME, TYPE, more = {}) => ({ NAME, TYPE, OPTIONAL: false, REST: false, ...more });
const optional = (NAME, TYPE, more = {}) => argument(NAME, TYPE, { OPTIONAL: true, ...more });
const COMMANDS = [
  { NAME: "kick", HELP: "Puts somebody out.", LEVEL: 2, ARGUMENTS: [argument("user", "user", { HELP: "who has to go" }), optional("--silent", "text", { VALUES: ["--silent"] }), optional("reason", "text", { REST: true })] },
  { NAME: "mute", LEVEL: 3, ARGUMENTS: [argument("user", "user"), optional("duration", "duration"), optional("room", "room"), optional("reason", "text", { REST: true })] },
  { NAME: "topic", LEVEL: 2, ARGUMENTS: [optional("room", "room"), argument("text", "text", { REST: true })] },
  { NAME: "join", ALIASES: ["j", "enter"], LEVEL: 0, ARGUMENTS: [argument("room", "room"), optional("password", "secret")] },
  { NAME: "block", LEVEL: 0, ARGUMENTS: [argument("users", "users")] },
  { NAME: "report", LEVEL: 0, ARGUMENTS: [argument("user", "user"), optional("id", "integer"), optional("reason", "text", { REST: true })] },
  { NAME: "passwd", LEVEL: 1, ARGUMENTS: [argument("old", "secret"), argument("new", "secret")] },
  { NAME: "delete-room", CONFIRM: true, LEVEL: 4, ARGUMENTS: [argument("room", "room")] },
  { NAME: "repeat", DEMO: true, ARGUMENTS: [argument("user", "user")] },
  { NAME: "back", ARGUMENTS: [] },
];

function world() {
  const one = new World().join(
    { USER_LIST: ["ann", "bob", "Bea", "cyd", "a b", "x\u202e"], ROOMS: [room("#lab", 12, { TOPIC: "exercise 3" }), room("#lunch", 13)], PRESENCE: { Bea: { SINCE: 1, AWAY: "lunch" } } },
    COMMANDS,
  );
  one.frame({ MESSAGES: [["bob", "ALL", 1, "hi"], ["Bea", "ALL", 2, "hi"]], IDS: [1, 2] });
  return one;
}

/** The texts of the candidates for the word at the `|`. */
function candidates(text, asked = true, one = world()) {
  const caret = text.indexOf("|");
  return complete(one.view, text.replace("|", ""), caret, asked).candidates.map((candidate) => candidate.text);
}

test("Tab inserts what is certain among several candidates", () => {
  const of = (text, ...texts) => begun({ from: 0, to: text.length, candidates: texts.map((one) => ({ text: one })) }, text);
  assert.deepEqual(of("/inv", "/invite ", "/uninvite "), { candidate: { text: "/invite " } });
  assert.deepEqual(of("/INV", "/invite ", "/invites "), { common: "/invite" });
  assert.equal(of("/invite", "/invite ", "/invites "), null);
  assert.equal(of("/k", "/kick ", "/Ki ck", "/k"), null);
  assert.equal(of("", "a", "ab"), null);
  assert.equal(of("x", "a", "ab"), null);
  assert.equal(of("@", "@\u{1f600} ", "@\u{1f601} "), null, "no half of a character");
});

test("a word becomes what it can mean in its place", () => {
  const table = [
    ["/ki|", ["/kick "]],
    ["/KI|", ["/kick "]],
    ["/j|", ["/join "]],
    ["/ent|", ["/join "]],
    ["/oin|", ["/join "]],
    ["/in|", []],
    ["/bac|", ["/back"]],
    ["/rep|", ["/repeat ", "/reply ", "/report "]],
    ["/room |", ["#lab", "#lunch", "ALL", "@Bea", "@bob", "@cyd"]],
    ["/kick b|", ["Bea ", "bob "]],
    ["/kick BOB|", ["bob "]],
    ["/kick @b|", ["@Bea ", "@bob "]],
    ["/kick bob --|", ["--silent "]],
    ["/mute bob 1|", ["1s ", "1m ", "1h ", "1d "]],
    ["/mute bob 10|", ["10s ", "10m ", "10h ", "10d "]],
    ["/mute bob f|", ["forever "]],
    ["/mute bob #l|", ["#lab ", "#lunch "]],
    ["/mute bob 10m #lu|", ["#lunch "]],
    ["/block bob c|", ["cyd "]],
    ["/topic #la|", ["#lab "]],
    ["/join la|", ["#lab "]],
    ["/join #lab l|", []],
    ["/help ki|", ["kick"]],
    ["@b|", ["@Bea ", "@bob "]],
    ["@A|", ["@ALL "]],
    ["hello @c|", ["@cyd "]],
    ["bo|", ["bob: "]],
    ["hello bo|", ["bob "]],
    ["#l|", ["#lab ", "#lunch "]],
    ["hello #lun| there", ["#lunch"]],
    ["//ki|", []],
    ["x|", []],
    ["a|", []],
    ["|", []],
  ];
  for (const [text, expected] of table) assert.deepEqual(candidates(text), expected, text);
});

test("what is offered without asking are names behind their sign", () => {
  for (const [text, expected] of [["bo|", []], ["@bo|", ["@bob "]], ["/kick bo|", ["bob "]], ["/kick bob bo|", []], ["#lu|", ["#lunch "]]]) {
    assert.deepEqual(candidates(text, false), expected, text);
  }
});

test("a name that can't be typed or shown as it is, is none", () => {
  assert.deepEqual(candidates("/kick a|"), []);
  assert.deepEqual(candidates("/kick x|"), []);
});

test("the argument at the caret is explained", () => {
  const at = (text) => {
    const { usage, about } = complete(world().view, text, text.length, true);
    return [usage && [usage.name, ...usage.arguments.map((one) => (one.current ? `>${one.text}` : one.text))].join(" "), about];
  };
  assert.deepEqual(at("/kick "), ["/kick >USER [--silent] [REASON...]", ["USER: who has to go"]]);
  assert.deepEqual(at("/kick bob "), ["/kick USER >[--silent] [REASON...]", ["one of --silent"]]);
  assert.deepEqual(at("/kick bob he"), ["/kick USER [--silent] >[REASON...]", []]);
  assert.deepEqual(at("/mute bob "), ["/mute USER >[DURATION] [ROOM] [REASON...]", ["30s, 10m, 2h, 7d or forever"].map((help) => `DURATION: ${help}`)]);
  assert.deepEqual(at("/back "), ["/back", [""]]);
  assert.deepEqual(at("/nothing "), [null, []]);
});

test("where a secret begins is told, behind a command that is mistyped as well", () => {
  const secret = (text) => complete(world().view, text, text.length, false).secret;
  for (const [text, place] of [
    ["/passwd", null],
    ["/passwd ", 8],
    ["/passwd  hunter2", 9],
    ["/passswd hunter2", 9],
    ["/join #lab", null],
    ["/join #lab hunter2", 11],
    ["/kick bob", null],
    ["passwd hunter2", null],
  ]) {
    assert.equal(secret(text), place, text);
  }
});

test("the menu of a user has the commands about users, that of a room those about rooms", () => {
  const one = world();
  one.apply({ open: "#lab" });
  one.frame({ MESSAGES: [["bob", "#lab", 3, "spam"]], IDS: [77] });
  const { view } = one;
  const menu = (subject) => menuFor(view, subject).map(({ command, given }) => [command.name, ...given]);
  assert.deepEqual(menu({ is: "user", name: "bob", room: "#lab" }), [
    ["block", "bob"],
    ["report", "bob", null, null],
    ["kick", "bob", null, null],
    ["mute", "bob", null, "#lab", null],
  ]);
  assert.deepEqual(menu({ is: "conversation", target: "@bob" })[3], ["mute", "bob", null, null, null]);
  assert.deepEqual(menu({ is: "conversation", target: "#lab" }), [
    ["join", "#lab", null],
    ["topic", "#lab", null],
    ["delete-room", "#lab"],
  ]);
  const { key } = one.at("#lab").items.at(-1);
  assert.deepEqual(menu({ is: "message", target: "#lab", key })[1], ["report", "bob", "77", null]);
  assert.deepEqual(menu({ is: "message", target: "#lab", key: 99_999 }), []);
});
