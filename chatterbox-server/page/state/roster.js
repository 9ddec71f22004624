// Who is here: names, and what is told of each.

import { fold, shownName } from "./text.js";

/** @typedef {{ away: string | null, since: number | null }} Told */

/** The most users that are kept, and the most characters of their names together: a hostile server could name millions. */
const USERS = 100_000;
const CHARACTERS = 8 * 1024 * 1024;

export class Roster {
  constructor() {
    /** @type {Map<string, Told>} */
    this.users = new Map();
    this.characters = 0;
    this.version = 1;
    /** @private @type {Set<string>} */
    this.folded = new Set();
    /** @private The version of which that was made; and of which the list was. */
    this.foldedAt = 0;
    this.listedAt = 0;
    /** @private @type {readonly import("./types.js").Person[]} */
    this.listed = [];
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
    if (this.users.has(name)) return true;
    if (this.foldedAt !== this.version) {
      this.folded = new Set([...this.users.keys()].map(fold));
      this.foldedAt = this.version;
    }
    return this.folded.has(fold(name));
  }

  /** Adds a user. Says whether the name is new. @param {string} name @param {Told} [told] */
  add(name, told = { away: null, since: null }) {
    if (this.users.has(name) || this.users.size >= USERS || this.characters + name.length > CHARACTERS) return false;
    this.users.set(name, told);
    this.characters += name.length;
    this.version += 1;
    return true;
  }

  /** Removes a user. Says whether the name was there. @param {string} name */
  remove(name) {
    if (!this.users.delete(name)) return false;
    this.characters -= name.length;
    this.version += 1;
    return true;
  }

  /** Gives a user another name. @param {string} old @param {string} now */
  rename(old, now) {
    const told = this.users.get(old);
    this.remove(old);
    this.remove(now);
    this.add(now, told);
  }

  /** Notes what is told of a user who is here; gives what was known before. @param {string} name @param {Told} told */
  tell(name, told) {
    const before = this.users.get(name);
    if (before === undefined) return undefined;
    this.users.set(name, told);
    this.version += 1;
    return before;
  }

  /** The users as they are listed, by name. @returns {readonly import("./types.js").Person[]} */
  people() {
    if (this.listedAt !== this.version) {
      this.listed = sorted([...this.users.keys()]).map((name) => {
        const { away, since } = /** @type {Told} */ (this.users.get(name));
        return { name: shownName(name), target: `@${name}`, away, since };
      });
      this.listedAt = this.version;
    }
    return this.listed;
  }
}

/** Names in the order in which they are listed. @param {string[]} names */
export function sorted(names) {
  const folded = names.map((name) => ({ name, key: fold(name) }));
  folded.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : one.name < other.name ? -1 : 1));
  return folded.map(({ name }) => name);
}
