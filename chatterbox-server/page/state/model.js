// The model: the conversations, which of them is in front, and what becomes of each message in them.

import { linesOf, shownName } from "./text.js";
import { List } from "./list.js";
import { mentions } from "./mention.js";
import { Mentioned } from "./mentioned.js";
import { isNamed } from "./reply.js";
import { LOBBY, SERVER, foldTarget, isUser, sameTarget, userTarget, wireOf } from "./target.js";
import { sameLines } from "./timeline.js";
import { screen } from "../screen.js";

/**
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Shown} Shown
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {import("./entries.js").Entry} Entry
 */

/** How a message came: on a page or in a first welcome; while the connection was lost; now; or this user has just sent it.
 * @typedef {"history" | "missed" | "live" | "own"} Kind */

/** An own message without a number: what became of it is looked up here, not in the timelines.
 * @typedef {{ serial: number, key: number, tag: string, time: number | null }} Unnumbered */

/** So many of these are kept. */
const UNNUMBERED = 512;

export class Model {
  /** @param {import("./list.js").Limits} limits @param {(effect: import("./types.js").Effect) => void} emit */
  constructor(limits, emit) {
    this.emit = emit;
    this.list = new List(limits);
    /** @type {Target} */
    this.front = LOBBY;
    /** Whether the end of the conversation in front is seen. */
    this.seeing = true;
    this.mentioned = new Mentioned();
    /** @type {Unnumbered[]} */
    this.unnumbered = [];
    /** The conversation with a user of which a page is coming: what is said on it under an earlier name belongs there.
     * @type {Target | null} */
    this.paging = null;
    /** The notice that the connection is lost: it is rewritten with each try that fails, while it is the last item.
     * @type {number | null} */
    this.lostKey = null;
    this.opened = 0;
  }

  /** Brings a conversation to the front. That which was there until now is left. @param {Target} target */
  bring(target) {
    if (sameTarget(target, this.front)) return;
    const left = this.list.find(this.front);
    this.front = target;
    const one = this.open(target);
    if (left !== undefined) {
      left.leave();
      left.version += 1;
      if (left.gone) this.remove(left);
    }
    this.opened += 1;
    one.opened = this.opened;
    if (this.seeing) one.read();
    one.version += 1;
  }

  /** Whether the end of the conversation in front is seen from now on. @param {boolean} seeing */
  see(seeing) {
    this.seeing = seeing;
    const one = this.list.find(this.front);
    if (!seeing || one === undefined) return;
    one.read();
    one.version += 1;
  }

  /** Opens a conversation, where there is none. @param {Target} target @returns {Conversation} */
  open(target) {
    const gone = this.list.open(target, this.front);
    if (gone !== undefined) this.mentioned.forgetWhere((mention) => mention.serial === gone.serial);
    return /** @type {Conversation} */ (this.list.find(target));
  }

  /** @param {Conversation} one */
  remove(one) {
    if (this.list.remove(one)) this.mentioned.forgetWhere((mention) => mention.serial === one.serial);
  }

  /** Something of a conversation has changed: drops what is beyond the bounds. @param {Conversation} one */
  changed(one) {
    one.version += 1;
    for (const item of this.list.trim(one, this.front)) {
      if (item?.kind === "message" && item.mention) this.mentioned.forget(item.key);
    }
  }

  /** Takes a message. @param {Entry} entry @param {Kind} kind @param {boolean} own this user has said it @param {string} me @param {boolean} rooms
   * @param {string | null} tag */
  message(entry, kind, own, me, rooms, tag = null) {
    const target = this.placeOf(entry, kind, own, rooms);
    // Whoever puts names into MENTIONS means these and no others; of who does not only the text says it.
    const names = !own && (entry.meta.mentions.length > 0 ? isNamed(entry.meta.mentions, me, target) : mentions(entry.text, me));
    const live = kind === "live" || kind === "missed";
    const concerns = live && !own && (names || isUser(target));
    const one = this.open(target);
    const lines = linesOf(entry.text);
    if (own && this.isKnown(one, entry, lines)) return;
    const isSeen = this.seeing && sameTarget(target, this.front);
    const unseen = live && !own && !isSeen;
    if (isSeen && !own && entry.id !== null) one.seen = Math.max(one.seen, entry.id);
    /** @type {Message} */
    const item = {
      kind: "message",
      key: this.list.nextKey(),
      from: shownName(entry.from),
      lines,
      time: entry.taken ?? entry.time,
      id: entry.id,
      own,
      mention: names,
      file: entry.meta.file,
      reply: entry.meta.reply === null ? null : quoteOf(one, entry.meta.reply),
      delivery: tag === null ? null : "on its way",
      why: null,
    };
    if (one.speech(item, unseen, concerns) === "known") return;
    if (names) this.mentioned.note(one.serial, item);
    if (tag !== null) this.unnumbered = [...this.unnumbered, { serial: one.serial, key: item.key, tag, time: entry.time }].slice(-UNNUMBERED);
    if (unseen && concerns) {
      this.emit({ alert: { target: one.target, from: item.from, text: screen(entry.text, 200), key: item.key } });
    }
    this.changed(one);
  }

