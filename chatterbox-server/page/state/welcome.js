// The welcome: the snapshot of users, rooms and history that comes with the name, and when the session goes on.

import { PAGE } from "./gaps.js";
import { accountTold, isMe } from "./login.js";
import { agreed } from "./offer.js";
import { entries } from "./entries.js";
import { resume } from "./files.js";
import { lobbyTopic, roomJoined, roomLeft } from "./membership.js";
import { deliver, isNews } from "./news.js";
import { count, list, member, members, names, text } from "./read.js";
import { Roster } from "./roster.js";
import { Rooms, roomsLeft } from "./rooms.js";
import { screen } from "../screen.js";
import { Seen } from "./sent.js";
import { plural, shownName } from "./text.js";
import { LOBBY } from "./target.js";
import { presenceOf } from "./words.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./entries.js").Entry} Entry
 */

const USERS = 100_000;
const ROOMS = 1000;

/** The longest token of a session. */
const TOKEN = 4096;

/** No more of a banner is shown. */
const BANNER = 20;

/** Takes a welcome. @param {Core} core @param {unknown} frame @param {number} now */
export function welcome(core, frame, now) {
  const isFirst = core.standing === "asked";
  const offered = agreed(member(frame, "CAPABILITIES"));
  core.agreed = offered;
  core.standing = "joined";
  core.isWelcomed = true;
  core.isCalled(core.me);
  core.phase = { is: "in" };
  core.closed = null;
  const get = (/** @type {string} */ key, /** @type {string} */ capability) => (offered.has(capability) ? member(frame, key) : undefined);
  const limits = member(frame, "LIMITS");
  const limit = (/** @type {string} */ key) => count(member(limits, key));
  core.limits = { frame: limit("FRAME"), content: limit("CONTENT"), name: limit("USERNAME"), file: limit("FILE"), chunk: limit("CHUNK") };
  const token = text(get("RESUME", "ids"));
  if (token !== null && token.length <= TOKEN) core.resume = token;
  else if (isFirst) core.resume = null;
  const history = entries(member(frame, "MESSAGES"), get("IDS", "ids"), get("TIMES", "ids"), offered.has("ids"), get("META", "meta"));
  const users = rosterOf(frame, get("PRESENCE", "presence"));
  if (isFirst) first(core, frame, history, users, get, now);
  else again(core, frame, history, users, get, now);
}

/** @typedef {(key: string, capability: string) => unknown} Get */

/** @param {Core} core @param {unknown} frame @param {Entry[]} history @param {Roster} users @param {Get} get @param {number} now */
function first(core, frame, history, users, get, now) {
  core.roster = users;
  enter(core, get);
  core.bring(core.rooms.find(core.rooms.default ?? LOBBY)?.name ?? LOBBY);
  for (const entry of history) {
    if (entry.id !== null) core.seen.note(entry.id, entry);
    core.message(entry, "history");
  }
  aboutServer(core, member(frame, "SERVER"));
  const lobby = core.model.list.find(LOBBY);
  const more = get("MORE", "recent") === true;
  // A short welcome says whether there is more (RC-1).
  if (lobby !== undefined && more) lobby.older = "more";
  else if (lobby !== undefined && lobby.older === "unknown" && core.agreed.has("recent")) lobby.older = "beginning";
  for (const room of core.rooms.all()) core.model.room(room.name, room.number, room.topic);
  const info = text(member(frame, "INFO"));
  core.say([`You are ${shownName(core.me)}.`, ...(info === null ? [] : [screen(info, 1000)])], now);
  accountTold(core, get("ACCOUNT", "accounts"), now);
  // Nobody has the name as an account, so it was not refused.
  if (core.isLoginUnknown && core.account === null) core.say(["The login that was kept is not known here any more: you are a guest."], now, "error");
  core.isLoginUnknown = false;
}

