// Messages in flight: those that may be echoed, and those that are not acknowledged.

import { digest } from "./entries.js";
import { same } from "./text.js";

/** @typedef {import("./entries.js").Entry} Entry */

/**
 * @typedef {object} Unanswered A message that the server has neither acknowledged nor refused (ID-4).
 * @property {string} tag
 * @property {string} to
 * @property {number} time
 * @property {string} text
 * @property {object | null} meta what goes with it
 * @property {number} length how many characters the text and what goes with it have
 * @property {boolean} arrived it was echoed, or found in the history: it is stored even if its acknowledgement was lost
 * @property {boolean} out it was sent on this connection
 */

/** So many messages have no answer at most: a server remembers no more tags (ID-5). */
const TAGS = 256;

/** No more than so many are on their way at a time; the others wait. */
const WINDOW = 128;

/** Messages that are sent together have so many characters at most, with what goes with them. */
const TOGETHER = 4096;

/** JSON makes a text longer, and a frame has a bound; the names and the rest of a message are small beside that. */
const ESCAPED = 4;

/** So many echoes are awaited: a server that never echoes must not make the page keep everything. */
const UNECHOED = 256;

/** So many numbers of own messages are remembered, as many as of those that were received. */
const STORED = 4096;

/** So many messages wait until it is known which device has said them; others are shown at once. */
const HELD = 256;

export class Sent {
  constructor() {
    /** In order. @type {Unanswered[]} */
    this.unanswered = [];
    /** @type {{ to: string, text: string, tag: string | null }[]} */
    this.unechoed = [];
    this.tags = 0;
    /** The numbers of the messages that were acknowledged: what comes under one of them is this page's own. @type {Set<number>} */
    this.stored = new Set();
    /** Messages of this user with the text of one in flight: they are that one, or another device has said the same. @type {Entry[]} */
    this.held = [];
  }

  /** Whether no further message is taken. */
  isFull() {
    return this.unanswered.length >= TAGS;
  }

  /** Gives a message a tag, and keeps it until it is answered. @param {string} to @param {string} text @param {number} time @param {object | null} [meta] */
  keep(to, text, time, meta = null) {
    this.tags += 1;
    const length = text.length + (meta === null ? 0 : JSON.stringify(meta).length);
    const message = { tag: String(this.tags), to, time, text, meta, length, arrived: false, out: false };
    this.unanswered.push(message);
    return message;
  }

  /** Notes that an echo of a message may come (RT-3). @param {string} to @param {string} text @param {string | null} tag */
  awaitEcho(to, text, tag) {
    if (this.unechoed.length >= UNECHOED) this.unechoed.shift();
    this.unechoed.push({ to, text, tag });
  }

  /** Takes the next messages that may be sent in one frame. @param {number | null} [longest] the bytes that the server takes of a frame
   * @returns {Unanswered[]} */
  takeNext(longest = null) {
    const most = longest === null ? TOGETHER : Math.min(TOGETHER, longest / ESCAPED);
    const next = [];
    let characters = 0;
    let out = this.unanswered.filter((message) => message.out).length;
    for (const message of this.unanswered) {
      if (message.out) continue;
      characters += message.length;
      if (out >= WINDOW || (next.length > 0 && characters > most)) break;
      message.out = true;
      out += 1;
      next.push(message);
    }
    return next;
  }

  /** The connection is lost: all are to be sent again. */
  lost() {
    for (const message of this.unanswered) message.out = false;
  }

  /** Takes the message with a tag, which is answered: its echo comes before that or never (ID-4).
   * @param {string} tag @param {number | null} [number] under which it is stored */
  answered(tag, number = null) {
    this.unechoed = this.unechoed.filter((message) => message.tag !== tag);
    const place = this.unanswered.findIndex((message) => message.tag === tag);
    if (place < 0) return undefined;
    if (number !== null) this.stored.add(number);
    if (this.stored.size > STORED) this.stored.delete(/** @type {number} */ (this.stored.keys().next().value));
    return this.unanswered.splice(place, 1)[0];
  }

