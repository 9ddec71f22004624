// A timeline: the items of one conversation, in their order.
//
// Messages with a number stand in the order of their numbers, each number once; holes cut it into stretches, and each stretch has an
// order of its own, since behind a hole another history may begin. Everything else stands where it came.

/** @typedef {import("./types.js").Item} Item */

/** Where a message is to be put: in the last stretch, in the first (it is on a page of older ones), or behind a hole.
 * @typedef {"end" | "top" | { behind: number }} Spot */

/** What became of it: it was there already, it is the last item, or it is before others.
 * @typedef {"known" | "last" | "before"} Put */

/** What an item takes beside its texts, in bytes. */
const ITEM = 64;

export class Timeline {
  constructor() {
    /** @type {Item[]} */
    this.items = [];
    /** About how many bytes of text there are. */
    this.bytes = 0;
    this.holes = 0;
    /** The greatest number of the last stretch. @type {number | null} */
    this.newest = null;
    /** The messages by their numbers. Where stretches are of different histories, a number is that of the message that came last.
     * @private @type {Map<number, import("./types.js").Message>} */
    this.numbered = new Map();
  }

  get length() {
    return this.items.length;
  }

  /** The place of an item, or -1. @param {number | null} key */
  place(key) {
    return this.items.findLastIndex((item) => item.key === key);
  }

  /** @param {number} key */
  find(key) {
    return this.items[this.place(key)];
  }

  last() {
    return this.items.at(-1);
  }

  /** The newest item before a place that is no hole: holes are closed, and the marker stands behind what stays. */
  endBefore(place = this.items.length) {
    for (let at = place - 1; at >= 0; at -= 1) {
      const item = this.items[at];
      if (item && !isHole(item)) return item.key;
    }
    return null;
  }

  oldestId() {
    return this.firstId(0, this.items.length);
  }

  /** The number of the first message behind an item. @param {number} key */
  firstIdBehind(key) {
    const place = this.place(key);
    return place < 0 ? null : this.firstId(place + 1, this.items.length);
  }

  /** The message with a number. It takes the same time however many items there are: a server may ask for it with each message.
   * @param {number} id */
  withId(id) {
    return this.numbered.get(id);
  }

  /** @param {number} id */
  hasId(id) {
    return this.items.some((item) => idOf(item) === id);
  }

  /** @param {Item} item */
  push(item) {
    this.put(this.items.length, item);
  }

  /** Puts a message where its number belongs, if it has one. @param {Item} item @param {Spot} spot @returns {Put} */
  insert(item, spot) {
    const id = idOf(item);
    if (id === null || (spot === "end" && (this.newest === null || this.newest < id))) {
      this.push(item);
      return "last";
    }
    if (typeof spot === "object") this.close(spot.behind, id, item);
    const [start, end] = this.stretch(spot, id);
    const { found, place } = this.search(id, start, end);
    if (found) return "known";
    const isLast = place === this.items.length;
    this.put(place, item);
    return isLast ? "last" : "before";
  }

  /** Says that messages are missing at the end, where there are messages with numbers. @param {number} key */
  pushHole(key) {
    if (this.newest !== null) this.push({ kind: "hole", key, state: "open" });
  }

  /** Gives a message its number, and puts it where that belongs. A message with this number that is there already stays alone.
   * @param {number} key @param {number} id */
  number(key, id) {
    const place = this.place(key);
    const item = this.items[place];
    if (item === undefined || item.kind !== "message" || item.id !== null) return;
    // It was said now, as the server counts now, unless it comes before all of that.
    const last = this.stretchAt(this.items.length);
    const first = this.firstId(...last);
    const [start, end] = first !== null && id < first ? this.stretchAt(place) : last;
    const target = this.search(id, start, end);
    this.remove(place);
    if (target.found) return;
    const to = target.place > place ? target.place - 1 : target.place;
    // Where neither a message with a number nor a hole is between both places, it may stay.
    const between = this.items.slice(Math.min(place, to), Math.max(place, to));
    const stays = between.every((other) => idOf(other) === null && !isHole(other));
    this.put(stays ? place : to, { ...item, id });
  }

