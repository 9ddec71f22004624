// The list of conversations: their order, how one is found, and the bounds of them all together.

import { Conversation } from "./conversation.js";
import { LOBBY, foldTarget, isRoom, isUser } from "./target.js";

/** @typedef {import("./types.js").Target} Target */

/**
 * @typedef {object} Limits The bounds; what is older, or was not used for longest, goes first.
 * @property {number} items items of one conversation
 * @property {number} allItems items of all conversations
 * @property {number} bytes of text of all conversations
 * @property {number} users conversations with users
 * @property {number} rooms
 */

/** Those of an ordinary session. @type {Limits} */
export const USUAL = { items: 10_000, allItems: 50_000, bytes: 16 * 1024 * 1024, users: 200, rooms: 500 };

/** Of each conversation that is not in front so many items are left as long as others have more. */
const SPARED = 50;

/** The lobby, then rooms in the order in which they were joined, then users in the order in which they were opened. */
export class List {
  /** @param {Limits} limits */
  constructor(limits) {
    this.limits = limits;
    this.lastKey = 0;
    this.lastSerial = 0;
    /** How many items and bytes all have. */
    this.items = 0;
    this.bytes = 0;
    /** By folded target. @type {Map<Target, Conversation>} */
    this.byTarget = new Map();
    /** @type {Conversation[]} */
    this.all = [];
    this.add(LOBBY, 0);
  }

  nextKey() {
    this.lastKey += 1;
    return this.lastKey;
  }

  /** @param {Target} target */
  find(target) {
    return this.byTarget.get(foldTarget(target));
  }

  /** @param {number} serial */
  withSerial(serial) {
    return this.all.find((one) => one.serial === serial);
  }

  /** The room with a number, whatever its name. @param {number} number */
  room(number) {
    return this.all.find((one) => one.number === number);
  }

  /** Opens a conversation, where there is none. The one of its kind that was not used for longest makes room for it, except the one in
   * front. Gives the one that is gone. @param {Target} target @param {Target} front */
  open(target, front) {
    if (this.find(target) !== undefined) return undefined;
    const most = isUser(target) ? this.limits.users : this.limits.rooms;
    const alike = this.all.filter((one) => one.target !== LOBBY && isUser(one.target) === isUser(target));
    const inFront = this.find(front);
    const others = alike.filter((one) => one !== inFront);
    const gone = alike.length < most ? undefined : leastUsed(others);
    if (gone !== undefined) this.remove(gone);
    const users = this.all.findIndex((one) => isUser(one.target));
    this.add(target, isRoom(target) && users >= 0 ? users : this.all.length);
    return gone;
  }

  /** @private @param {Target} target @param {number} place */
  add(target, place) {
    this.lastSerial += 1;
    const one = new Conversation(target, this.lastSerial);
    this.byTarget.set(foldTarget(target), one);
    this.all.splice(place, 0, one);
  }

  /** Takes a conversation off the list; the lobby stays. @param {Conversation} one */
  remove(one) {
    const place = this.all.indexOf(one);
    if (place <= 0) return false;
    this.all.splice(place, 1);
    this.items -= one.counted.items;
    this.bytes -= one.counted.bytes;
    return this.byTarget.delete(foldTarget(one.target));
  }

  /** Gives a conversation another name, unless there is another one of that name. @param {Target} old @param {Target} now */
  rename(old, now) {
    const one = this.find(old);
    const other = this.find(now);
    if (one === undefined || (other !== undefined && other !== one)) return;
    this.byTarget.delete(foldTarget(old));
    one.target = now;
    one.version += 1;
    this.byTarget.set(foldTarget(now), one);
  }

  /** Counts anew what a conversation has. @private @param {Conversation} one */
  count(one) {
    const { length: items, bytes } = one.timeline;
    this.items += items - one.counted.items;
    this.bytes += bytes - one.counted.bytes;
    one.counted = { items, bytes };
  }

  /** Whether another page would still find room in a conversation. @param {Conversation} one @param {number} page */
  hasRoom(one, page) {
    return one.timeline.length + page <= this.limits.items && this.items + page <= this.limits.allItems && this.bytes < this.limits.bytes;
  }

  /** Drops what is beyond the bounds: the oldest items of the conversation that was changed, or of those that were not in front for
   * longest. Gives what was dropped. @param {Conversation} changed @param {Target} front */
  trim(changed, front) {
    const dropped = [];
    while (changed.timeline.length > this.limits.items) dropped.push(changed.dropOldest());
    this.count(changed);
    while (this.items > this.limits.allItems || this.bytes > this.limits.bytes) {
      const one = this.toShorten(front);
      if (one === undefined) break;
      for (let left = Math.max(1, Math.floor(one.timeline.length / 10)); left > 0; left -= 1) dropped.push(one.dropOldest());
      one.version += 1;
      this.count(one);
    }
    return dropped;
  }

  /** @private @param {Target} front */
  toShorten(front) {
    const inFront = this.find(front);
    const others = this.all.filter((one) => one.timeline.length > SPARED && one !== inFront);
    if (others.length > 0) return leastUsed(others);
    const filled = this.all.filter((one) => one.timeline.length > 0);
    return filled.reduce((/** @type {Conversation | undefined} */ most, one) => (most && most.timeline.bytes >= one.timeline.bytes ? most : one), undefined);
  }
}

/** @param {Conversation[]} all */
function leastUsed(all) {
  const last = (/** @type {Conversation} */ one) => one.timeline.last()?.key ?? 0;
  return all.reduce(
    (/** @type {Conversation | undefined} */ least, one) =>
      least && (least.opened < one.opened || (least.opened === one.opened && last(least) <= last(one))) ? least : one,
    undefined,
  );
}
