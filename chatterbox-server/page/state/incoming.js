// What a frame of the server changes, in the order of the protocol (CP-10): whatever the order of its keys.

import { gapPaged, pageCame } from "./history.js";
import { accountTold, failed, isMe, loggedOut, refused, tokenIssued } from "./login.js";
import { entries } from "./entries.js";
import { filesTold } from "./files.js";
import { deliver, deliverHeld, isNews } from "./news.js";
import { noticeOf, presenceOf } from "./words.js";
import { boolean, count, id, isObject, level, list, member, members, name, names, text, time } from "./read.js";
import { roomLeft, takeRooms } from "./membership.js";
import { roomsLeft } from "./rooms.js";
import { screen } from "../screen.js";
import { tableOf } from "./calls.js";
import { LOBBY, targetOf, userTarget } from "./target.js";
import { welcome } from "./welcome.js";

/** @typedef {import("./core.js").Core} Core */

/** The most names, notices, messages with tags and other things that are read of one frame. */
const NAMES = 100_000;
const MANY = 1000;

/** Commands in whose DATA the level is this user's own. */
const GIVE_LEVEL = new Set(["register", "passwd", "elevate"]);

/** Commands in whose DATA the level is somebody's, who may be this user, on the server or in a room. */
const TELL_LEVEL = new Set(["perm", "set-perm"]);

/** The most characters of a text of the server. */
const TEXT = 4000;

/** Takes a frame of the server. @param {Core} core @param {unknown} frame @param {number} now */
export function receive(core, frame, now) {
  if (typeof frame === "string") return receive(core, { ERROR: frame }, now);
  if (!isObject(frame)) return;
  const asked = core.standing === "asked" || core.standing === "again";
  const accepted = asked ? readBoolean(member(frame, "USERNAME_ACCEPTED")) : null;
  if (accepted === true) welcome(core, frame, now);
  if (accepted === false) {
    refused(core, frame);
    closes(core, frame);
    return;
  }
  const isWelcome = accepted === true;
  const get = (/** @type {string} */ key, capability = "") => (capability === "" || core.has(capability) ? member(frame, key) : undefined);
  joined(core, get("USERS_JOINED"), now);
  roomUsers(core, get("ROOM_USERS_JOINED", "rooms"), true, now);
  renamed(core, get("USERS_RENAMED", "rename"), now);
  if (!isWelcome) {
    takeRooms(core, get("ROOMS", "rooms"), now);
    for (const entry of entries(get("MESSAGES"), get("IDS", "ids"), get("TIMES", "ids"), core.has("ids"), get("META", "meta"))) {
      if (isNews(core, entry)) deliver(core, entry, "live");
    }
    presence(core, get("PRESENCE", "presence"), now);
  }
  for (const notice of (list(get("NOTICES", "notices")) ?? []).slice(0, MANY)) notified(core, notice, now);
  roomUsers(core, get("ROOM_USERS_LEFT", "rooms"), false, now);
  // What a welcome says of it the user has not wished for: the session could not keep its place.
  for (const left of roomsLeft(get("ROOMS_LEFT", "rooms"))) roomLeft(core, isWelcome && left.code === "left" ? { ...left, code: null } : left, now);
  left(core, get("USERS_LEFT"), now);
  acknowledged(core, get("ACKS", "ids"));
  const told = rejected(core, get("REFUSED", "ids"), now);
  deliverHeld(core);
  if (!isWelcome) said(core, get("INFO"), "info", now);
  complained(core, get("ERROR"), told || get("CLOSED", "notices") !== undefined, now);
  if (isObject(get("HISTORY", "ids"))) paged(core, get("HISTORY", "ids"), now);
  if (!isWelcome && !core.isDown()) filesTold(core, (key) => get(key, "files"), now);
  catalogue(core, get("COMMANDS", "commands"), get("PREFIX", "commands"), get("LEVELS", "commands"));
  if (isObject(get("RESULT", "commands"))) result(core, get("RESULT", "commands"), now);
  if (!core.isDown()) core.calls.prompted(get("PROMPT", "commands"));
  ping(core, get("PING", "ping"));
  marks(core, get("READ", "marks"), isWelcome && get("RESUMED", "ids") !== true ? get("UNREAD", "marks") : undefined);
  closes(core, frame);
  core.pump();
}