  /** Puts another item in the place of one. @param {number} key @param {(item: Item) => Item} change */
  change(key, change) {
    const place = this.place(key);
    const item = this.items[place];
    if (item === undefined) return;
    const changed = change(item);
    this.bytes += bytesOf(changed) - bytesOf(item);
    this.items[place] = changed;
    this.noteId(changed);
  }

  /** Removes the messages up to a number, and holes that nothing is above of; gives their keys. @param {number} floor */
  clear(floor) {
    const all = this.items;
    const cleared = new Set();
    this.items = [];
    this.bytes = this.holes = 0;
    this.newest = null;
    this.numbered.clear();
    let spoken = false;
    for (const item of all) {
      const id = idOf(item);
      if ((isHole(item) && !spoken) || (id !== null && id <= floor)) {
        cleared.add(item.key);
      } else {
        spoken ||= item.kind === "message";
        this.push(item);
      }
    }
    return cleared;
  }

  /** @param {number} place @param {Item} item */
  put(place, item) {
    this.bytes += bytesOf(item);
    if (isHole(item)) {
      this.holes += 1;
      this.newest = null;
    }
    const id = idOf(item);
    if (id !== null && this.isInLastStretch(place)) this.newest = Math.max(this.newest ?? 0, id);
    this.items.splice(place, 0, item);
    this.noteId(item);
  }

  /** @private @param {Item} item */
  noteId(item) {
    if (item.kind === "message" && item.id !== null) this.numbered.set(item.id, item);
  }

  /** @private @param {Item} item */
  forgetId(item) {
    if (item.kind === "message" && item.id !== null && this.numbered.get(item.id) === item) this.numbered.delete(item.id);
  }

  /** @param {number} place @returns {Item | undefined} */
  remove(place) {
    const [item] = place < 0 ? [] : this.items.splice(place, 1);
    if (item === undefined) return undefined;
    this.bytes -= bytesOf(item);
    this.forgetId(item);
    if (isHole(item)) this.holes -= 1;
    const id = idOf(item);
    if (isHole(item) || (id !== null && id === this.newest)) this.newest = this.greatestOfLastStretch();
    return item;
  }

  /** @private */
  greatestOfLastStretch() {
    let greatest = null;
    for (let at = this.items.length - 1; at >= 0; at -= 1) {
      const item = this.items[at];
      if (item === undefined || isHole(item)) break;
      const id = idOf(item);
      if (id !== null && (greatest === null || id > greatest)) greatest = id;
    }
    return greatest;
  }

  /** @private @param {number} place */
  isInLastStretch(place) {
    return this.holes === 0 || !this.items.slice(place).some(isHole);
  }

  /** Removes a hole, and those above it up to a message that is above them already and comes on the page that is to fill it: nothing
   * is missing between both then. @private @param {number} hole @param {number} id @param {Item} item */
  close(hole, id, item) {
    const place = this.place(hole);
    if (place < 0) return;
    for (let end = place; ; ) {
      const [start] = this.stretchAt(end);
      if (this.hasSame(id, item, start, end)) return this.merge(start, place);
      if (start === 0) return;
      end = start - 1;
    }
  }

  /** Whether a message stands between two places. In another history its number is that of something else.
   * @private @param {number} id @param {Item} item @param {number} start @param {number} end */
  hasSame(id, item, start, end) {
    const { found, place } = this.search(id, start, end);
    const known = this.items[place];
    if (!found || known?.kind !== "message" || item.kind !== "message") return false;
    // A user may have had another name.
    return sameLines(known.lines, item.lines) && (known.from === item.from || known.time === item.time);
  }