  /** A conversation was read up to a message, on another device or before. `newest`: the newest message of a room, as the server told it last, or 0.
   * @param {Target} target @param {number} upto @param {number | null} unread @param {number} [newest] */
  marked(target, upto, unread, newest = 0) {
    const isSeen = this.seeing && sameTarget(target, this.front);
    const one = isUser(target) && (unread ?? 0) > 0 ? this.open(target) : this.list.find(target);
    if (one === undefined) return;
    if (unread === null || isSeen) one.readTo(upto);
    else one.countedBehind(upto, unread, newest, isUser(target));
    one.version += 1;
  }

  /** How far the user has read of which the server does not know: as a destination on the wire, with the number of a message. */
  takeMarks() {
    const told = this.list.all.filter((one) => one.news() !== null);
    for (const one of told) one.marked = one.seen;
    return told.map((one) => ({ with: wireOf(one.target), upto: one.seen }));
  }

  /** Whether there is any. */
  hasMarks() {
    return this.list.all.some((one) => one.news() !== null);
  }

  /** The conversation that a message belongs to. @private
   * @param {Entry} entry @param {Kind} kind @param {boolean} own @param {boolean} rooms @returns {Target} */
  placeOf(entry, kind, own, rooms) {
    const paging = kind === "history" ? this.paging : null;
    if (rooms && entry.to.startsWith("#")) return entry.to;
    // What the server says is read where the user is.
    if (entry.from === SERVER && kind !== "history") return this.front;
    if (entry.to === LOBBY) return LOBBY;
    if (paging === null && own) return userTarget(entry.to);
    if (entry.from === SERVER) return LOBBY;
    return paging ?? userTarget(entry.from);
  }

  /** Whether an own message with a number is there already, without its number: that is noted then. @private
   * @param {Conversation} one @param {Entry} entry @param {Shown[]} lines */
  isKnown(one, entry, lines) {
    const id = entry.id;
    if (id === null) return false;
    const known = this.unnumbered.find((sent) => {
      if (sent.serial !== one.serial || sent.time !== entry.time) return false;
      const item = one.timeline.find(sent.key);
      return item?.kind === "message" && item.id === null && sameLines(item.lines, lines);
    });
    // The same text may have been sent twice, and this is the one that is answered.
    if (known === undefined || one.timeline.hasId(id)) return false;
    this.delivered(known, "stored", null, id);
    return true;
  }

  /** The server has answered an own message; gives where it was said. @param {string} tag @param {"stored" | "refused"} delivery @param {Shown | null} why
   * @param {number | null} id */
  answered(tag, delivery, why, id) {
    const sent = this.unnumbered.find((one) => one.tag === tag);
    if (sent === undefined) return null;
    this.unnumbered = this.unnumbered.filter((one) => one !== sent);
    this.delivered(sent, delivery, why, id);
    return this.list.withSerial(sent.serial)?.target ?? null;
  }

  /** The server answers own messages no more, except those that are awaited: the others have arrived.
   * @param {(tag: string) => boolean} awaited */
  settle(awaited) {
    const settled = this.unnumbered.filter((sent) => !awaited(sent.tag));
    this.unnumbered = this.unnumbered.filter((sent) => awaited(sent.tag));
    for (const sent of settled) this.delivered(sent, "stored", null, null);
  }

  /** @private @param {Unnumbered} sent @param {"stored" | "refused"} delivery @param {Shown | null} why @param {number | null} id */
  delivered(sent, delivery, why, id) {
    const one = this.list.withSerial(sent.serial);
    if (one === undefined) return;
    one.timeline.change(sent.key, (item) => (item.kind === "message" ? { ...item, delivery, why } : item));
    if (id !== null) one.giveNumber(sent.key, id);
    this.changed(one);
  }