/** Some servers write it as a text. @param {unknown} value */
function readBoolean(value) {
  const word = text(value)?.toLowerCase();
  return word === "true" ? true : word === "false" ? false : boolean(value);
}

/** @param {Core} core @param {unknown} value @param {number} now */
function joined(core, value, now) {
  if (!core.isJoined()) return;
  for (const user of core.roster.addAll(names(value, NAMES) ?? [])) {
    if (!isMe(core, user)) core.model.moved(LOBBY, user, true, now);
  }
}

/** @param {Core} core @param {unknown} value @param {number} now */
function left(core, value, now) {
  for (const user of names(value, NAMES) ?? []) {
    if (core.roster.remove(user)) core.model.moved(LOBBY, user, false, now);
  }
}

/** @param {Core} core @param {unknown} value @param {boolean} came @param {number} now */
function roomUsers(core, value, came, now) {
  for (const [room, users] of members(value, MANY) ?? []) {
    for (const user of core.rooms.moved(room, users, came)) core.model.moved(room, user, came, now);
  }
}

/** @param {Core} core @param {unknown} value @param {number} now */
function renamed(core, value, now) {
  for (const [old, told] of members(value, MANY) ?? []) {
    const to = name(told);
    if (to === null || to === "") continue;
    const wasMe = isMe(core, old);
    core.roster.rename(old, to);
    core.rooms.renamed(old, to);
    if (wasMe && core.isJoined()) {
      core.isCalled(to);
      core.say([`You are ${screen(to, 64)} now.`], now);
      continue;
    }
    core.model.renamed(old, to);
    const words = [`${screen(old, 64)} is ${screen(to, 64)} now.`];
    core.say(words, now, "info", LOBBY);
    core.say(words, now, "info", userTarget(to));
  }
}

/** @param {Core} core @param {unknown} value @param {number} now */
function presence(core, value, now) {
  for (const [user, told] of members(value, NAMES) ?? []) {
    const is = presenceOf(told);
    const before = core.roster.tell(user, is);
    const isNews = before !== undefined && (before.away === null) !== (is.away === null);
    if (!isNews || isMe(core, user)) continue;
    const shown = screen(user, 64);
    const away = is.away === "" || is.away === null ? "" : `: ${is.away}`;
    core.say([is.away === null ? `${shown} is back.` : `${shown} is away${away}`], now, "info", userTarget(user));
  }
}

/** @param {Core} core @param {unknown} notice @param {number} now */
function notified(core, notice, now) {
  const { lines, room, tone } = noticeOf(notice);
  const isHere = room !== null && core.model.list.find(room) !== undefined;
  if (lines.length > 0) core.say(lines, now, tone, isHere ? room : core.model.front);
}

/** How far the user has read on other devices, or before (MK-1, MK-2): what was never marked has the mark 0, whether the server says so or not.
 * @param {Core} core @param {unknown} read @param {unknown} unread */
function marks(core, read, unread) {
  const marked = members(read, MANY) ?? new Map();
  for (const who of members(unread, MANY)?.keys() ?? []) if (!marked.has(who)) marked.set(who, 0);
  for (const [who, told] of marked) {
    const upto = count(told);
    const newest = core.rooms.find(who)?.last ?? 0;
    if (upto !== null) core.model.marked(targetOf(who, core.hasRooms()), upto, count(member(unread, who)), newest);
  }
}

/** @param {Core} core @param {unknown} value */
function acknowledged(core, value) {
  for (const [tag, told] of members(value, MANY) ?? []) {
    const number = id(told);
    if (number === null || core.sent.answered(tag, number) === undefined) continue;
    core.model.answered(tag, "stored", null, number);
    core.effects.push({ progress: true });
  }
}

/** Says whether a message of this user was refused, so that the ERROR beside it says the same once more.
 * @param {Core} core @param {unknown} value @param {number} now */
