// A hostile server: nothing that it sends makes the state throw, grow without end, or show what acts on a screen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { complete } from "../../../page/state/complete.js";
import { menuFor } from "../../../page/state/menu.js";
import { readFrame, writeFrame } from "../../../page/wire.js";
import { ALL, NOW, World, room } from "./world.mjs";

/** A generator of numbers: the same ones each time. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const KEYS = [
  "USERNAME_ACCEPTED", "INFO", "ERROR", "USER_LIST", "USERS_JOINED", "USERS_LEFT", "MESSAGES", "IDS", "TIMES", "TAGS", "ACKS", "REFUSED", "HISTORY", "RESUME", "RESUMED", "MORE",
  "CAPABILITIES", "LIMITS", "SERVER", "PING", "PONG", "USERS_RENAMED", "ACCOUNT", "CODE", "UNTIL", "COMMANDS", "PREFIX", "LEVELS", "RESULT", "PROMPT", "NOTICES", "CLOSED",
  "PRESENCE", "ROOMS", "DEFAULT", "ROOMS_LEFT", "ROOM_USERS_JOINED", "ROOM_USERS_LEFT", "META", "FILE", "FILE_CHUNK", "FILE_CREDIT", "FILE_STOP", "__proto__", "constructor", "toString",
];
const INNER = [
  "WITH", "MESSAGES", "IDS", "TIMES", "MORE", "CODE", "INFO", "ERROR", "ID", "OK", "DATA", "TEXT", "SECRET", "NAME", "ARGUMENTS", "ALIASES", "TYPE", "VALUES", "HELP", "ROOM", "NUMBER",
  "USERS", "STAFF", "TOPIC", "COUNT", "LAST", "FLOOR", "GAP", "ROSTER", "FLAGS", "LEVEL", "TOKEN", "AWAY", "SINCE", "RETRY", "WAIT", "COLUMNS", "ROWS", "#lab", "bob", "__proto__", "hasOwnProperty", "1", "2",
  "FILE", "AT", "CREDIT", "SIZE", "SHA256", "UPTO", "DONE", "SPACE", "OF", "LEFT", "MOST",
];
const TEXTS = ["", "ann", "bob", "ALL", "SERVER", "#lab", "#", "@", "__proto__", "constructor", "\u202eevil\u0007", "\n", "x".repeat(3000), "\ud800", "true", "token", "ids/1 rooms/1", "join", "user", "room", "secret", "/"];
const NUMBERS = [0, 1, 2, -1, 17, 12, 0.5, 1e308, -1e308, 2 ** 53, -(2 ** 63), NOW, 8.64e12, 8.65e12];

function anything(next, depth) {
  switch (next(depth > 0 ? 9 : 5)) {
    case 0:
      return null;
    case 1:
      return next(2) === 0;
    case 2:
      return NUMBERS[next(NUMBERS.length)];
    case 3:
    case 4:
      return TEXTS[next(TEXTS.length)];
    case 5:
    case 6:
      return [...Array(next(6))].map(() => anything(next, depth - 1));
    default:
      return JSON.parse(`{${[...Array(next(8))].map(() => `${JSON.stringify(INNER[next(INNER.length)])}: ${JSON.stringify(anything(next, depth - 1))}`).join(",")}}`);
  }
}

const TOKENS = ["Qx7", "Qx8", "Qx9"];

function fileOf(next) {
  return { FILE: TOKENS[next(3)], NAME: TEXTS[next(TEXTS.length)], SIZE: [6, 0, 2 ** 53, -1][next(4)], SHA256: "07".repeat(32), UNTIL: NUMBERS[next(NUMBERS.length)] };
}

/** A frame that is sound in a part. */
function frame(next) {
  if (next(20) === 0) return anything(next, 3);
  const all = { ...JSON.parse(`{${[...Array(1 + next(5))].map(() => `${JSON.stringify(KEYS[next(KEYS.length)])}: ${JSON.stringify(anything(next, 4))}`).join(",")}}`) };
  if (next(3) === 0) {
    all.MESSAGES = [...Array(next(9))].map(() => [TEXTS[next(TEXTS.length)], TEXTS[next(TEXTS.length)], NUMBERS[next(NUMBERS.length)], TEXTS[next(TEXTS.length)]]);
    all.IDS = all.MESSAGES.map(() => 1 + next(500));
  }
  if (Array.isArray(all.MESSAGES) && next(3) === 0) all.META = all.MESSAGES.map(() => ({ FILE: fileOf(next) }));
  if (next(5) === 0) Object.assign(all, [
    { FILE: { ID: `f${1 + next(9)}.1`, FILE: TOKENS[next(3)], AT: NUMBERS[next(NUMBERS.length)], CREDIT: 50, SIZE: 6 } }, { FILE: { FILE: TOKENS[next(3)], DONE: true } },
    { FILE_CHUNK: { FILE: TOKENS[next(3)], AT: next(3) * 3, DATA: ["YWJj", "", "?", "A".repeat(40_000)][next(4)] } }, { FILE_CREDIT: { FILE: TOKENS[next(3)], UPTO: NUMBERS[next(NUMBERS.length)] } },
    { FILE_STOP: { FILE: TOKENS[next(3)] } }, { FILE: { FILE: TOKENS[next(3)], CODE: TEXTS[next(TEXTS.length)], INFO: TEXTS[next(TEXTS.length)] } },
  ][next(6)]);
  if (next(6) === 0) all.ROOMS = [...Array(next(5))].map(() => room(`#r${next(9)}`, next(12), { FLOOR: next(300), LAST: next(300), GAP: next(2) === 0 }));
  if (next(12) === 0) all.HISTORY = { WITH: ["ALL", "bob", "#r1"][next(3)], MESSAGES: all.MESSAGES ?? [], IDS: all.IDS ?? [], MORE: next(2) === 0 };
  if (next(8) === 0) Object.assign(all, { USERNAME_ACCEPTED: next(4) > 0, CAPABILITIES: ALL, RESUME: "t", RESUMED: next(2) === 0 });
  if (next(8) === 0) all.COMMANDS = [...Array(4)].map(() => ({ NAME: TEXTS[next(TEXTS.length)], ARGUMENTS: [...Array(next(4))].map(() => ({ NAME: "x", TYPE: TEXTS[next(TEXTS.length)], OPTIONAL: next(2) === 0 })) }));
  return all;
}

