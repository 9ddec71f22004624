// The rooms of this user: what the server has told of each, and who is in it.

import { boolean, count, level, list, member, members, name, names, text } from "./read.js";
import { Roster } from "./roster.js";
import { fold } from "./text.js";
import { LOBBY } from "./target.js";

/** The most rooms that are kept, and the most members of all of them together. */
const ROOMS = 200;
const USERS = 100_000;

/** The most that is kept of a topic, and of the lists beside a roster. */
const TOPIC = 2000;
const STAFF = 200;
const FLAGS = 16;

/** One room of which this user is a member, or the lobby. */
export class Room {
  /** @param {string} roomName @param {number} number another room of the same name has another one */
  constructor(roomName, number) {
    this.name = roomName;
    this.number = number;
    this.level = 0;
    /** The members of level 2 or more. @type {ReadonlyMap<string, number>} */
    this.staff = new Map();
    this.topic = "";
    /** The longest message in characters. @type {number | null} */
    this.length = null;
    /** The lowest level that may write. */
    this.talk = 0;
    /** Seconds between two messages of one user. */
    this.slow = 0;
    /** @type {readonly string[]} */
    this.flags = [];
    /** The newest message when the server told it last; 0 is none. */
    this.last = 0;
    /** Nothing up to this message is shown any more. */
    this.floor = 0;
    /** Whether some of what was missed was not sent (RH-6). */
    this.gap = false;
    /** How many members it has, where their names are not all. */
    this.told = 0;
    /** Its members, where they are listed. @type {Roster | null} */
    this.users = null;
    this.version = 1;
  }

  count() {
    return Math.max(this.told, this.users?.size ?? 0);
  }

  /** Takes the keys that are there; at most so many members are kept. @param {unknown} told @param {number} most */
  take(told, most) {
    this.level = level(member(told, "LEVEL")) ?? this.level;
    this.topic = text(member(told, "TOPIC"))?.slice(0, TOPIC) ?? this.topic;
    this.length = count(member(told, "LENGTH")) ?? this.length;
    this.talk = level(member(told, "TALK")) ?? this.talk;
    this.slow = count(member(told, "SLOW")) ?? this.slow;
    this.last = count(member(told, "LAST")) ?? this.last;
    this.floor = count(member(told, "FLOOR")) ?? this.floor;
    this.gap = member(told, "GAP") === true;
    this.flags = names(member(told, "FLAGS"), FLAGS) ?? this.flags;
    const staff = members(member(told, "STAFF"), STAFF);
    if (staff !== null) {
      const levels = [...staff].map(([who, value]) => /** @type {const} */ ([who, level(value)]));
      this.staff = new Map(levels.filter((/** @type {readonly [string, number | null]} */ entry) => entry[1] !== null).map(([who, one]) => [who, one ?? 0]));
    }
    const users = Array.isArray(member(told, "USERS")) ? names(member(told, "USERS"), most) : null;
    if (users !== null) {
      this.told = 0;
      this.users = new Roster();
      for (const user of users) this.users.add(user);
    }
    if (boolean(member(told, "ROSTER")) === false) this.users = null;
    this.told = count(member(told, "COUNT")) ?? this.told;
    this.version += 1;
  }
}

/** The rooms of one user. */
export class Rooms {
  constructor() {
    /** By folded name, in the order in which they were joined. @type {Map<string, Room>} */
    this.each = new Map();
    this.lobby = new Room(LOBBY, 0);
    /** The room that the user has set as default, or `ALL`. @type {string | null} */
    this.default = null;
  }

  all() {
    return [...this.each.values()];
  }

  /** The room of this name, in any spelling. @param {string} roomName */
  find(roomName) {
    return this.each.get(fold(roomName));
  }

  /** @param {number} number */
  has(number) {
    return this.all().some((room) => room.number === number);
  }

  /** How many members may still be kept. @private */
  left() {
    return this.all().reduce((left, room) => left - (room.users?.size ?? 0), USERS);
  }

  /** Takes one object of ROOMS: every key of a room, or those that have changed (RM-5, RM-11).
   * @param {unknown} told @returns {{ room: Room, joined: boolean } | null} */
  take(told) {
    const roomName = name(member(told, "ROOM"));
    const number = count(member(told, "NUMBER"));
    if (roomName === LOBBY) {
      this.lobby.take(told, 0);
      return { room: this.lobby, joined: false };
    }
    if (roomName === null || number === null || !roomName.startsWith("#")) return null;
    const known = this.find(roomName);
    if (known !== undefined && known.number === number) {
      // The names that are replaced make room for others.
      known.take(told, this.left() + (known.users?.size ?? 0));
      return { room: known, joined: false };
    }
    // Another room has the name now: nothing of the one before belongs to it.
    this.each.delete(fold(roomName));
    if (this.each.size >= ROOMS) return null;
    const room = new Room(roomName, number);
    room.take(told, this.left());
    this.each.set(fold(roomName), room);
    return { room, joined: true };
  }

  /** Forgets a room. @param {string} roomName @param {number | null} number */
  remove(roomName, number) {
    const known = this.find(roomName);
    if (known !== undefined && (number === null || known.number === number)) this.each.delete(fold(roomName));
  }

  /** Others are members, or are none any more; gives those of whom that is new.
   * @param {string} roomName @param {unknown} told @param {boolean} came */
  moved(roomName, told, came) {
    const room = this.find(roomName);
    const users = room?.users;
    if (room === undefined || !users) return [];
    let left = this.left();
    const news = (names(told, USERS) ?? []).filter((user) => {
      const isNew = came ? left > 0 && users.add(user) : users.remove(user);
      left -= isNew && came ? 1 : 0;
      return isNew;
    });
    // The names are the count from now on.
    room.told = 0;
    room.version += 1;
    return news;
  }

  /** A user has another name, in every room (RM-8). @param {string} old @param {string} now */
  renamed(old, now) {
    for (const room of this.each.values()) {
      const at = room.staff.get(old);
      if (at !== undefined) room.staff = new Map([...room.staff].map(([who, one]) => [who === old ? now : who, one]));
      if (room.users?.has(old)) room.users.rename(old, now);
      room.version += 1;
    }
  }
}

/** An end of a membership (RM-7).
 * @typedef {{ room: string, number: number | null, code: string | null, by: string | null, info: string | null }} RoomLeft */

/** @param {unknown} value @returns {RoomLeft[]} */
export function roomsLeft(value) {
  const read = [];
  for (const one of (list(value) ?? []).slice(0, ROOMS)) {
    const room = name(member(one, "ROOM"));
    if (room === null) continue;
    read.push({ room, number: count(member(one, "NUMBER")), code: text(member(one, "CODE")), by: name(member(one, "BY")), info: text(member(one, "INFO")) });
  }
  return read;
}