function rejected(core, value, now) {
  let told = false;
  for (const [tag, refusal] of members(value, MANY) ?? []) {
    if (core.sent.answered(tag) === undefined) continue;
    const wait = count(member(refusal, "WAIT"));
    const why = screen(text(member(refusal, "ERROR")) ?? text(member(refusal, "CODE")) ?? "", 500);
    const target = core.model.answered(tag, "refused", wait === null ? why : `${why} (${wait} s)`, null);
    if (target !== null && target !== core.model.front) core.say([`Refused in ${target === LOBBY ? "the lobby" : screen(target, 64)}: ${why}`], now, "error");
    told = true;
  }
  return told;
}

/** @param {Core} core @param {unknown} value @param {"info" | "error"} tone @param {number} now */
function said(core, value, tone, now) {
  const words = text(value);
  if (words !== null && words !== "") core.say([screen(words, TEXT)], now, tone);
}

/** @param {Core} core @param {unknown} value @param {boolean} isTold @param {number} now */
function complained(core, value, isTold, now) {
  const words = text(value);
  if (words === null) return;
  if (!isTold || core.standing === "asked") said(core, words, "error", now);
  failed(core, screen(words, 500));
}

/** @param {Core} core @param {unknown} page @param {number} now */
function paged(core, page, now) {
  const who = name(member(page, "WITH"));
  if (who === null) return;
  const place = core.pages.findIndex((asked) => asked.with === who);
  const asked = core.pages[place];
  core.pages = core.pages.filter((_, at) => at !== place);
  // What nobody has asked for is not shown: it could go anywhere.
  if (asked === undefined) return;
  if (asked.serial === null) gapPaged(core, who, page);
  else pageCame(core, asked.serial, page, now);
}

/** @param {Core} core @param {unknown} commands @param {unknown} prefix @param {unknown} levels */
function catalogue(core, commands, prefix, levels) {
  if (commands !== undefined || prefix !== undefined) core.catalogue.update(commands, prefix);
  const words = list(levels);
  if (words !== null) core.levels = words.slice(0, 16).map((word) => screen(text(word) ?? "", 40));
}

/** The level of this user's account on the server, where the result of a command tells it. @param {Core} core @param {string} called
 * @param {unknown} data */
function ownLevel(core, called, data) {
  const isTold = TELL_LEVEL.has(called) && (member(data, "ROOM") ?? null) === null && isMe(core, text(member(data, "NAME")) ?? "");
  return isTold || GIVE_LEVEL.has(called) ? level(member(data, "LEVEL")) : null;
}

/** @param {Core} core @param {unknown} outcome @param {number} now */
function result(core, outcome, now) {
  const called = core.calls.answered(outcome);
  const data = member(outcome, "DATA");
  const ok = member(outcome, "OK") === true;
  if (!ok && (called === "join" || called === "create-room")) core.wanted = null;
  if (ok) core.level = ownLevel(core, called, data) ?? core.level;
  tokenIssued(core, text(member(data, "TOKEN")));
  if (ok && called === "logout") loggedOut(core);
  const words = text(member(outcome, "INFO")) ?? text(member(outcome, "ERROR")) ?? "";
  const lines = words.split("\n", 200).map((line) => screen(line, 2000));
  const table = tableOf(data);
  if (words === "" && table === null) lines.splice(0, 1, `${screen(called, 40)}: ${ok ? "done" : screen(text(member(outcome, "CODE")) ?? "failed", 40)}`);
  core.model.notice(core.model.front, { tone: ok ? "result" : "error", lines: lines.filter((line) => line !== "" || lines.length > 1), table, time: now });
}

/** @param {Core} core @param {unknown} number */
function ping(core, number) {
  const isNumber = typeof number === "bigint" || (typeof number === "number" && Number.isInteger(number));
  if (isNumber && !core.isDown()) core.send({ PONG: number });
}

/** Why the connection ends is behind everything else (NO-3). @param {Core} core @param {unknown} frame */
function closes(core, frame) {
  const closed = core.has("notices") ? member(frame, "CLOSED") : undefined;
  if (!isObject(closed)) return;
  core.closed = {
    code: screen(text(member(closed, "CODE")) ?? "", 64),
    info: screen(text(member(closed, "INFO")) ?? "", 500),
    until: time(member(closed, "UNTIL")),
    retry: count(member(closed, "RETRY")),
  };
}