/** What the user does beside that. */
function wish(next) {
  const target = ["ALL", "#lab", "#r1", "@bob", "@", "", "@__proto__", "#none"][next(8)];
  const text = ["hi", "@bob x", "#r1 x", "/join #x", "/x", "a\nb", "//", ""][next(8)];
  return [
    { typed: text }, { say: text }, { open: target }, { close: target }, { older: target }, { fill: target }, { seeing: next(2) === 0 }, { lost: "gone" }, { back: true }, { tick: true },
    { attached: { handle: next(9), name: text, size: next(50) } }, { save: { target, key: next(300) } }, { giveUp: next(9) },
    { file: [{ id: next(9), is: "opened", sha256: "07" }, { id: next(9), is: "read", at: 0, bytes: 3, data: "YWJj" }, { id: next(9), is: "saved" }, { id: next(9), is: "failed", why: "\u0007" }][next(4)] },
    { answer: text }, { cancel: true }, { call: { name: "join", arguments: ["#r2"] } }, { join: { name: "ann" } }, { lost: "", retry: 5 },
  ][next(next(40) === 0 ? 19 : 17)];
}

/** Every text that is shown. */
function* shown(view) {
  yield* [view.me, view.account ?? "", view.server.name, ...view.server.banner, ...view.levels, view.prefix, view.question?.text ?? ""];
  if (view.phase.info !== undefined) yield view.phase.info;
  for (const { from, line } of view.mentions) yield* [from, line];
  for (const { name } of view.transfers) yield name;
  for (const { name, away } of view.people) yield* [name, away ?? ""];
  for (const command of view.commands) {
    yield* [command.name, command.help, command.example, ...command.aliases];
    for (const one of command.arguments) yield* [one.name, one.type, one.help, ...one.values];
  }
  for (const one of view.conversations) {
    yield* [one.title, one.topic, ...(one.members ?? [])];
    for (const item of one.items) {
      if (item.kind === "message") yield* [item.from, ...item.lines, item.why ?? "", item.file?.name ?? ""];
      if (item.kind === "moves") yield* [...item.joined, ...item.left];
      if (item.kind === "notice") yield* [...item.lines, ...(item.table?.columns ?? []), ...(item.table?.rows.flat() ?? [])];
    }
  }
}

const ACTS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/;