  /** Says something in a conversation, if there is one. @param {Target} target @param {Omit<import("./types.js").Notice, "kind" | "key">} said */
  notice(target, said) {
    const one = this.list.find(target);
    if (one === undefined) return null;
    const key = this.list.nextKey();
    one.timeline.push({ kind: "notice", key, ...said });
    this.changed(one);
    return key;
  }

  /** Says that the connection is lost, or again that it is. @param {Omit<import("./types.js").Notice, "kind" | "key">} said */
  lost(said) {
    for (const one of this.list.all) {
      one.forgetAsked();
      one.version += 1;
    }
    this.paging = null;
    const front = this.list.find(this.front);
    const key = this.lostKey;
    if (front === undefined || key === null || front.timeline.last()?.key !== key) {
      this.lostKey = this.notice(this.front, said);
      return;
    }
    front.timeline.change(key, () => ({ kind: "notice", key, ...said }));
    this.changed(front);
  }

  /** Messages are missing at the end of a conversation. @param {Target} target */
  hole(target) {
    const one = this.list.find(target);
    if (one === undefined) return;
    one.timeline.pushHole(this.list.nextKey());
    this.changed(one);
  }

  /** Somebody came or went. @param {Target} target @param {string} name @param {boolean} came @param {number} now */
  moved(target, name, came, now) {
    const one = this.list.find(target);
    if (one === undefined) return;
    one.moved(this.list.nextKey(), shownName(name), came, now);
    this.changed(one);
  }

  /** A user has another name. @param {string} old @param {string} now */
  renamed(old, now) {
    for (const one of this.list.all) one.renamed(shownName(old), shownName(now));
    const target = userTarget(now);
    this.list.rename(userTarget(old), target);
    if (!sameTarget(userTarget(old), this.front)) return;
    // Where there is a conversation with the new name already, that is in front now.
    this.front = target;
    this.open(target);
  }

  /** Notes what a room is about. @param {string} name @param {number} number @param {string} topic */
  room(name, number, topic) {
    const known = this.list.room(number);
    if (known !== undefined && known.target !== name) {
      const before = known.target;
      this.list.rename(before, name);
      if (known.target === name && sameTarget(before, this.front)) this.front = name;
    }
    const other = this.list.find(name);
    // Another room has the name: nothing of the one before belongs to it.
    if (other !== undefined && other.number !== null && other.number !== number) this.remove(other);
    const one = this.open(name);
    one.number = number;
    one.gone = false;
    one.topic = screen(topic, 1000);
    one.version += 1;
  }

  /** The user is not a member of a room any more. @param {Conversation} one */
  roomLeft(one) {
    one.gone = true;
    one.version += 1;
    if (!sameTarget(one.target, this.front)) this.remove(one);
  }

  /** Nothing of a room up to this message is shown any more (RH-4). @param {Target} target @param {number} floor */
  clear(target, floor) {
    const one = this.list.find(target);
    if (one === undefined) return;
    const cleared = one.clear(floor);
    this.mentioned.forgetWhere((mention) => cleared.has(mention.key));
    this.changed(one);
  }

  /** The conversation that asks most for being read: the next one with a mention, or else with something unread, from the one in front on. */
  nextUnread() {
    const { all } = this.list;
    const front = all.findIndex((one) => foldTarget(one.target) === foldTarget(this.front));
    const others = [...all.slice(front + 1), ...all.slice(0, Math.max(0, front))];
    const next = others.find((one) => one.mentions > 0) ?? others.find((one) => one.unread > 0);
    return next?.target ?? null;
  }
}

/** Of what is answered so many characters are shown. */
const QUOTED = 80;

/** The line that is shown is one of so many at its beginning: a server may answer a thousand empty ones with each message. */
const LOOKED_AT = 20;

/** What a message answers, as far as it is loaded. @param {Conversation} one @param {number} id @returns {import("./types.js").Quote} */
function quoteOf(one, id) {
  const item = one.timeline.withId(id);
  if (item === undefined) return { id, key: null, from: null, text: null };
  const line = item.lines.slice(0, LOOKED_AT).find((text) => text.slice(0, QUOTED).trim() !== "") ?? "";
  return { id, key: item.key, from: item.from, text: line.length > QUOTED ? `${line.slice(0, QUOTED)}…` : line };
}
