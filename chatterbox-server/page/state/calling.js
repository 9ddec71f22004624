// Calls: a line, or an entry of a menu, as a command of the server.

import { LOBBY } from "./target.js";

/** @typedef {import("./core.js").Core} Core */

/** Calls a command of the server; the line is without the prefix. @param {Core} core @param {string} line @param {string} text
 * @param {number} now */
export function callLine(core, line, text, now) {
  const front = core.model.front.startsWith("#") ? core.model.front : LOBBY;
  if (core.isJoined() && core.has("commands") && !core.catalogue.isThere) return core.notSent("the server has not said yet which commands there are", now, text);
  const read = core.catalogue.read(line.trimStart(), front);
  if ("error" in read) return core.notSent(read.error, now, text);
  call(core, read.command.name, read.arguments, now, text, read.asked, read.owed);
}

/** Calls a command of the server. @param {Core} core @param {string} name @param {string[]} values @param {number} now
 * @param {string | null} text what was typed @param {boolean} asked a secret was left out @param {boolean} owed */
export function call(core, name, values, now, text = null, asked = false, owed = false) {
  if (!core.isJoined()) return core.notSent("commands need the connection, which is lost", now, text);
  if (!core.has("commands")) return core.notSent("this server has no commands", now, text);
  const called = core.calls.call(name, values, asked, owed);
  if ("error" in called) return core.notSent(called.error, now, text);
  const [room] = values;
  // Who enters a room wants to see it.
  if ((name === "join" || name === "create-room") && room !== undefined) core.wanted = room.startsWith("#") ? room : `#${room}`;
  core.send(called.send);
}
