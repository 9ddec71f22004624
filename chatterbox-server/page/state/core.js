// The parts of the state, and what all of them need: effects, notices, sending.

import { Calls } from "./calls.js";
import { Catalogue } from "./catalogue.js";
import { Gaps } from "./gaps.js";
import { Model } from "./model.js";
import { ALL_OFFERED } from "./offer.js";
import { Rooms } from "./rooms.js";
import { Roster } from "./roster.js";
import { Seen, Sent } from "./sent.js";
import { fold } from "./text.js";
import { isRoom, LOBBY, sameTarget, targetOf, userTarget } from "./target.js";
import { sameLines } from "./timeline.js";
import { Transfers } from "./transfers.js";

/**
 * @typedef {import("./types.js").Effect} Effect
 * @typedef {import("./types.js").Target} Target
 * @typedef {import("./entries.js").Entry} Entry
 */

/** Where the session stands with the server: no name; asked for one; joined; the connection is lost, and it can go on; asked to go on.
 * @typedef {"nameless" | "asked" | "joined" | "lost" | "again"} Standing */

/** Why the server ends this connection (NO-3).
 * @typedef {{ code: string, info: import("./types.js").Shown, until: number | null, retry: number | null }} Closed */

/** So many names that this user has had are kept. */
const NAMES = 64;

export class Core {
  /** @param {import("./list.js").Limits} limits @param {number} [transfers] how many transfers there ever were */
  constructor(limits, transfers = 0) {
    /** @type {Effect[]} */
    this.effects = [];
    this.model = new Model(limits, (effect) => this.effects.push(effect));
    /** @type {import("./types.js").Phase} */
    this.phase = { is: "idle" };
    /** @type {Standing} */
    this.standing = "nameless";
    /** Whether there was a welcome: before it there is nothing to be read. */
    this.isWelcomed = false;
    /** The own name, as it is now; before the welcome the one that was asked for. */
    this.me = "";
    /** The names that this user has had, folded, the newest last: an own private message comes back under the name that it was said under.
     * @type {Set<string>} */
    this.names = new Set();
    /** @type {ReadonlySet<string>} */
    this.agreed = new Set();
    this.roster = new Roster();
    this.rooms = new Rooms();
    this.sent = new Sent();
    this.seen = new Seen();
    this.catalogue = new Catalogue();
    this.calls = new Calls();
    this.gaps = new Gaps();
    this.transfers = new Transfers(transfers);
    /** The pages that were asked for, in order: for which conversation, or for the gap of a room. @type {{ with: string, serial: number | null }[]} */
    this.pages = [];
    /** What resumes this session (ID-7). @type {string | null} */
    this.resume = null;
    /** The login token of the account, which does what the password does. @type {string | null} */
    this.token = null;
    /** The account's name, which stays when the user takes another name. @type {string | null} */
    this.account = null;
    /** The login that was kept is worth nothing any more, which the user was not told yet. */
    this.isLoginUnknown = false;
    this.level = 0;
    /** @type {readonly string[]} */
    this.levels = [];
    this.server = { name: "", banner: /** @type {string[]} */ ([]) };
    /** @type {{ frame: number | null, content: number | null, name: number | null, file: number | null, chunk: number | null }} */
    this.limits = { frame: null, content: null, name: null, file: null, chunk: null };
    /** @type {Closed | null} */
    this.closed = null;
    /** The user has logged out, or leaves: the end of the connection is what they wanted. */
    this.leaving = false;
    /** The room that comes to the front when this user has become a member of it. @type {Target | null} */
    this.wanted = null;
    /** The number of the room in front, when it came there: what is typed for it goes to no other one of its name.
     * @type {number | null} */
    this.frontRoom = null;
  }

  isJoined() {
    return this.standing === "joined";
  }

  /** Whether the session waits for a connection on which it can go on. */
  isDown() {
    return this.standing === "lost" || this.standing === "again";
  }

  /** Whether a capability counts now. Before the answer to the offer, each that was offered may. @param {string} capability */
  has(capability) {
    return (this.isJoined() ? this.agreed : ALL_OFFERED).has(capability);
  }

  /** Whether there are rooms, or one is in front on a server that has none any more. */
  hasRooms() {
    return this.agreed.has("rooms") || this.frontRoom !== null;
  }

  /** @param {object} object */
  send(object) {
    this.effects.push({ send: object });
  }