function check(world, place) {
  const { view } = world;
  for (const text of shown(view)) {
    assert.equal(typeof text, "string", place);
    assert.ok(!ACTS.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "")), `${place}: ${JSON.stringify(text)}`);
  }
  const keys = new Set();
  for (const one of view.conversations) {
    assert.ok(one.unread >= one.mentions && one.mentions >= 0, place);
    assert.ok(one.items.length <= 50, place);
    assert.ok(one.marker === null || (one.marker > 0 && one.marker <= one.items.length), place);
    for (const item of one.items) {
      assert.ok(!keys.has(item.key), `${place}: a key stands for one item`);
      keys.add(item.key);
      if (item.kind === "message" && item.time !== null) assert.ok(!Number.isNaN(new Date(item.time * 1000).getTime()), place);
    }
    // Between holes numbers rise.
    let before = 0;
    for (const item of one.items) {
      if (item.kind === "hole") before = 0;
      if (item.kind !== "message" || item.id === null) continue;
      assert.ok(item.id > before, `${place}: ${one.target} ${one.items.map((each) => each.id ?? each.kind)}`);
      before = item.id;
    }
  }
  assert.ok(view.conversations.length === 0 || view.conversations.some((one) => one.target === view.front), `${place}: what is in front is there`);
  const core = world.chat.core;
  const { list } = core.model;
  const bytes = list.all.reduce((sum, one) => sum + one.timeline.bytes, 0);
  assert.equal(bytes, list.bytes, place);
  assert.equal(list.all.reduce((sum, one) => sum + one.timeline.length, 0), list.items, place);
  assert.ok(bytes >= 0 && list.items <= 200 && list.all.every((one) => one.timeline.bytes >= 0), place);
  assert.ok(core.sent.unanswered.length <= 256 && core.model.unnumbered.length <= 512 && core.model.mentioned.all.length <= 200, place);
  assert.ok(core.gaps.open.length <= 200 && core.calls.open.length <= 64 && core.calls.questions.length <= 16, place);
  assert.ok(core.pages.length <= 300, place);
  assert.ok(core.transfers.all.length <= 20 && core.transfers.all.every((one) => one.done <= one.size && one.samples.length <= 12), place);
}

for (let seed = 1; seed <= 24; seed += 1) {
  test(`frames and wishes as they fall, ${seed}`, () => {
    const next = chance(seed);
    const world = new World({ limits: { items: 50, users: 5, rooms: 6, allItems: 200 } });
    world.join({}, []);
    for (let step = 0; step < 400; step += 1) {
      const event = next(3) > 0 ? { frame: frame(next) } : wish(next);
      world.now += next(20);
      world.apply(event);
      world.take();
      if (step % 8 === 0 || step > 390) check(world, `seed ${seed}, step ${step}, ${JSON.stringify(event).slice(0, 300)}`);
      if (step % 40 === 0) {
        const { view } = world;
        for (const text of ["/", "/j", "/join ", "@", "@b", "#", "x"]) complete(view, text, text.length, true);
        for (const one of view.conversations) menuFor(view, { is: "conversation", target: one.target });
        menuFor(view, { is: "user", name: "bob", room: "#r1" });
      }
    }
  });
}

test("names that every object has are names like others", () => {
  const world = new World().join({ USER_LIST: ["ann", "__proto__", "constructor"], ROOMS: [room("#__proto__", 3, { USERS: ["__proto__"], STAFF: JSON.parse('{"__proto__": 3}') })] });
  world.frame(JSON.parse('{"PRESENCE": {"__proto__": {"SINCE": 5, "AWAY": "x"}}, "USERS_RENAMED": {"constructor": "hasOwnProperty"}, "ACKS": {"__proto__": 5}}'));
  assert.deepEqual(world.view.people.map(({ name, away }) => [name, away]), [["__proto__", "x"], ["ann", null], ["hasOwnProperty", null]]);
  assert.deepEqual([...world.at("#__proto__").staff], [["__proto__", 3]]);
  world.frame({ MESSAGES: [["__proto__", "ann", 1, "psst"]], IDS: [9] });
  assert.equal(world.said("@__proto__").at(-1), "__proto__: psst");
  assert.equal({}.polluted, undefined);
});

