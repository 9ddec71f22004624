// What goes with a message that this user says: what it answers, and whom it mentions (MT-3, MT-4).

import { id } from "./read.js";
import { LOBBY, isRoom, isUser, wireOf } from "./target.js";
import { bytesOf, same } from "./text.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./types.js").Target} Target
 */

/** From this level on everybody may be mentioned at once. */
const MODERATOR = 3;

/** The most names that a message mentions. */
const MOST = 20;

/** The most bytes of what goes with a message, as it is written (MT-2). */
const LONGEST = 2048;

/** A word is tried without so many characters at its end, such as a full stop. */
const TRIMMED = 8;

/** What is behind one of these may begin a word. */
const BEFORE = /[\s([{"'*_]/u;

/** The names of those whom a text mentions: `@name` where a word begins, each once.
 * @param {string} text @param {(name: string) => string | null} isThere the name of somebody who is there, in their spelling */
export function named(text, isThere) {
  /** @type {string[]} */
  const found = [];
  for (let at = text.indexOf("@"); at >= 0 && found.length < MOST; at = text.indexOf("@", at + 1)) {
    if (at > 0 && !BEFORE.test(text.charAt(at - 1))) continue;
    let word = /^[^\s]*/u.exec(text.slice(at + 1, at + 1 + 256))?.[0] ?? "";
    let name = null;
    for (let tries = 0; word !== "" && tries < TRIMMED; tries += 1) {
      name = isThere(word);
      const last = [...word].at(-1) ?? "";
      if (name !== null || /[\p{L}\p{N}]/u.test(last)) break;
      word = word.slice(0, word.length - last.length);
    }
    if (name !== null && !found.includes(name)) found.push(name);
  }
  return found;
}

/** What goes with a text that is said somewhere, if anything does. @param {Core} core @param {string} to @param {string} text @param {number | null} reply
 * @param {string | null} [file] the token of a file */
export function metaOf(core, to, text, reply, file = null) {
  if (!core.agreed.has("meta")) return null;
  const meta = mentioning(
    { ...(reply === null ? {} : { REPLY: reply }), ...(file === null ? {} : { FILE: file }) },
    named(text, (name) => isThere(core, to, name)),
  );
  return Object.keys(meta).length === 0 ? null : meta;
}

/** Puts names beside what else goes with a message. One with which that would be longer than the server takes is left out: it refuses the
 * whole frame for it, and every later one that the message is sent again in. @param {object} meta @param {string[]} names */
export function mentioning(meta, names) {
  /** @type {string[]} */
  const mentions = [];
  for (const name of names) {
    if (bytesOf({ ...meta, MENTIONS: [...mentions, name] }) <= LONGEST) mentions.push(name);
  }
  return mentions.length === 0 ? meta : { ...meta, MENTIONS: mentions };
}

/** @param {Core} core @param {string} to @param {string} name */
function isThere(core, to, name) {
  const room = to.startsWith("#") && core.hasRooms() ? core.rooms.find(to) : undefined;
  const isPrivate = to !== LOBBY && room === undefined;
  if (name === LOBBY && !isPrivate && Math.max(core.level, room?.level ?? 0) >= MODERATOR) return LOBBY;
  if (isPrivate) return [to, core.me].find((other) => same(other, name)) ?? null;
  return (room?.users ?? core.roster).spelling(name);
}

/** The number of the message that `/reply WHICH` is about: `last`, `@NAME`, or a number. Null is a message that is not loaded, undefined no
 * message at all. @param {Core} core @param {string} which */
export function answered(core, which) {
  // The server refuses the whole frame for any other number and answers no tag of it: the message would be sent again on every connection,
  // and everything else that waits with it.
  if (/^[0-9]+$/.test(which)) return id(Number(which)) ?? undefined;
  const items = core.model.list.find(core.model.front)?.timeline.items ?? [];
  const by = which.startsWith("@") ? which.slice(1) : null;
  if (by === null && which !== "last") return undefined;
  const item = items.findLast((one) => one.kind === "message" && one.id !== null && (by === null ? !one.own : same(one.from, by)));
  return item?.kind === "message" ? item.id : null;
}

/** Whether a message is meant for this user, as its sender has put it.
 * @param {readonly string[]} mentions @param {string} me @param {Target} target */
export function isNamed(mentions, me, target) {
  const all = isUser(target) ? [] : isRoom(target) ? [LOBBY, wireOf(target)] : [LOBBY];
  return mentions.some((name) => same(name, me) || all.includes(name));
}
