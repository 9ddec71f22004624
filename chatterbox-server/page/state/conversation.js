// Conversations: a timeline, and what of it is unread.

import { isNothing, noMoves, withMove } from "./moves.js";
import { Timeline } from "./timeline.js";

/**
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").Shown} Shown
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./timeline.js").Spot} Spot
 */

/** Of so many messages that are unread it is known which; more are only counted. */
const UNSEEN = 1000;

/** So many users who have spoken are remembered. */
const SPEAKERS = 32;

/** What was asked for and did not come can be asked for again after so many seconds. */
const PATIENCE = 15;

export class Conversation {
  /** @param {Target} target @param {number} serial its identity, whatever its name */
  constructor(target, serial) {
    this.target = target;
    this.serial = serial;
    /** @type {Shown} */
    this.topic = "";
    this.timeline = new Timeline();
    this.unread = 0;
    this.mentions = 0;
    /** Behind this item begins what is new since the user looked elsewhere. @type {number | null} */
    this.marker = null;
    /** @type {import("./types.js").Conversation["older"]} */
    this.older = "unknown";
    this.gone = false;
    /** The number of the room: another room of that name has another one. @type {number | null} */
    this.number = null;
    /** The greatest number of a message that was shown to the user. */
    this.seen = 0;
    /** How far the server knows it to be read. */
    this.marked = 0;
    /** When it was in front last; the greatest is the latest. */
    this.opened = 0;
    /** Goes up with every change. */
    this.version = 1;
    /** What of it is counted among all. */
    this.counted = { items: 0, bytes: 0 };
    /** Those who have spoken last, the last one first. @type {Shown[]} */
    this.speakers = [];
    /** The page that was asked for. @type {{ spot: Spot, before: number | null, at: number } | null} */
    this.asked = null;
    /** Whether the messages that come now are those of that page. */
    this.paging = false;
    /** Before this time nothing is asked again. */
    this.againAt = -Infinity;
    /** The numbers of the last messages that are unread, and whether they are mentions. @type {{ id: number | null, names: boolean }[]} */
    this.unseen = [];
    /** The newest message of those that are unread and only counted. */
    this.countedTo = 0;
    /** Whether the user has seen its end and looks elsewhere since. */
    this.left = false;
  }

  /** The user has seen its end: nothing is unread. */
  read() {
    this.unread = this.mentions = 0;
    this.unseen = [];
    this.left = false;
    this.seen = Math.max(this.seen, this.timeline.newest ?? 0);
  }

  /** The message up to which the user has read and the server does not know it. */
  news() {
    return this.seen > this.marked ? this.seen : null;
  }

  /** It was read up to a message before, and the server counts what is behind it. `newest`: the newest message of it, where the server says
   * it, or 0. @param {number} upto @param {number} unread @param {number} newest @param {boolean} isPrivate */
  countedBehind(upto, unread, newest, isPrivate) {
    this.marked = Math.max(this.marked, upto);
    this.seen = Math.max(this.seen, upto);
    this.unread = unread;
    this.mentions = isPrivate ? unread : 0;
    const { items } = this.timeline;
    this.unseen = items.flatMap((item) => (item.kind === "message" && !item.own && item.id !== null && item.id > upto ? [{ id: item.id, names: isPrivate }] : []));
    // What is not in the welcome is older than what is. Where it has nothing of this conversation, and nobody says what the newest message is,
    // whoever reads on has read all.
    const oldest = this.timeline.oldestId();
    this.countedTo = Math.max(oldest === null ? newest : oldest - 1, upto + 1);
    const last = items.findLast((item) => item.kind === "message" && item.id !== null && item.id <= upto);
    if (unread > 0 && last !== undefined) this.marker = last.key;
  }

  /** It was read up to a message on another device. @param {number} upto */
  readTo(upto) {
    this.marked = Math.max(this.marked, upto);
    this.seen = Math.max(this.seen, upto);
    this.seenUpTo(upto);
  }

  /** What is up to this message is not unread. Of what is only counted nobody knows how much that is, unless it is all.
   * @private @param {number} upto */
  seenUpTo(upto) {
    const left = this.unseen.filter(({ id }) => id === null || id > upto);
    const named = (/** @type {{ names: boolean }[]} */ all) => all.filter(({ names }) => names).length;
    if (this.countedTo <= upto) {
      this.unread = left.length;
      this.mentions = named(left);
    } else {
      this.unread = Math.max(0, this.unread - (this.unseen.length - left.length));
      this.mentions = Math.max(0, this.mentions - (named(this.unseen) - named(left)));
    }
    this.unseen = left;
  }

  /** The user looks elsewhere; where all was seen, what comes from now on is new. */
  leave() {
    if (this.unread > 0) return;
    this.marker = this.timeline.endBefore();
    this.left = true;
  }