test("lists without end are kept up to a bound", () => {
  const many = (count, make) => [...Array(count).keys()].map(make);
  const world = new World().join({ USER_LIST: many(150_000, (n) => `u${n}`) });
  assert.equal(world.view.people.length, 100_000);
  world.frame({ USERS_JOINED: many(150_000, (n) => `v${n}`) });
  assert.equal(world.view.people.length, 100_000);
  world.frame({ ROOMS: many(5000, (n) => room(`#r${n}`, n)) });
  assert.ok(world.view.conversations.length <= 501);
  const argument = { NAME: "x", TYPE: "text", VALUES: many(500, String) };
  const ARGUMENTS = many(500, () => argument);
  world.frame({ COMMANDS: many(1200, (n) => ({ NAME: `c${n}`, ARGUMENTS })) });
  assert.equal(world.view.commands.length, 1000);
  assert.ok(world.view.commands[0].arguments.length <= 64 && world.view.commands[0].arguments[0].values.length <= 100);
  world.frame({ RESULT: { ID: "1", OK: true, DATA: { COLUMNS: many(999, String), ROWS: many(5000, () => many(999, String)) } } });
  const { table } = world.at(world.view.front).items.at(-1);
  assert.deepEqual([table.columns.length, table.rows.length, table.rows[0].length], [30, 1000, 30]);
  world.frame({ MESSAGES: many(60_000, (n) => ["bob", "ALL", n, "x"]), IDS: many(60_000, (n) => n + 1) });
  assert.equal(world.at("ALL").items.length, 10_000);
  assert.equal(world.at("ALL").items.at(-1).id, 60_000);
});

test("replies to what is not loaded cost the same however much is loaded", () => {
  const world = new World().join();
  const said = (first, count, more = {}) => {
    const numbers = Array.from({ length: count }, (_, at) => first + at);
    world.frame({ MESSAGES: numbers.map((number) => ["bob", "ALL", number, "x"]), IDS: numbers, ...more });
  };
  said(1001, 5000);
  const { timeline } = world.chat.core.model.list.find("ALL");
  let reads = 0;
  timeline.items = new Proxy(timeline.items, {
    get(items, key) {
      reads += 1;
      return Reflect.get(items, key);
    },
  });
  said(6001, 200, { META: Array.from({ length: 200 }, (_, at) => ({ REPLY: 1 + at })) });
  assert.ok(reads < 200 * 50, `${reads}`);
  said(7001, 1, { META: [{ REPLY: 1001 }] });
  assert.equal(timeline.last().reply.text, "x", "whatever is loaded is found");
  // Who answers a message of a thousand empty lines makes nobody walk through them each time.
  world.frame({ MESSAGES: [["bob", "ALL", 1, `${"\n".repeat(900)}x`], ["bob", "ALL", 1, `${" ".repeat(900)}x`], ["bob", "ALL", 1, "\n \n x"]], IDS: [8001, 8002, 8003] });
  said(8004, 3, { META: [8001, 8002, 8003].map((REPLY) => ({ REPLY })) });
  assert.deepEqual(timeline.items.slice(-3).map(({ reply }) => reply.text), ["", "", " x"]);
});

test("texts without end are kept up to a bound of them all", () => {
  const world = new World().join();
  for (let number = 1; number <= 400; number += 1) world.frame({ MESSAGES: [[`u${number % 20}`, "ann", 1, "x".repeat(200_000)]], IDS: [number] });
  const bytes = world.chat.core.model.list.all.reduce((sum, one) => sum + one.timeline.bytes, 0);
  assert.ok(bytes <= 16 * 1024 * 1024, `${bytes}`);
  assert.ok(bytes > 8 * 1024 * 1024, `${bytes}`);
});

test("a PING goes back as it came, whatever its size", () => {
  for (const digits of ["0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"]) {
    const world = new World().join();
    world.frame(readFrame(`{"INFO": "\\"PING\\": 5", "PING": ${digits}}`));
    assert.deepEqual(world.take().map(writeFrame), [`{"PONG":${digits}}`]);
  }
  const big = "9007199254740993";
  const others = [`{"A":{"PING":1},"PING":${big}}`, `{"A":["PING",{"PING":1}],"PING":${big},"B":{"PING":2}}`, `{"PING":1,"P\\u0049NG":${big}}`, `{"PING":${big},"A":"PING"}`];
  for (const text of others) {
    const world = new World().join();
    world.frame(readFrame(text));
    assert.deepEqual(world.take().map(writeFrame), [`{"PONG":${big}}`], text);
  }
  for (const bad of ["1.5", "1e400", "1e30", "null", '"5"', "[5]", "99999999999999999999999999"]) {
    const world = new World().join();
    world.frame(readFrame(`{"PING": ${bad}}`));
    assert.deepEqual(world.take(), [], bad);
  }
});

test("what is no frame is none", () => {
  for (const data of ["", "{", "nul", '{"a": 1}x', new ArrayBuffer(4), undefined, "[".repeat(1_000_000)]) assert.equal(readFrame(data), undefined);
  for (const frame of [null, 5, true, [], [["x"]], "text", undefined]) new World().join().frame(frame);
});
