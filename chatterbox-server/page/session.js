// The session: it owns the connection, the timers and the storage, puts what happens into the state, and carries out what that wants.

import { Backoff } from "./backoff.js";
import { Chat } from "./state/chat.js";
import { Disk } from "./disk.js";
import { LoginStore } from "./login-store.js";
import { readFrame, writeFrame } from "./wire.js";

/**
 * @typedef {import("./state/types.js").Event} Event
 * @typedef {import("./state/types.js").Effect} Effect
 * @typedef {import("./state/types.js").View} View
 *
 * @typedef {object} Options
 * @property {() => void} changed something of the view may have changed
 * @property {(alert: Extract<Effect, { alert: unknown }>["alert"]) => void} [alert] somebody speaks to the user, who does not see it
 * @property {(text: string) => void} [restore] a text was not sent, and goes back to the input
 * @property {string} [url] of the WebSocket; that of the server from which the page came where it is missing
 * @property {Storage | null} [storage] where a login is kept, if the user wants it
 * @property {(url: string) => WebSocket} [connect]
 * @property {() => number} [clock] milliseconds since 1970
 * @property {() => number} [random] from 0 to 1
 * @property {Partial<import("./state/list.js").Limits>} [limits] of what is kept of the chat
 * @property {(blob: Blob, name: string) => void} [save] saves what was fetched
 *
 * @typedef {{ name: string, password?: string, stay?: boolean }} Credentials
 */

/** A PING is sent so often, and the connection is lost when nothing at all has come so long after it, in milliseconds. Tabs that nobody looks
 * at have their timers seldom, so it is never the silence before a PING that counts. */
const PING_EVERY = 30_000;
const ANSWER = 28_000;

/** The round trip that is shown is the median of so many. */
const TRIPS = 5;

/** The server is told so often how far the user has read, in milliseconds: of each conversation the newest message that was shown. */
const MARKS_EVERY = 1000;

/** A connection has to be there within this time. */
const DIALLING = 20_000;

export class Session {
  /** @param {Options} options */
  constructor({ changed, alert = () => {}, restore = () => {}, url = hostUrl(), storage = ownStorage(), connect = (to) => new WebSocket(to), clock = Date.now, random = Math.random, limits = {}, save }) {
    this.changed = changed;
    this.alert = alert;
    this.restore = restore;
    this.url = url;
    this.connect = connect;
    this.clock = clock;
    this.store = new LoginStore(storage);
    this.backoff = new Backoff(random);
    this.chat = new Chat({ limits });
    this.disk = new Disk({ news: (file) => this.apply({ file }), waiting: () => this.socket?.bufferedAmount ?? 0, save });
    /** The name that was asked for last, and the token of its account; of a password nothing is kept. */
    this.name = "";
    /** @type {string | undefined} */
    this.token = undefined;
    /** Whether the login is kept in this browser. */
    this.stay = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** What is to be sent as soon as there is a connection: the frame that asks for a name. @type {string | null} */
    this.first = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.redial = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.dialling = undefined;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.heartbeat = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.marking = undefined;
    /** Before this time the server does not want to be tried. */
    this.mayRetryAt = 0;
    /** Since when an answer is awaited, of whatever kind. @type {number | null} */
    this.askedAt = null;
    this.pings = 0;
    /** @type {Map<number, number>} */
    this.pingedAt = new Map();
    /** @type {number[]} */
    this.trips = [];
    this.watchTheNetwork();
  }

  /** @returns {View} */
  get view() {
    return { ...this.chat.view(), latency: this.trips.length === 0 ? null : median(this.trips) };
  }

  /** The login that is kept in this browser, else the name that was used last. */
  get remembered() {
    const kept = this.store.load();
    return { name: kept?.name ?? this.name, stay: kept !== null };
  }

  /** Joins by itself where a login is kept. */
  start() {
    const { name, stay } = this.remembered;
    if (stay) this.join({ name, stay });
  }

  /** Asks for a name. Where a login is kept for it, that does what the password does.
   * @param {Credentials} credentials */
  join({ name, password = "", stay = false }) {
    const kept = this.store.load();
    const known = kept?.name === name ? kept.token : name === this.name ? this.token : undefined;
    this.name = name;
    this.token = password === "" ? known : undefined;
    this.stay = stay;
    if (!stay) this.store.forget();
    this.apply({ join: { name, password: password === "" ? undefined : password, token: this.token } });
  }

  /** Tries to come back now, as the user has asked for it. */
  again() {
    const { phase } = this.chat.view();
    if (this.redial !== undefined) this.dial();
    else if (this.socket === null && (phase.is === "lost" || phase.is === "closed")) this.join({ name: this.name, stay: this.stay });
    this.changed();
  }

  /** Leaves the chat. A login that is kept in this browser stays: it ends by logging out. */
  leave() {
    this.token = undefined;
    this.apply({ leave: true });
  }

  /** What the user wants. @param {Event} event */
  send(event) {
    if ("leave" in event) this.leave();
    else if ("attach" in event) for (const file of event.attach) this.apply({ attached: this.disk.give(file) });
    else this.apply(event);
  }

  /** @private @param {Event} event */
  apply(event) {
    this.carryOut(this.chat.apply(event, this.clock() / 1000));
    if (this.marking === undefined && this.chat.hasMarks()) {
      this.marking = setTimeout(() => {
        this.marking = undefined;
        this.apply({ marks: true });
      }, MARKS_EVERY);
    }
    this.changed();
  }

