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

export class Sent {
  constructor() {
    /** In order. @type {Unanswered[]} */
    this.unanswered = [];
    /** @type {{ to: string, text: string }[]} */
    this.unechoed = [];
    this.tags = 0;
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

  /** Notes that an echo of a message may come (RT-3). @param {string} to @param {string} text */
  awaitEcho(to, text) {
    if (this.unechoed.length >= UNECHOED) this.unechoed.shift();
    this.unechoed.push({ to, text });
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

  /** Takes the message with a tag, which is answered. @param {string} tag */
  answered(tag) {
    const place = this.unanswered.findIndex((message) => message.tag === tag);
    return place < 0 ? undefined : this.unanswered.splice(place, 1)[0];
  }

  /** Notes that a message was echoed, or found in the history. @param {Entry} entry */
  arrived(entry) {
    const message = this.unanswered.find((one) => !one.arrived && isSame(one, entry));
    if (message !== undefined) message.arrived = true;
  }

  /** Drops the messages that are known to be stored, since the server has forgotten their tags and would store them again. */
  forgetArrived() {
    this.unanswered = this.unanswered.filter((message) => !message.arrived);
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
