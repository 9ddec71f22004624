// The session: the connection, its ends and its returns, over sockets, timers and a storage that a test plays.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../../../page/backoff.js";
import { Session } from "../../../page/session.js";
import { ALL, NOW } from "./world.mjs";

class Socket extends EventTarget {
  constructor() {
    super();
    this.readyState = 0;
    this.sent = [];
    this.isClosed = false;
  }

  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
    return this;
  }

  send(text) {
    assert.equal(this.readyState, 1, "nothing is sent where there is no connection");
    this.sent.push(JSON.parse(text));
  }

  hear(frame) {
    this.dispatchEvent(new MessageEvent("message", { data: typeof frame === "string" ? frame : JSON.stringify(frame) }));
  }

  welcome(more = {}) {
    this.hear({ USERNAME_ACCEPTED: true, USER_LIST: ["ann"], MESSAGES: [], IDS: [], CAPABILITIES: ALL, RESUME: "session", ROOMS: [], ...more });
  }

  /** The page closes it; the event comes later, as in browsers. */
  close() {
    this.isClosed = true;
    this.readyState = 2;
  }

  fail() {
    this.readyState = 3;
    this.dispatchEvent(new Event("error"));
    this.dispatchEvent(new Event("close"));
  }
}

class Store {
  constructor() {
    this.all = new Map();
  }
  getItem(key) {
    return this.all.get(key) ?? null;
  }
  setItem(key, value) {
    this.all.set(key, value);
  }
  removeItem(key) {
    this.all.delete(key);
  }
}

/** A session, with everything that it owns played. */
function world(options = {}) {
  const one = { sockets: [], changes: 0, alerts: [], restored: [], storage: new Store() };
  one.session = new Session({
    url: "ws://localhost/ws",
    storage: one.storage,
    changed: () => (one.changes += 1),
    alert: (alert) => one.alerts.push(alert),
    restore: (text) => one.restored.push(text),
    connect: () => {
      const socket = new Socket();
      one.sockets.push(socket);
      return socket;
    },
    random: () => 0.5,
    clock: () => now,
    ...options,
  });
  return one;
}

/** The clock that is played, in milliseconds, and what it is to call. The one of node 18, which Debian has, knows neither `Date` nor all timers. */
let now = 0;
let timers = [];
const real = { setTimeout, clearTimeout, setInterval, clearInterval };

function play() {
  now = NOW * 1000;
  timers = [];
  const add = (run, wait, every) => {
    const timer = { run, at: now + wait, every };
    timers.push(timer);
    return timer;
  };
  const remove = (timer) => {
    timers = timers.filter((one) => one !== timer);
  };
  Object.assign(globalThis, {
    setTimeout: (run, wait = 0) => add(run, wait, null), clearTimeout: remove,
    setInterval: (run, wait) => add(run, wait, wait), clearInterval: remove,
  });
}

/** Time passes, from one timer to the next. */
function tick(milliseconds) {
  const end = now + milliseconds;
  for (;;) {
    const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
    if (next === undefined) break;
    now = next.at;
    if (next.every === null) timers = timers.filter((one) => one !== next);
    else next.at += next.every;
    next.run();
  }
  now = end;
}

/** A test over a clock that is played. */
function timed(name, run) {
  test(name, async () => {
    play();
    try {
      await run();
    } finally {
      Object.assign(globalThis, real);
    }
  });
}

function joined(options) {
  const one = world(options);
  one.session.join({ name: "ann" });
  one.sockets[0].open().welcome();
  return one;
}

timed("a name is asked for as soon as there is a connection", () => {
  const one = world();
  one.session.join({ name: "ann", password: "hunter2" });
  assert.equal(one.session.view.phase.is, "joining");
  assert.deepEqual(one.sockets[0].sent, []);
  one.sockets[0].open();
  assert.deepEqual(one.sockets[0].sent.map(({ USERNAME, PASSWORD }) => [USERNAME, PASSWORD]), [["ann", "hunter2"]]);
  one.sockets[0].hear({ USERNAME_ACCEPTED: false, CODE: "wrong-password", INFO: "wrong" });
  assert.ok(one.session.view.phase.password);
  one.session.join({ name: "ann", password: "right" });
  assert.deepEqual([one.sockets.length, one.sockets[0].sent.at(-1).PASSWORD], [1, "right"]);
});