  /** Says something where the user is, or in another conversation.
   * @param {string[]} lines @param {number} now @param {import("./types.js").Notice["tone"]} [tone] @param {Target} [target] */
  say(lines, now, tone = "info", target = this.model.front) {
    const last = this.model.list.find(target)?.timeline.last();
    // What is said again and again stands once.
    const isSaid = last?.kind === "notice" && last.tone === tone && last.table === null && sameLines(last.lines, lines);
    if (!isSaid) this.model.notice(target, { tone, lines, table: null, time: now });
  }

  /** What was typed was not sent: says why, and gives the text back to whoever has typed it.
   * @param {string} why @param {number} now @param {string | null} text */
  notSent(why, now, text = null) {
    this.say([`Nothing was sent: ${why}.`], now, "error");
    if (text !== null) this.effects.push({ restore: text });
  }

  /** @param {Entry} entry @param {import("./model.js").Kind} kind @param {string | null} [tag] */
  message(entry, kind, tag = null) {
    this.model.message(entry, kind, this.isOwn(entry), this.me, this.agreed.has("rooms"), tag);
  }

  /** The user has this name from now on. @param {string} name */
  isCalled(name) {
    this.me = name;
    this.names.delete(fold(name));
    this.names.add(fold(name));
    if (this.names.size > NAMES) this.names.delete(/** @type {string} */ (this.names.values().next().value));
  }

  /** Whether this user has said a message. A private one they may have said under a name that they had before: only the two who talk are
   * told of it. @param {Entry} entry */
  isOwn({ from, to }) {
    if (from === this.me) return true;
    if (to === LOBBY || isRoom(targetOf(to, this.agreed.has("rooms")))) return false;
    // On a page of what was said with somebody the other one of the two is this user.
    const { paging } = this.model;
    if (paging !== null && sameTarget(userTarget(from), paging)) return false;
    if (paging !== null && sameTarget(userTarget(to), paging)) return true;
    return this.names.has(fold(from)) && !this.names.has(fold(to));
  }

  /** Brings a conversation to the front. @param {Target} target */
  bring(target) {
    const room = this.rooms.find(target);
    this.wanted = null;
    this.frontRoom = room?.number ?? null;
    this.model.bring(room?.name ?? this.model.list.find(target)?.target ?? target);
    if (room !== undefined) this.roomShown(room);
  }

  /** The user is shown a room. @param {import("./rooms.js").Room} room */
  roomShown(room) {
    this.model.room(room.name, room.number, room.topic);
    const one = this.model.list.find(room.name);
    // Nothing was ever said in it.
    if (one !== undefined && room.last === 0 && one.older === "unknown") one.older = "beginning";
  }

  /** Sends what waits, as far as the window lets it. */
  pump() {
    if (!this.isJoined()) return;
    const take = () => this.sent.takeNext(this.limits.frame);
    for (let next = take(); next.length > 0; next = take()) {
      const messages = next.map(({ to, time, text }) => [this.me, to, time, text]);
      const tags = next.map(({ tag }) => tag);
      const metas = next.map(({ meta }) => meta);
      const beside = this.agreed.has("meta") && metas.some((meta) => meta !== null) ? { META: metas } : {};
      this.send(this.agreed.has("ids") ? { MESSAGES: messages, TAGS: tags, ...beside } : { MESSAGES: messages });
    }
  }

  /** Whether there is something to tell of how far the user has read. Of a guest the server keeps nothing. */
  hasMarks() {
    return this.isJoined() && this.level > 0 && this.agreed.has("marks") && this.model.hasMarks();
  }

  /** Tells the server how far the user has read (MK-1). */
  tellMarks() {
    if (!this.hasMarks()) return;
    for (const { with: who, upto } of this.model.takeMarks()) this.send({ READ: { WITH: who, UPTO: upto } });
  }

  /** Asks for a page of history. @param {string} who @param {{ before?: number | null, after?: number, limit: number, serial?: number }} page
   * `serial`: the conversation that it is for; else it is for a gap */
  askPage(who, { before = null, after, limit, serial }) {
    this.pages.push({ with: who, serial: serial ?? null });
    const side = after !== undefined ? { AFTER: after } : before !== null ? { BEFORE: before } : {};
    this.send({ HISTORY: { WITH: who, ...side, LIMIT: limit } });
  }
}
