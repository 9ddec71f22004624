// Targets: where something is said. `ALL` is the lobby, `#name` a room, `@name` a user.

import { fold } from "./text.js";

/** @typedef {import("./types.js").Target} Target */

/** The destination of what everybody gets. @type {Target} */
export const LOBBY = "ALL";

/** The name under which the server itself speaks. */
export const SERVER = "SERVER";

/** @param {Target} target */
export function isUser(target) {
  return target.startsWith("@");
}

/** @param {Target} target */
export function isRoom(target) {
  return target.startsWith("#");
}

/** The target of one user.
 * @param {string} name @returns {Target} */
export function userTarget(name) {
  return `@${name}`;
}

/** The target of a name as it stands on the wire. Where there are no rooms, `#name` is a user.
 * @param {string} name @param {boolean} rooms @returns {Target} */
export function targetOf(name, rooms) {
  if (name === LOBBY || name === "") return LOBBY;
  return rooms && name.startsWith("#") ? name : userTarget(name);
}

/** A target as it is typed: `ALL`, `#room`, or the name of a user, with `@` before it or not.
 * @param {string} typed @param {boolean} rooms @returns {Target} */
export function parseTarget(typed, rooms) {
  return isUser(typed) && typed.length > 1 ? typed : targetOf(typed, rooms);
}

/** The recipient on the wire.
 * @param {Target} target */
export function wireOf(target) {
  return isUser(target) ? target.slice(1) : target;
}

/** What the same targets have in common.
 * @param {Target} target */
export function foldTarget(target) {
  return target === LOBBY ? LOBBY : isUser(target) || isRoom(target) ? fold(target) : target;
}

/** @param {Target} one @param {Target} other */
export function sameTarget(one, other) {
  return one === other || foldTarget(one) === foldTarget(other);
}