  /** @private @param {Effect[]} effects */
  carryOut(effects) {
    for (const effect of effects) {
      if ("send" in effect) this.write(effect.send);
      else if ("token" in effect) this.keepToken(effect.token);
      else if ("progress" in effect) this.backoff.reset();
      else if ("file" in effect) this.disk.perform(effect.file);
      else if ("disconnect" in effect) this.hangUp(effect.disconnect);
      else if ("redial" in effect) this.plan(effect.redial);
      else if ("alert" in effect) this.alert(effect.alert);
      else if ("restore" in effect) this.restore(effect.restore);
    }
  }

  /** @private @param {{ name: string, token: string | null }} token */
  keepToken({ name, token }) {
    this.token = token ?? undefined;
    if (token === null) this.store.forget(name);
    else if (this.stay) this.store.save(name, token);
  }

  /** @private @param {object} object */
  write(object) {
    const frame = writeFrame(object);
    if ("USERNAME" in object) this.askedAt = this.clock();
    if (this.socket?.readyState === 1) this.socket.send(frame);
    else {
      this.first = frame;
      if (this.socket === null) this.dial();
    }
  }

  /** @private */
  dial() {
    clearTimeout(this.redial);
    this.redial = undefined;
    const socket = this.open();
    if (socket === null) return;
    this.socket = socket;
    this.dialling = setTimeout(() => this.fail(socket, "the server does not answer"), DIALLING);
    const isThis = () => this.socket === socket;
    socket.addEventListener("open", () => isThis() && this.opened(socket));
    socket.addEventListener("message", ({ data }) => isThis() && this.heard(data));
    let wasOpen = false;
    socket.addEventListener("open", () => (wasOpen = true));
    socket.addEventListener("close", () => this.fail(socket, wasOpen ? "the server has closed the connection" : "the server can't be reached"));
    // What follows an error is `close`.
    socket.addEventListener("error", () => {});
  }

  /** @private */
  open() {
    try {
      return this.connect(this.url);
    } catch {
      // What is an error here would be one again with every try.
      queueMicrotask(() => this.apply({ lost: "the page can't open a connection" }));
      return null;
    }
  }

  /** @private @param {WebSocket} socket */
  opened(socket) {
    clearTimeout(this.dialling);
    this.pingedAt.clear();
    this.askedAt = null;
    this.heartbeat = setInterval(() => this.beat(socket), PING_EVERY);
    const { first } = this;
    this.first = null;
    if (first !== null) {
      this.askedAt = this.clock();
      socket.send(first);
    } else this.apply({ back: true });
  }

  /** @private @param {unknown} data */
  heard(data) {
    this.askedAt = null;
    const frame = readFrame(data);
    if (frame === undefined) return;
    const number = typeof frame === "object" && frame !== null && "PONG" in frame ? frame.PONG : null;
    const at = typeof number === "number" ? this.pingedAt.get(number) : undefined;
    if (at !== undefined) {
      this.pingedAt.clear();
      this.trips = [...this.trips, this.clock() - at].slice(-TRIPS);
    }
    this.apply({ frame });
  }

  /** @private @param {WebSocket} socket */
  beat(socket) {
    const now = this.clock();
    if (this.askedAt !== null && now - this.askedAt >= ANSWER) return this.fail(socket, "the server does not answer");
    if (this.chat.canPing()) {
      this.askedAt ??= now;
      this.pings += 1;
      this.pingedAt.set(this.pings, now);
      socket.send(writeFrame({ PING: this.pings }));
    }
    this.apply({ tick: true });
  }

  /** A connection is lost, or was never there. @private @param {WebSocket} socket @param {string} why */
  fail(socket, why) {
    if (this.socket !== socket) return;
    this.forget();
    close(socket);
    this.apply({ lost: why });
  }

  /** The state wants no more of this connection. @private @param {string} why */
  hangUp(why) {
    const { socket } = this;
    this.forget();
    if (socket !== null) close(socket);
    queueMicrotask(() => this.apply({ lost: why }));
  }

  /** @private */
  forget() {
    clearTimeout(this.dialling);
    clearInterval(this.heartbeat);
    this.socket = null;
    this.first = null;
    this.trips = [];
  }

  /** Plans the next try, or that there is none. @private @param {number | null | false} atLeast */
  plan(atLeast) {
    clearTimeout(this.redial);
    this.redial = undefined;
    if (atLeast === false) return;
    const wait = this.backoff.next(atLeast ?? 0);
    this.mayRetryAt = this.clock() + (atLeast ?? 0) * 1000;
    this.redial = setTimeout(() => this.dial(), wait);
    this.carryOut(this.chat.apply({ lost: "", retry: (this.clock() + wait) / 1000 }, this.clock() / 1000));
  }

  /** A network that is there again, and a tab that is looked at, are worth a try at once, if the server does not want to be left alone.
   * @private */
  watchTheNetwork() {
    const retry = () => {
      if (this.redial !== undefined && this.clock() >= this.mayRetryAt) this.dial();
    };
    if (typeof addEventListener === "function") addEventListener("online", retry);
    if (typeof document === "object") {
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "visible") retry();
      });
    }
  }
}

/** Where the server of this page takes WebSockets. */
function hostUrl() {
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The storage of this browser, which some settings of it forbid. */
function ownStorage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @param {WebSocket} socket */
function close(socket) {
  try {
    socket.close();
  } catch {
    // It is of no use any more, whatever it says.
  }
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return Math.round(sorted[sorted.length >> 1] ?? 0);
}