  /** Removes the holes between two places, and puts every message of that stretch where it belongs: those of a page may be older than
   * the first ones above it. @private @param {number} start @param {number} hole */
  merge(start, hole) {
    for (let place = hole; place >= start; place -= 1) {
      const item = this.items[place];
      if (item && isHole(item)) this.remove(place);
    }
    const late = [];
    let newest = 0;
    for (let place = start; place < this.items.length; ) {
      const item = this.items[place];
      if (item === undefined || isHole(item)) break;
      const id = idOf(item);
      if (id !== null && id <= newest) {
        this.remove(place);
        late.push({ id, item });
      } else {
        newest = id ?? newest;
        place += 1;
      }
    }
    for (const { id, item } of late) {
      const [, end] = this.stretchAt(start);
      const { found, place } = this.search(id, start, end);
      if (!found) this.put(place, item);
    }
  }

  /** The stretch that a message belongs to. @private @param {Spot} spot @param {number} id @returns {[number, number]} */
  stretch(spot, id) {
    if (spot === "top") return this.stretchAt(0);
    if (spot === "end") return this.stretchAt(this.items.length);
    const place = this.place(spot.behind);
    return place < 0 ? this.home(id) : this.stretchAt(place + 1);
  }

  /** The stretch around a place, which is no hole. @private @param {number} place @returns {[number, number]} */
  stretchAt(place) {
    if (this.holes === 0) return [0, this.items.length];
    let start = place;
    while (start > 0 && !isHole(/** @type {Item} */ (this.items[start - 1]))) start -= 1;
    let end = place;
    while (end < this.items.length && !isHole(/** @type {Item} */ (this.items[end]))) end += 1;
    return [start, end];
  }

  /** The last stretch that begins before a number. @private @param {number} id @returns {[number, number]} */
  home(id) {
    for (let at = this.items.length; ; ) {
      const [start, end] = this.stretchAt(at);
      const first = this.firstId(start, end);
      if (start === 0 || (first !== null && first <= id)) return [start, end];
      at = start - 1;
    }
  }

  /** @private @param {number} start @param {number} end @returns {number | null} */
  firstId(start, end) {
    for (let at = start; at < end; at += 1) {
      const item = this.items[at];
      const id = item ? idOf(item) : null;
      if (id !== null) return id;
    }
    return null;
  }

  /** The place of a number between two places, or else the place where it belongs: right behind the one before it.
   * @private @param {number} id @param {number} start @param {number} end */
  search(id, start, end) {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >> 1;
      let at = middle;
      let known = null;
      for (; at < high; at += 1) {
        known = idOf(/** @type {Item} */ (this.items[at]));
        if (known !== null) break;
      }
      if (known === null) high = middle;
      else if (known === id) return { found: true, place: at };
      else if (known < id) low = at + 1;
      else high = middle;
    }
    return { found: false, place: low };
  }
}

/** @param {Item} item */
export function isHole(item) {
  return item.kind === "hole";
}

/** @param {Item} item */
function idOf(item) {
  return item.kind === "message" ? item.id : null;
}

/** @param {readonly string[]} one @param {readonly string[]} other */
export function sameLines(one, other) {
  return one.length === other.length && one.every((line, place) => line === other[place]);
}

/** About how many bytes an item takes. @param {Item} item */
function bytesOf(item) {
  const sum = (/** @type {readonly string[]} */ texts) => texts.reduce((bytes, text) => bytes + 2 * text.length + 16, 0);
  switch (item.kind) {
    case "message":
      return ITEM + 2 * item.from.length + sum(item.lines) + (item.file ? sum([item.file.name, item.file.token, item.file.sha256]) : 0);
    case "moves":
      return ITEM + sum(item.joined) + sum(item.left);
    case "notice":
      return ITEM + sum(item.lines) + (item.table === null ? 0 : item.table.rows.reduce((bytes, row) => bytes + sum(row), 0));
    default:
      return ITEM;
  }
}