  /** Puts a message where it belongs. `unseen`: the user does not see it come; `names`: it concerns them.
   * @param {import("./types.js").Message} item @param {boolean} unseen @param {boolean} names */
  speech(item, unseen, names) {
    const last = this.timeline.endBefore();
    const put = this.timeline.insert(item, this.paging && this.asked !== null ? this.asked.spot : "end");
    if (put === "known") return put;
    if (unseen) {
      // What was seen ends here; where the user looks elsewhere it has ended when they left.
      if (this.unread === 0 && !this.left) this.marker = last;
      this.unread += 1;
      this.mentions += names ? 1 : 0;
      if (this.unseen.length >= UNSEEN) this.countedTo = Math.max(this.countedTo, this.unseen.shift()?.id ?? 0);
      this.unseen.push({ id: item.id, names });
    }
    if (!item.own) this.spoke(item.from, put === "last");
    return put;
  }

  /** @private @param {Shown} from @param {boolean} last */
  spoke(from, last) {
    const known = this.speakers.indexOf(from);
    if (last) {
      if (known >= 0) this.speakers.splice(known, 1);
      this.speakers = [from, ...this.speakers].slice(0, SPEAKERS);
    } else if (known < 0 && this.speakers.length < SPEAKERS) {
      this.speakers.push(from);
    }
  }

  /** @param {Shown} old @param {Shown} now */
  renamed(old, now) {
    this.speakers = this.speakers.map((speaker) => (speaker === old ? now : speaker));
  }

  /** Gives an own message its number, which may move it down; the marker stays where it is. @param {number} key @param {number} id */
  giveNumber(key, id) {
    // The server moves the mark with it.
    this.seen = Math.max(this.seen, id);
    this.marked = Math.max(this.marked, id);
    const place = this.timeline.place(key);
    const above = this.timeline.endBefore(place);
    this.timeline.number(key, id);
    if (this.marker === key && this.timeline.place(key) !== place) this.marker = above;
  }

  /** Somebody came or went: changes the comings and goings at the end; where there are none yet it begins with them.
   * @param {number} key of a new item @param {Shown} name @param {boolean} came @param {number} now */
  moved(key, name, came, now) {
    const last = this.timeline.last();
    if (last?.kind !== "moves") {
      this.timeline.push(withMove(noMoves(key, now), name, came));
      return;
    }
    const moves = withMove(last, name, came);
    if (!isNothing(moves)) {
      this.timeline.change(last.key, () => moves);
      return;
    }
    this.timeline.remove(this.timeline.length - 1);
    if (this.marker === last.key) this.marker = this.timeline.endBefore();
  }

  /** Whether older messages can be asked for. @param {number} now */
  mayAsk(now) {
    return this.asked === null ? now >= this.againAt : now >= this.asked.at + PATIENCE;
  }

  /** Notes that a page is asked for. @param {Spot} spot @param {number} now */
  ask(spot, now) {
    this.forgetAsked();
    const before = this.idAt(spot);
    if (typeof spot === "object") this.fill(spot.behind, "asked");
    else this.older = "asked";
    this.asked = { spot, before, at: now };
  }

  /** The number before which the messages of a page are. @param {Spot} spot */
  idAt(spot) {
    return typeof spot === "object" ? this.timeline.firstIdBehind(spot.behind) : this.timeline.oldestId();
  }

  /** A page is over. `more`: there are older messages; `refused`: the server does not show it.
   * @param {boolean} more @param {boolean} refused @param {number} now */
  pageOver(more, refused, now) {
    const asked = this.paging ? this.asked : null;
    if (this.paging) this.asked = null;
    this.paging = false;
    if (asked === null) {
      if (!more && !refused && this.asked === null) this.older = "beginning";
      return;
    }
    if (refused) {
      this.againAt = now + PATIENCE;
      return this.reopen(asked.spot);
    }
    // A page that brings nothing would be asked for without end.
    const goesOn = more && this.idAt(asked.spot) !== asked.before;
    if (typeof asked.spot === "object") this.fill(asked.spot.behind, goesOn ? "open" : "lost");
    else this.older = goesOn ? "more" : "beginning";
  }

  /** What was asked for does not come any more; it can be asked for again. */
  forgetAsked() {
    this.paging = false;
    if (this.asked !== null) this.reopen(this.asked.spot);
    this.asked = null;
  }

  /** @private @param {Spot} spot */
  reopen(spot) {
    if (typeof spot === "object") this.fill(spot.behind, "open");
    else this.older = "unknown";
  }

  /** @private @param {number} hole @param {import("./types.js").Hole["state"]} state */
  fill(hole, state) {
    this.timeline.change(hole, (item) => (item.kind === "hole" ? { ...item, state } : item));
  }

  /** Forgets the oldest item; a message can be asked for again. @returns {Item | undefined} */
  dropOldest() {
    const dropped = this.timeline.remove(0);
    if (dropped?.kind === "message" && this.older !== "asked") this.older = "more";
    if (dropped !== undefined && this.marker === dropped.key) this.marker = null;
    return dropped;
  }

  /** Clears the messages up to a number (RH-4); gives their keys. @param {number} floor */
  clear(floor) {
    this.seenUpTo(floor);
    const above = this.timeline.items.slice(0, this.timeline.place(this.marker) + 1);
    const cleared = this.timeline.clear(floor);
    this.marker = above.findLast((item) => !cleared.has(item.key))?.key ?? null;
    if (this.asked === null) this.older = "beginning";
    return cleared;
  }
}
