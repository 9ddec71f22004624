// Which conversation is in front.

import { isRoom, isUser, LOBBY, sameTarget } from "./target.js";
import { call } from "./calling.js";
import { screen } from "../screen.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./types.js").Target} Target
 */

/** The longest name of a conversation that is opened. */
const NAME = 1024;

/** Brings a conversation to the front. A room that the user is not a member of is joined first. @param {Core} core @param {Target} target
 * @param {number} now */
export function open(core, target, now) {
  if (target.length > NAME || !(target === LOBBY || ((isRoom(target) || isUser(target)) && target.length > 1))) return;
  const isThere = !isRoom(target) || core.rooms.find(target) !== undefined || core.model.list.find(target) !== undefined;
  if (isThere) return core.bring(target);
  if (core.catalogue.find("join") === undefined) return core.say([`You are not in ${screen(target, 40)}.`], now, "error");
  call(core, "join", [target], now);
}

/** Takes the conversation with a user off the list. @param {Core} core @param {Target} target @param {number} now */
export function close(core, target, now) {
  const one = core.model.list.find(target);
  if (one === undefined || (!isUser(one.target) && !one.gone)) return;
  if (sameTarget(one.target, core.model.front)) open(core, LOBBY, now);
  core.model.remove(one);
}