  /** Whether a message was acknowledged as this page's own. @param {Entry} entry */
  isStored(entry) {
    return entry.id !== null && this.stored.has(entry.id);
  }

  /** Keeps a message until it is known which device has said it, where one with this text is on its way. Says whether it is kept.
   * @param {Entry} entry */
  hold(entry) {
    if (this.held.some((one) => one.id === entry.id)) return true;
    const isKept = this.held.length < HELD && this.isInFlight(entry);
    if (isKept) this.held.push(entry);
    return isKept;
  }

  /** Whether a message under this user's name, on a page that fills a gap, was said on another device. One that may be in flight is shown
   * later, if it was. @param {Entry} entry */
  isOfOtherDevice(entry) {
    return entry.id !== null && !this.isStored(entry) && !this.hold(entry);
  }

  /** @param {Entry} entry */
  isInFlight(entry) {
    return this.unanswered.some((one) => isSame(one, entry));
  }

  /** Takes out of those that are kept what another device has said: nothing with the same text is in flight any more, and none of this
   * page's messages was stored under that number. @returns {Entry[]} */
  release() {
    if (this.held.length === 0) return [];
    const others = this.held.filter((entry) => !this.isStored(entry));
    this.held = others.filter((entry) => this.isInFlight(entry));
    return others.filter((entry) => !this.held.includes(entry));
  }

  /** The same where the server has forgotten the tags, so that it acknowledges none of those messages: the sender's clock decides.
   * @returns {Entry[]} */
  releaseAll() {
    const { held } = this;
    this.held = [];
    return held.filter((entry) => !this.isStored(entry) && !this.arrivedAt(entry));
  }

  /** Notes that a message is stored that was sent with this text at this time, if there is one. Says whether there is: another device has
   * hardly said the same to the same in the same second, and the server leaves the sender's time as it is (ID-9). @param {Entry} entry */
  arrivedAt(entry) {
    const message = this.unanswered.find((one) => !one.arrived && one.time === entry.time && isSame(one, entry));
    if (message !== undefined) message.arrived = true;
    return message !== undefined;
  }

  /** Notes that a message was echoed, or found in the history. @param {Entry} entry */
  arrived(entry) {
    const message = this.unanswered.find((one) => !one.arrived && isSame(one, entry));
    if (message !== undefined) message.arrived = true;
  }

  /** Drops the messages that are known to be stored, since the server has forgotten their tags and would store them again. */
  forgetArrived() {
    const arrived = this.unanswered.filter((message) => message.arrived).map((message) => message.tag);
    this.unanswered = this.unanswered.filter((message) => !message.arrived);
    this.unechoed = this.unechoed.filter((message) => message.tag === null || !arrived.includes(message.tag));
  }

  /** Whether this is the echo of a message in flight (RT-3, RT-7). @param {Entry} entry */
  isEcho(entry) {
    const place = this.unechoed.findIndex((message) => isSame(message, entry));
    if (place >= 0) this.unechoed.splice(place, 1);
    return place >= 0;
  }
}

/** @param {{ to: string, text: string }} sent @param {Entry} entry */
function isSame(sent, entry) {
  return sent.text === entry.text && same(sent.to, entry.to);
}

/** So many of the last messages are remembered one by one. */
const KEPT = 4096;

/** The last messages that had a number: so none is shown twice. */
export class Seen {
  constructor() {
    /** @type {Map<number, string>} */
    this.recent = new Map();
    /** The greatest number; 0 is the place before the first. */
    this.last = 0;
  }

  /** Remembers a message. Says whether it is new. @param {number} id @param {Entry} entry */
  note(id, entry) {
    const known = digest(entry);
    if (this.recent.get(id) === known) return false;
    this.recent.set(id, known);
    if (this.recent.size > KEPT) this.recent.delete(/** @type {number} */ (this.recent.keys().next().value));
    this.reach(id);
    return true;
  }

  /** Everything up to this number is known, or of no interest. @param {number} id */
  reach(id) {
    this.last = Math.max(this.last, id);
  }

  /** Whether this very message was seen. @param {Entry} entry */
  has(entry) {
    return entry.id !== null && this.recent.get(entry.id) === digest(entry);
  }
}