/** @param {Core} core @param {unknown} frame @param {Entry[]} history @param {Roster} users @param {Get} get @param {number} now */
function again(core, frame, history, users, get, now) {
  const resumed = get("RESUMED", "ids") === true;
  const known = core.seen.last;
  const reaches = resumed || core.seen.recent.size === 0 || history.some((entry) => core.seen.has(entry));
  if (!reaches) {
    core.seen = new Seen();
    core.sent.stored.clear();
  }
  // No tag that the server has forgotten is acknowledged: it is said now which device these are of.
  const held = resumed ? [] : core.sent.releaseAll();
  const missed = history.filter((entry) => {
    const isOld = !resumed && reaches && entry.id !== null && entry.id <= known;
    return isNews(core, entry, resumed) && !isOld;
  });
  if (!resumed) core.sent.forgetArrived();
  const before = enter(core, get);
  if (!reaches) for (const one of [...core.model.list.all]) core.model.hole(one.target);
  core.say([missed.length === 0 ? "Connected again." : `Connected again; ${plural(missed.length, "message")} came meanwhile.`], now);
  for (const { entry, kind } of core.gaps.retain((gap) => reaches && core.rooms.find(gap.room)?.number === gap.number)) core.message(entry, kind);
  for (const gap of core.gaps.open) core.askPage(gap.room, { after: gap.after, limit: PAGE });
  accountTold(core, get("ACCOUNT", "accounts"), now);
  core.model.settle((tag) => core.sent.unanswered.some((message) => message.tag === tag));
  core.pump();
  resume(core, now);
  for (const room of core.rooms.all()) {
    if (!before.has(room.number)) roomJoined(core, room, now);
    else core.model.room(room.name, room.number, room.topic);
    // The welcome of a session that was not resumed has nothing of rooms (RH-5).
    const isGap = resumed ? room.gap : reaches && before.has(room.number) && room.last > known;
    if (isGap && core.gaps.begin(room, known)) core.askPage(room.name, { after: known, limit: PAGE });
  }
  for (const entry of held) deliver(core, entry, "live");
  for (const entry of missed) deliver(core, entry, "missed");
  const told = roomsLeft(get("ROOMS_LEFT", "rooms"));
  for (const room of before.all()) {
    const isGone = !core.rooms.has(room.number) && !told.some((left) => left.room === room.name);
    if (isGone) roomLeft(core, { room: room.name, number: room.number, code: null, by: null, info: null }, now);
  }
  changes(core, users, now);
}

/** Who left and who came while the connection was lost. @param {Core} core @param {Roster} users @param {number} now */
function changes(core, users, now) {
  const before = core.roster;
  core.roster = users;
  for (const user of before.users.keys()) if (!users.has(user) && !isMe(core, user)) core.model.moved(LOBBY, user, false, now);
  for (const user of users.users.keys()) if (!before.has(user) && !isMe(core, user)) core.model.moved(LOBBY, user, true, now);
}

/** Takes the rooms of a welcome (RM-5); gives those of before. @param {Core} core @param {Get} get */
function enter(core, get) {
  const before = core.rooms;
  core.rooms = new Rooms();
  core.rooms.default = text(get("DEFAULT", "rooms"));
  for (const told of (list(get("ROOMS", "rooms")) ?? []).slice(0, ROOMS)) core.rooms.take(told);
  // What a room has said before the welcome is not missed later: one number is the place in all rooms (CP-11).
  for (const room of core.rooms.all()) core.seen.reach(room.last);
  lobbyTopic(core);
  return before;
}

/** @param {unknown} frame @param {unknown} presence */
function rosterOf(frame, presence) {
  const roster = new Roster();
  for (const user of names(member(frame, "USER_LIST"), USERS) ?? []) roster.add(user);
  for (const [user, told] of members(presence, USERS) ?? []) roster.tell(user, presenceOf(told));
  return roster;
}

/** @param {Core} core @param {unknown} server */
function aboutServer(core, server) {
  const banner = (text(member(server, "BANNER")) ?? "").trimEnd().split("\n", BANNER);
  core.server = {
    name: screen(text(member(server, "NAME")) ?? "", 64),
    banner: banner[0] === "" && banner.length === 1 ? [] : banner.map((line) => screen(line, 200)),
  };
}