timed("a lost connection is tried again, later each time, and the session goes on", () => {
  const one = joined();
  one.sockets[0].hear({ MESSAGES: [["bob", "ALL", 1, "hi"]], IDS: [7] });
  one.session.send({ say: "on its way" });
  one.sockets[0].fail();
  const waits = [];
  for (let round = 1; round < 9; round += 1) {
    const { phase } = one.session.view;
    assert.deepEqual([phase.is, phase.why], ["lost", round === 1 ? "the server has closed the connection" : "the server can't be reached"]);
    const wait = phase.retry * 1000 - now;
    waits.push(Math.round(wait));
    tick(wait - 1);
    assert.equal(one.sockets.length, round, "not before its time");
    tick(2);
    assert.equal(one.sockets.length, round + 1);
    one.sockets[round].fail();
  }
  assert.deepEqual(waits, [375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500]);
  tick(30_000);
  const socket = one.sockets.at(-1).open();
  assert.deepEqual(socket.sent[0].RESUME, { TOKEN: "session", AFTER: 7 });
  socket.welcome({ RESUMED: true });
  assert.deepEqual([one.session.view.phase.is, socket.sent.at(-1).TAGS], ["in", ["1"]]);
  socket.hear({ ACKS: { 1: 8 } });
  socket.fail();
  assert.equal(Math.round(one.session.view.phase.retry * 1000 - now), 375, "it was of use, so the next outage begins anew");
});

timed("the user may ask for a try at once; a network that is back does so too, unless the server wants to be left alone", () => {
  const listeners = new Map();
  globalThis.addEventListener = (name, run) => listeners.set(name, run);
  try {
    const one = joined();
    one.sockets[0].fail();
    listeners.get("online")();
    assert.equal(one.sockets.length, 2);
    listeners.get("online")();
    one.session.again();
    assert.equal(one.sockets.length, 2, "one connection at a time");
    one.sockets[1].open().welcome({ RESUMED: true });
    one.sockets[1].hear({ CLOSED: { CODE: "kicked", INFO: "out", RETRY: 30 } });
    one.sockets[1].fail();
    listeners.get("online")();
    tick(29_000);
    assert.equal(one.sockets.length, 2);
    one.session.again();
    assert.equal(one.sockets.length, 3, "a person may");
  } finally {
    delete globalThis.addEventListener;
  }
});

timed("where the server says never, nothing comes back by itself", () => {
  const one = joined();
  one.sockets[0].hear({ CLOSED: { CODE: "banned", INFO: "spam", RETRY: null } });
  one.sockets[0].fail();
  tick(3_600_000);
  assert.deepEqual([one.sockets.length, one.session.view.phase.is], [1, "closed"]);
  one.session.again();
  one.sockets[1].open();
  assert.equal(one.sockets[1].sent[0].USERNAME, "ann");
});

timed("a connection that does not come, or is silent, is lost", () => {
  const one = world();
  one.session.join({ name: "ann" });
  tick(20_000);
  assert.deepEqual([one.session.view.phase.is, one.sockets[0].isClosed], ["lost", true]);
  one.session.again();
  one.sockets[1].open().welcome();
  for (let beat = 1; beat <= 2; beat += 1) {
    tick(30_000);
    assert.deepEqual(one.sockets[1].sent.at(-1), { PING: beat });
    if (beat === 1) one.sockets[1].hear({ PONG: 1 });
  }
  tick(40);
  one.sockets[1].hear({ PONG: 2 });
  assert.equal(one.session.view.latency, 40);
  one.sockets[1].hear({ PONG: 2 });
  one.sockets[1].hear({ PONG: 999 });
  assert.equal(one.session.view.latency, 40);
  tick(30_000);
  assert.equal(one.session.view.phase.is, "in", "it was asked just now");
  tick(30_000);
  assert.deepEqual([one.session.view.phase.is, one.session.view.latency, one.sockets[1].isClosed], ["lost", null, true]);
});

timed("a server that was not asked, or can't be, may be silent", () => {
  const one = world();
  one.session.join({ name: "ann" });
  one.sockets[0].open().welcome({ CAPABILITIES: "" });
  for (let beat = 0; beat < 100; beat += 1) tick(30_000);
  assert.equal(one.session.view.phase.is, "in");
  const two = world();
  two.session.join({ name: "ann" });
  two.sockets[0].open();
  tick(30_000);
  tick(30_000);
  assert.equal(two.session.view.phase.is, "lost", "it was asked for a name");
});

timed("what a connection says that is over is not heard", () => {
  const one = joined();
  tick(30_000);
  tick(30_000);
  const { phase } = one.session.view;
  assert.equal(phase.is, "lost");
  one.sockets[0].hear({ MESSAGES: [["bob", "ALL", 1, "late"]], IDS: [9] });
  one.sockets[0].fail();
  assert.deepEqual(one.session.view.phase, phase);
  assert.ok(!JSON.stringify(one.session.view.conversations).includes("late"));
});

