// Rooms: which this user is a member of, and what changes in them (RM-5 to RM-11).

import { count, list, member, text } from "./read.js";
import { LOBBY, sameTarget } from "./target.js";
import { screen } from "../screen.js";

/** @typedef {import("./core.js").Core} Core */

/** The most objects of one frame. */
const ROOMS = 1000;

/** @param {Core} core @param {unknown} value @param {number} now */
export function takeRooms(core, value, now) {
  for (const told of (list(value) ?? []).slice(0, ROOMS)) {
    const taken = core.rooms.take(told);
    if (taken === null) continue;
    if (taken.joined) roomJoined(core, taken.room, now);
    else roomChanged(core, taken.room, told, now);
  }
}

/** This user is a member of a room from now on. @param {Core} core @param {import("./rooms.js").Room} room @param {number} now */
export function roomJoined(core, room, now) {
  if (core.wanted !== null && sameTarget(core.wanted, room.name)) {
    core.roomShown(room);
    return core.bring(room.name);
  }
  core.roomShown(room);
  core.say([`You are in ${screen(room.name, 40)}.`], now, "info", room.name);
}

/** @param {Core} core @param {import("./rooms.js").Room} room @param {unknown} told @param {number} now */
function roomChanged(core, room, told, now) {
  const has = (/** @type {string} */ key) => member(told, key) !== undefined;
  const target = room.name;
  if (has("FLOOR") && target !== LOBBY) core.model.clear(target, room.floor);
  if (target === LOBBY) lobbyTopic(core);
  else core.model.room(room.name, room.number, room.topic);
  // A whole object says how things are, not what has changed; the lobby has fewer keys (RM-4).
  const isWhole = target === LOBBY ? has("TOPIC") && has("TALK") && has("FLOOR") : has("LAST") && has("KEEP");
  if (isWhole) return;
  if (target !== LOBBY) core.roomShown(room);
  const words = [];
  if (text(member(told, "TOPIC")) !== null) words.push(room.topic === "" ? "There is no topic any more." : `The topic is: ${screen(room.topic, 400)}`);
  if (count(member(told, "TALK")) !== null) words.push(room.talk === 0 ? "Everybody may write." : `Only ${screen(core.levels[room.talk] ?? `level ${room.talk}`, 40)} and above may write.`);
  if (count(member(told, "SLOW")) !== null) words.push(room.slow === 0 ? "Slow mode is off." : `Slow mode: one message in ${room.slow} s.`);
  if (has("FLOOR")) words.push("What was said before is cleared.");
  if (words.length > 0) core.say(words, now, "info", target);
}

/** @param {Core} core */
export function lobbyTopic(core) {
  const lobby = core.model.list.find(LOBBY);
  if (lobby === undefined) return;
  lobby.topic = screen(core.rooms.lobby.topic, 1000);
  lobby.version += 1;
}

/** What an end of a membership is called, by its word (RM-7). @type {ReadonlyMap<string, string>} */
const ENDS = new Map([
  ["left", "You have left"],
  ["kicked", "You were removed from"],
  ["banned", "You are banned from"],
  ["deleted", "Deleted:"],
]);

/** This user is not a member of a room any more. @param {Core} core @param {import("./rooms.js").RoomLeft} left @param {number} now */
export function roomLeft(core, left, now) {
  core.rooms.remove(left.room, left.number);
  for (const { entry, kind } of core.gaps.retain((gap) => gap.room !== left.room)) core.message(entry, kind);
  const by = left.by === null ? "" : ` by ${screen(left.by, 64)}`;
  const why = left.info === null || left.info === "" ? "" : `: ${screen(left.info, 400)}`;
  const one = core.model.list.find(left.room);
  // Another room may have its name by now.
  const isIt = one !== undefined && (left.number === null || one.number === null || one.number === left.number);
  const inFront = isIt && sameTarget(left.room, core.model.front);
  if (isIt) core.model.roomLeft(one);
  // Who leaves knows it: the answer to the command says so, and the room itself shows it.
  if (left.code === "left" && why === "") return;
  const words = ENDS.get(left.code ?? "") ?? "You are no member any more of";
  const choose = inFront ? ["What you write goes nowhere until you choose another conversation."] : [];
  // What others have done is told where the user is. That a session could not keep its room is nothing for whoever else is in front.
  const target = inFront || left.code !== null ? core.model.front : LOBBY;
  core.say([`${words} ${screen(left.room, 40)}${by}${why}`, ...choose], now, "info", target);
}
