// What the menus, dialogs, the palette, the keys and the notifications decide, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { find, FOUND as HITS } from "../../page/find.js";
import { asks, collected, isSettled, kindOf } from "../../page/form.js";
import { FOUND, search } from "../../page/fuzzy.js";
import { actionFor, ACTIONS, neighbour, written } from "../../page/keys.js";
import { decide, MOST, titleOf, words } from "../../page/notify.js";
import { PAUSE, Sentences } from "../../page/sentences.js";
import { defaults, isHintAnswered, keepHintAnswered, load, save, SETTINGS, validated } from "../../page/settings.js";
import { menuFor } from "../../page/state/menu.js";

const argument = (name, type, more = {}) => ({ name, type, optional: false, rest: false, help: "", values: [], ...more });
const command = (name, ...list) => ({ name, aliases: [], help: "", example: "", level: 0, confirm: false, demo: false, arguments: list });

test("settings: what is read is checked, value by value", () => {
  assert.deepEqual(validated({ theme: "dark", times: 12, sounds: "true", __proto__: { size: "huge" }, other: 1 }), { ...defaults(), theme: "dark" });
  for (const strange of [null, 1, "x", [], undefined]) assert.deepEqual(validated(strange), defaults());
  assert.equal(defaults().sounds, false);
  assert.equal(defaults().notifications, "off");
  for (const { name, choices } of SETTINGS) {
    for (const { value } of choices) assert.equal(validated({ [name]: value })[name], value);
  }
});

test("settings: without storage they hold, and the hint is not shown for ever", () => {
  const forbidden = () => { throw new Error("SecurityError"); };
  assert.deepEqual(load(forbidden), defaults());
  save(forbidden, defaults());
  keepHintAnswered(forbidden);
  assert.equal(isHintAnswered(forbidden), true);
  const map = new Map();
  const storage = () => ({ getItem: (key) => map.get(key) ?? null, setItem: (key, value) => map.set(key, value) });
  assert.equal(isHintAnswered(storage), false);
  keepHintAnswered(storage);
  assert.equal(isHintAnswered(storage), true);
  save(storage, { ...defaults(), size: "large" });
  assert.equal(load(storage).size, "large");
  map.set("chatterbox.settings", "{");
  assert.deepEqual(load(storage), defaults());
});

