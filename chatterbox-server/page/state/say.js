// Saying something: where it goes, and what is kept of it until the server has answered.

import { LOBBY, SERVER, isUser, userTarget, wireOf } from "./target.js";
import { metaOf } from "./reply.js";
import { screen } from "../screen.js";
import { bytesOf } from "./text.js";

/** @typedef {import("./core.js").Core} Core */

/** Says something in the conversation in front, as the answer to a message or not.
 * @param {Core} core @param {string} text @param {number} now @param {number | null} [reply] */
export function sayInFront(core, text, now, reply = null) {
  const { front } = core.model;
  if (front === LOBBY || isUser(front)) return sayAt(core, wireOf(front), text, text, now, reply);
  // A text that was meant for a room never goes anywhere else, nor to another room of that name.
  const room = core.rooms.find(front);
  if (room !== undefined && room.number === core.frontRoom) return sayAt(core, room.name, text, text, now, reply);
  core.notSent(`you are not in ${screen(front, 40)} any more`, now, text);
}

/** Says something to somebody who is named. @param {Core} core @param {string} to @param {string} text @param {string} line as it was typed
 * @param {number} now */
export function sayTo(core, to, text, line, now) {
  if (!to.startsWith("#") || !core.hasRooms()) {
    // A conversation has its user in one spelling.
    const known = to === LOBBY ? undefined : core.model.list.find(userTarget(to));
    return sayAt(core, known === undefined ? to : wireOf(known.target), text, line, now);
  }
  const room = core.rooms.find(to);
  if (room !== undefined) return sayAt(core, room.name, text, line, now);
  core.notSent(`you are not in ${screen(to, 40)}; ${core.catalogue.prefix}join ${screen(to, 40)} comes first`, now, line);
}

/** Announces a file that is there. @param {Core} core @param {string} to @param {string} text @param {import("./types.js").Attached} file @param {number} now */
export function sayFile(core, to, text, file, now) {
  sayAt(core, to, text, null, now, null, file);
}

/** @param {Core} core @param {string} to @param {string} text @param {string | null} line @param {number} now @param {number | null} [reply]
 * @param {import("./types.js").Attached | null} [file] */
function sayAt(core, to, text, line, now, reply = null, file = null) {
  const numbered = core.agreed.has("ids");
  if (core.me === "" || (!core.isJoined() && !(core.isDown() && numbered))) return core.notSent("there is no connection", now, line);
  if (to === SERVER) return core.notSent("nobody is called so", now, line);
  if (core.sent.isFull()) return core.notSent("too many messages wait for the server already", now, line);
  const time = Math.floor(now);
  const meta = numbered ? metaOf(core, to, text, reply, file?.token) : null;
  const longest = core.limits.frame;
  // A frame above the server's bound ends the connection, and sending it again would end the next one.
  if (longest !== null && frameBytes([core.me, to, time, text], meta) > longest) return core.notSent("it is too long for the server", now, line);
  const tag = numbered ? core.sent.keep(to, text, time, meta).tag : null;
  core.sent.awaitEcho(to, text, tag);
  core.message({ from: core.me, to, time, text, id: null, taken: null, meta: { reply: meta === null ? null : reply, mentions: [], file } }, "own", tag);
  if (numbered) core.pump();
  else core.send({ MESSAGES: [[core.me, to, time, text]] });
}

/** The bytes of a frame with this message, about. @param {unknown[]} message @param {object | null} meta what goes with it */
function frameBytes(message, meta) {
  return bytesOf({ MESSAGES: [message], TAGS: ["0000000000"], ...(meta === null ? {} : { META: [meta] }) });
}