timed("a login is kept in the browser only if the user wants it, bound to its name, and a password never", () => {
  const one = world();
  const login = (credentials) => {
    one.session.join(credentials);
    const socket = one.sockets.at(-1);
    if (socket.readyState === 0) socket.open();
    return socket;
  };
  login({ name: "ann", password: "hunter2", stay: false }).welcome({ ACCOUNT: { LEVEL: 1, TOKEN: "t1" } });
  assert.equal(one.storage.all.size, 0);
  one.sockets[0].fail();
  tick(1000);
  one.sockets[1].open();
  assert.deepEqual([one.sockets[1].sent[0].TOKEN, one.sockets[1].sent[0].PASSWORD], ["t1", undefined], "in memory it is there");
  const two = world({ storage: one.storage });
  two.session.join({ name: "ann", password: "hunter2", stay: true });
  two.sockets[0].open().welcome({ ACCOUNT: { LEVEL: 1, TOKEN: "t2" } });
  assert.deepEqual(JSON.parse([...one.storage.all.values()][0]), { name: "ann", token: "t2" });
  const three = world({ storage: one.storage });
  assert.deepEqual(three.session.remembered, { name: "ann", stay: true });
  three.session.start();
  three.sockets[0].open();
  assert.deepEqual([three.sockets[0].sent[0].USERNAME, three.sockets[0].sent[0].TOKEN], ["ann", "t2"]);
  const four = world({ storage: one.storage });
  four.session.join({ name: "bob", stay: true });
  four.sockets[0].open();
  assert.equal(four.sockets[0].sent[0].TOKEN, undefined, "it proves nothing of another name");
  three.sockets[0].hear({ USERNAME_ACCEPTED: false, CODE: "wrong-token" });
  assert.equal(one.storage.all.size, 0);
  assert.ok(![...one.storage.all.values()].join().includes("hunter2"));
});

timed("who leaves comes back with the login that is kept, and with nothing else", async () => {
  for (const stay of [true, false]) {
    const one = world();
    one.session.join({ name: "ann", password: "hunter2", stay });
    one.sockets[0].open().welcome({ ACCOUNT: { LEVEL: 1, TOKEN: "t" } });
    one.session.leave();
    await null;
    assert.deepEqual([one.storage.all.size, one.sockets[0].isClosed, one.session.view.phase, one.session.view.conversations], [Number(stay), true, { is: "idle" }, []]);
    tick(3_600_000);
    assert.equal(one.sockets.length, 1);
    assert.deepEqual(one.session.remembered, { name: "ann", stay });
    one.session.join({ name: "ann", stay });
    one.sockets[1].open();
    assert.deepEqual([one.sockets[1].sent[0].TOKEN, one.sockets[1].sent[0].RESUME], [stay ? "t" : undefined, undefined]);
  }
});

timed("who logs out is forgotten", async () => {
  const one = world();
  one.session.join({ name: "ann", password: "hunter2", stay: true });
  one.sockets[0].open().welcome({ CAPABILITIES: "accounts/1 commands/1", ACCOUNT: { LEVEL: 1, TOKEN: "t" } });
  one.session.send({ call: { name: "logout", arguments: [] } });
  const { ID } = one.sockets[0].sent.at(-1).COMMAND;
  one.sockets[0].hear({ RESULT: { ID, OK: true, CODE: "ok", INFO: "bye" } });
  one.sockets[0].close();
  await null;
  assert.equal(one.storage.all.size, 0);
  assert.equal(one.session.remembered.stay, false);
});

timed("a storage that is broken, or was written by somebody else, keeps nobody out", () => {
  const throwing = { getItem: () => { throw new Error("no"); }, setItem: () => { throw new Error("no"); }, removeItem: () => { throw new Error("no"); } };
  for (const storage of [throwing, null, { ...throwing, getItem: () => "{" }, { ...throwing, getItem: () => '{"name": 5}' }, { ...throwing, getItem: () => "null" }]) {
    const one = world({ storage });
    assert.deepEqual(one.session.remembered, { name: "", stay: false });
    one.session.start();
    one.session.join({ name: "ann", password: "x", stay: true });
    one.sockets[0].open().welcome({ ACCOUNT: { LEVEL: 1, TOKEN: "t" } });
    assert.equal(one.session.view.phase.is, "in");
  }
});

timed("a page that may not connect at all says so", async () => {
  const one = world({ connect: () => { throw new Error("no"); } });
  one.session.join({ name: "ann" });
  await null;
  assert.equal(one.session.view.phase.is, "lost");
});

timed("what can't be read is passed over, and a text that was not sent comes back", () => {
  const one = joined();
  for (const text of ["{", "5", "null", "[]", '"a bare error"']) one.sockets[0].hear(text);
  one.session.send({ typed: "@bob" });
  assert.deepEqual(one.restored, ["@bob"]);
  one.session.send({ seeing: false });
  one.sockets[0].hear({ MESSAGES: [["bob", "ALL", 1, "ann?"]], IDS: [5] });
  assert.deepEqual(one.alerts.map(({ target, from, text }) => [target, from, text]), [["ALL", "bob", "ann?"]]);
  assert.ok(one.changes > 5);
});

test("waits are spread, and bounded", () => {
  for (const chance of [0, 0.999]) {
    const backoff = new Backoff(() => chance);
    const waits = [...Array(100)].map(() => backoff.next(0));
    assert.ok(waits.every((wait, place) => wait >= 250 && wait <= 30_000 && (place === 0 || wait >= waits[place - 1])));
    assert.equal(backoff.next(60), 60_000 + 6_000 * chance);
    assert.ok(backoff.next(1e12) <= 1.1 * 86_400_000, "a timer can't wait for longer");
  }
});
