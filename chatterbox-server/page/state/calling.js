// Calls: a line, or an entry of a menu, as a command of the server.

import { firstWord } from "./catalogue.js";
import { nearest } from "./near.js";
import { OWN_COMMANDS } from "./own.js";
import { LOBBY } from "./target.js";
import { screen } from "../screen.js";

/** @typedef {import("./core.js").Core} Core */

/** Calls a command of the server; the line is without the prefix. @param {Core} core @param {string} line @param {string} text
 * @param {number} now */
export function callLine(core, line, text, now) {
  const front = core.model.front.startsWith("#") ? core.model.front : LOBBY;
  if (core.isJoined() && core.has("commands") && !core.catalogue.isThere) return core.notSent("the server has not said yet which commands there are", now, text);
  const [name] = firstWord(line.trimStart());
  if (core.has("commands") && core.catalogue.find(name) === undefined) return core.notSent(unknown(core, name), now, text);
  const read = core.catalogue.read(line.trimStart(), front);
  if ("error" in read) return core.notSent(read.error, now, text);
  call(core, read.command.name, read.arguments, now, text, read.asked, read.owed);
}

/** What is said of a command that there is not: which one may have been meant, and that an account has more of them. @param {Core} core @param {string} name */
function unknown(core, name) {
  const { prefix, commands } = core.catalogue;
  const theirs = commands.filter((one) => !one.demo).flatMap((one) => [one.name, ...one.aliases]);
  const near = nearest(name, [...OWN_COMMANDS.map((one) => one.name), ...theirs]);
  const sign = OWN_COMMANDS.some((one) => one.name === near) ? "/" : prefix;
  const typed = `there is no command ${prefix}${screen(name, 40)}`;
  if (near !== undefined) return `${typed} (did you mean ${sign}${near}?)`;
  return core.account === null && core.catalogue.find("register") !== undefined ? `${typed} for you as a guest (${prefix}register makes an account)` : typed;
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
