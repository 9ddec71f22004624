// Who is here: names, and what is told of each.

import { fold, shownName } from "./text.js";

/**
 * @typedef {import("./types.js").Person} Person
 * @typedef {{ away: string | null, since: number | null }} Told
 * @typedef {{ name: string, key: string, told: Told, person: Person }} Entry `key` is what they are sorted by
 */

/** The most users that are kept, and the most characters of their names together: a hostile server could name millions. */
const USERS = 100_000;
const CHARACTERS = 8 * 1024 * 1024;

/** @type {Told} */
const NOTHING = { away: null, since: null };

export class Roster {
  constructor() {
    /** @type {Map<string, Entry>} */
    this.users = new Map();
    /** How many have a name, without regard to case. @private @type {Map<string, number>} */
    this.folded = new Map();
    /** All of them as they are listed, or null where that is to be made anew. @private @type {Entry[] | null} */
    this.order = null;
    /** @private @type {{ version: number, people: readonly Person[] }} */
    this.listed = { version: 0, people: [] };
    this.characters = 0;
    this.version = 1;
  }

  get size() {
    return this.users.size;
  }

  /** @param {string} name */
  has(name) {
    return this.users.has(name);
  }

  /** Whether somebody is here under this name, in whatever case. @param {string} name */
  isHere(name) {
    return this.users.has(name) || this.folded.has(fold(name));
  }

  /** Adds a user. Says whether the name is new. @param {string} name @param {Told} [told] */
  add(name, told = NOTHING) {
    if (this.users.has(name) || this.users.size >= USERS || this.characters + name.length > CHARACTERS) return false;
    const key = fold(name);
    const entry = { name, key, told, person: personOf(name, told) };
    this.users.set(name, entry);
    this.folded.set(key, (this.folded.get(key) ?? 0) + 1);
    this.order?.splice(placeOf(this.order, entry), 0, entry);
    this.characters += name.length;
    this.version += 1;
    return true;
  }

  /** Adds users of whom there may be very many: sorting them once is less than finding a place for each. @param {string[]} names */
  addAll(names) {
    if (names.length > 100) this.order = null;
    return names.filter((name) => this.add(name));
  }

  /** The name of a user, in their spelling. @param {string} name */
  spelling(name) {
    if (this.users.has(name)) return name;
    const key = fold(name);
    if (!this.folded.has(key)) return null;
    for (const [known, entry] of this.users) if (entry.key === key) return known;
    return null;
  }

  /** Removes a user. Says whether the name was there. @param {string} name */
  remove(name) {
    const entry = this.users.get(name);
    if (entry === undefined) return false;
    this.users.delete(name);
    const others = (this.folded.get(entry.key) ?? 1) - 1;
    if (others > 0) this.folded.set(entry.key, others);
    else this.folded.delete(entry.key);
    this.order?.splice(placeOf(this.order, entry), 1);
    this.characters -= name.length;
    this.version += 1;
    return true;
  }

  /** Gives a user another name. @param {string} old @param {string} now */
  rename(old, now) {
    const told = this.users.get(old)?.told;
    this.remove(old);
    this.remove(now);
    this.add(now, told);
  }

  /** Notes what is told of a user who is here; gives what was known before. @param {string} name @param {Told} told */
  tell(name, told) {
    const entry = this.users.get(name);
    if (entry === undefined) return undefined;
    const before = entry.told;
    entry.told = told;
    entry.person = personOf(name, told);
    this.version += 1;
    return before;
  }

  /** The users as they are listed, by name. @returns {readonly Person[]} */
  people() {
    if (this.listed.version !== this.version) {
      this.order ??= [...this.users.values()].sort(compare);
      this.listed = { version: this.version, people: this.order.map((entry) => entry.person) };
    }
    return this.listed.people;
  }
}

/** @param {string} name @param {Told} told @returns {Person} */
function personOf(name, { away, since }) {
  return { name: shownName(name), target: `@${name}`, away, since };
}

/** @param {Entry} one @param {Entry} other */
function compare(one, other) {
  if (one.key !== other.key) return one.key < other.key ? -1 : 1;
  return one.name === other.name ? 0 : one.name < other.name ? -1 : 1;
}

/** The place of an entry in a sorted list, or where it belongs. @param {Entry[]} order @param {Entry} entry */
function placeOf(order, entry) {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(/** @type {Entry} */ (order[middle]), entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