test("keys: no key means two things in one place, and each is written as an event is", () => {
  for (const typing of [true, false]) {
    const there = ACTIONS.filter((one) => one.where === "page" || (one.where === "outside" && !typing));
    const keys = there.flatMap((one) => one.keys);
    assert.equal(new Set(keys).size, keys.length);
  }
  const event = (key, more = {}) => ({ key, code: "", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  assert.equal(written(event("k", { ctrlKey: true })), "Ctrl-K");
  assert.equal(written(event("k", { metaKey: true })), "Ctrl-K");
  assert.equal(written(event("ArrowUp", { altKey: true })), "Alt-Up");
  assert.equal(written(event("å", { altKey: true, code: "KeyA" })), "Alt-A");
  assert.equal(written(event("/", { ctrlKey: true, shiftKey: true })), "Ctrl-/");
  assert.equal(written(event("?", { shiftKey: true })), "?");
  assert.equal(written(event("K", { ctrlKey: true, shiftKey: true })), "Ctrl-Shift-K");
  const outside = { typing: false, dialog: false };
  assert.equal(actionFor("?", outside), "help");
  assert.equal(actionFor("?", { typing: true, dialog: false }), null, "letters always type");
  assert.equal(actionFor("Ctrl-K", { typing: true, dialog: false }), "go-to");
  assert.equal(actionFor("Ctrl-K", { typing: false, dialog: true }), null, "a dialog has its keys to itself");
  for (const pressed of ["Enter", "Tab", "Escape", "Up", "A", "Ctrl-F", "Menu"]) assert.equal(actionFor(pressed, outside), null, pressed);
});

test("keys: the neighbours of a conversation go round", () => {
  const view = { front: "#b", conversations: [{ target: "ALL" }, { target: "#b" }] };
  assert.equal(neighbour(view, 1), "ALL");
  assert.equal(neighbour(view, -1), "ALL");
  assert.equal(neighbour({ ...view, front: "ALL" }, 1), "#b");
  assert.equal(neighbour({ ...view, conversations: [] }, 1), null);
});

test("a form asks for what the subject does not say, and each argument in its way", () => {
  const kick = command("kick", argument("user", "user"), argument("--silent", "text", { optional: true, values: ["--silent"] }), argument("reason", "text", { optional: true, rest: true }));
  assert.deepEqual(kick.arguments.map(kindOf), ["user", "flag", "lines"]);
  assert.equal(kindOf(argument("x", "tea")), "text", "an unknown type is text");
  assert.equal(kindOf(argument("x", "text", { values: ["on", "off"] })), "choice");
  assert.equal(kindOf(argument("x", "secret", { values: ["a"], optional: true })), "secret");
  assert.equal(asks(kick, ["bob", null, null]), true);
  assert.equal(asks(command("back"), []), false);
  // The server asks before it does what can't be undone.
  assert.equal(asks({ ...command("delete-room", argument("room", "room")), confirm: true }, ["#lab"]), false);
  assert.deepEqual(collected(kick, ["bob", "", " too  loud "]), ["bob", "too  loud"]);
  assert.deepEqual(collected(command("block", argument("users", "users")), [" eve,  mallory "]), ["eve", "mallory"]);
});

test("a secret that was left out leaves no place that the next one takes", () => {
  const passwd = command("passwd", argument("old", "secret", { optional: true }), argument("new", "secret", { optional: true }));
  assert.deepEqual(collected(passwd, ["", "new one"]), []);
  assert.deepEqual(collected(passwd, ["old", ""]), ["old"]);
  assert.deepEqual(collected(passwd, [" old ", "new "]), [" old ", "new "]);
});

test("the palette finds by beginnings, words, aliases and letters in order, the best one first", () => {
  const found = (all, typed) => search(all, typed, (one) => one).map(([name]) => name);
  const all = [["unmute"], ["mute"], ["banned-users", "shows who is muted"], ["elevate", "makes you an admin for this session"], ["zoë"], ["ＦＵＬＬ"]];
  assert.deepEqual(found(all, "mu"), ["mute", "banned-users", "unmute"]);
  assert.deepEqual(found(all, "BU"), ["banned-users"]);
  assert.deepEqual(found(all, "ZOE\u0308"), ["zoë"]);
  assert.deepEqual(found(all, "full"), ["ＦＵＬＬ"]);
  assert.deepEqual(found(all, "xyz"), []);
  assert.equal(search(Array(500).fill(["same"]), "", (one) => one).length, FOUND);
  assert.equal(search(Array(500).fill(["same"]), "s", (one) => one).length, FOUND);
  assert.deepEqual(found([["a".repeat(100_000)]], "a".repeat(100_000)), ["a".repeat(100_000)]);
});

test("search: all words, in the text or the name, the newest first, so many at most", () => {
  const message = (key, from, ...lines) => ({ kind: "message", key, from, lines, time: key, own: false });
  const lab = { target: "#lab", title: "#lab", items: [message(1, "bob", "Red shelf"), { kind: "hole", key: 2 }, message(3, "ann", "x", "the RED one"), message(4, "red", "no")] };
  const lobby = { target: "ALL", title: "lobby", items: [message(2, "cyd", "red")] };
  assert.deepEqual(find([lab], "red").map((one) => one.key), [4, 3, 1]);
  assert.deepEqual(find([lab], "red  SHELF bob").map((one) => one.key), [1]);
  assert.equal(find([lab], "red one")[0].line, "the RED one");
  assert.deepEqual(find([lab, lobby], "red").map((one) => one.key), [4, 3, 2, 1]);
  assert.deepEqual(find([lab], " "), []);
  const many = { ...lab, items: Array.from({ length: 5000 }, (_, key) => message(key, "a", "red")) };
  assert.equal(find([many, { ...many, target: "#b" }], "red").length, HITS);
});

test("notifications: only hidden pages, only if wanted and allowed, never a flood", () => {
  const settings = { ...defaults(), notifications: "names" };
  const now = { hidden: true, permission: "granted", recent: 0 };
  assert.equal(decide(settings, now).notification, true);
  assert.equal(decide(settings, { ...now, hidden: false }).notification, false);
  assert.equal(decide(settings, { ...now, permission: "denied" }).notification, false);
  assert.equal(decide(settings, { ...now, recent: MOST }).notification, false);
  assert.deepEqual(decide(defaults(), now), { notification: false, tone: false, hint: false });
  assert.equal(decide(defaults(), { ...now, permission: "default" }).hint, true);
  assert.equal(decide(settings, { ...now, permission: "default" }).hint, false);
  assert.equal(decide({ ...settings, sounds: true }, { ...now, hidden: false }).tone, true);
  assert.equal(decide({ ...settings, sounds: true }, { ...now, recent: MOST }).tone, false);
  const alert = { target: "#lab", from: "bob", text: "ann: 👩‍💻 ".repeat(100), key: 1 };
  assert.deepEqual(words(settings, alert), { title: "bob names you in #lab", body: "" });
  assert.equal([...words({ ...settings, notifications: "text" }, alert).body].length, 200);
  assert.equal(words(settings, { ...alert, target: "@bob" }).title, "bob writes to you");
});

test("the title says what is new, mentions before everything else", () => {
  const view = { phase: { is: "in" }, server: { name: "" }, front: "#lab", conversations: [{ target: "#lab", title: "#lab" }], totals: { unread: 5, mentions: 3 } };
  assert.equal(titleOf(view), "(3!) #lab – Chatterbox");
  assert.equal(titleOf({ ...view, totals: { unread: 5, mentions: 0 } }), "(5) #lab – Chatterbox");
  assert.equal(titleOf({ ...view, totals: { unread: 0, mentions: 0 }, server: { name: "Lab" } }), "#lab – Lab");
  assert.equal(titleOf({ ...view, phase: { is: "lost", why: "", retry: null } }), "Not connected – Chatterbox");
  assert.equal(titleOf({ ...view, conversations: [] }), "Chatterbox");
});

test("at most one sentence a second is said, then how many there were", () => {
  const sentences = new Sentences();
  assert.equal(sentences.wait(0), null);
  sentences.message("bob: hi");
  assert.equal(sentences.take(0), "bob: hi");
  sentences.message("bob: a");
  assert.equal(sentences.take(PAUSE - 1), null);
  assert.equal(sentences.wait(PAUSE - 1), 1);
  assert.equal(sentences.take(PAUSE), "bob: a");
  for (const text of ["b", "c", "d"]) sentences.message(text);
  sentences.messages(2);
  assert.equal(sentences.take(2 * PAUSE), "5 new messages");
  assert.equal(sentences.wait(3 * PAUSE), null);
  sentences.message("lost with the switch");
  sentences.say("Room #lab");
  assert.equal(sentences.take(4 * PAUSE), "Room #lab");
  assert.equal(sentences.wait(5 * PAUSE), null);
  sentences.message("x".repeat(10_000));
  assert.equal(sentences.take(6 * PAUSE).length, 300);
});

test("menus: by the types of the first arguments, with what the subject says of all of them", () => {
  const user = argument("user", "user");
  const room = argument("room", "room");
  const commands = [
    command("kick", user),
    command("ban", argument("user", "text")),
    command("block", argument("users", "users")),
    command("topic", { ...room, optional: true }, argument("text", "text", { rest: true })),
    command("kick-from", room, user),
    command("mute", user, argument("duration", "duration", { optional: true }), { ...room, optional: true }),
    command("report", user, argument("id", "integer", { optional: true })),
    command("nick", argument("name", "text")),
    { ...command("demo", user), demo: true },
    command("back"),
  ];
  const items = [{ kind: "message", key: 7, id: 99, from: "bob", own: false, lines: ["x"] }];
  const view = { commands, people: [{ name: "bob", target: "@bob" }], conversations: [{ target: "#lab", items }] };
  const names = (subject) => menuFor(view, subject).map((entry) => entry.command.name).sort();
  const given = (subject, name) => menuFor(view, subject).find((entry) => entry.command.name === name)?.given;
  assert.deepEqual(names({ is: "user", name: "bob", room: null }), ["ban", "block", "kick", "mute", "report"]);
  assert.deepEqual(names({ is: "user", name: "bob", room: "#lab" }), ["ban", "block", "kick", "kick-from", "mute", "report"]);
  assert.deepEqual(names({ is: "conversation", target: "#lab" }), ["kick-from", "topic"]);
  assert.deepEqual(names({ is: "conversation", target: "@bob" }), ["ban", "block", "kick", "mute", "report"]);
  assert.deepEqual(given({ is: "user", name: "bob", room: "#lab" }, "kick-from"), ["#lab", "bob"]);
  assert.deepEqual(given({ is: "user", name: "bob", room: "#lab" }, "mute"), ["bob", null, "#lab"]);
  assert.deepEqual(given({ is: "conversation", target: "#lab" }, "kick-from"), ["#lab", null]);
  assert.deepEqual(given({ is: "message", target: "#lab", key: 7 }, "report"), ["bob", "99"]);
});

test("a form settles what it is about, and only proposes what may be left out", () => {
  const mute = command("mute", argument("user", "user"), argument("room", "room", { optional: true }));
  assert.equal(isSettled(mute, ["bob", "#lab"], 0), true);
  assert.equal(isSettled(mute, ["bob", "#lab"], 1), false);
  assert.equal(asks(mute, ["bob", "#lab"]), true);
  assert.equal(asks(command("leave", argument("room", "room", { optional: true })), ["#lab"]), false);
});
