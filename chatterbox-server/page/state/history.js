// Pages of history: those that go above what is loaded, those that fill a hole, and those of a gap (ID-6, RH-6).

import { PAGE } from "./gaps.js";
import { entries } from "./entries.js";
import { isMe } from "./login.js";
import { isUser, sameTarget, targetOf, wireOf } from "./target.js";
import { member, text } from "./read.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./types.js").Target} Target
 */

/** The messages of a page that goes above what is loaded. */
const SCROLLED = 100;

/** The most pages that are awaited. */
const PAGES = 64;

/** Asks for the page before the oldest message of a conversation, or for one that is missing at its last hole.
 * @param {Core} core @param {Target} target @param {boolean} atHole @param {number} now */
export function askOlder(core, target, atHole, now) {
  const one = core.model.list.find(target);
  if (one === undefined || !core.isJoined() || !core.has("ids") || core.pages.length >= PAGES) return;
  const hole = one.timeline.items.findLast((item) => item.kind === "hole");
  const lacks = atHole ? hole?.kind === "hole" && hole.state !== "lost" : one.older !== "beginning";
  if (!lacks || !one.mayAsk(now) || !core.model.list.hasRoom(one, SCROLLED)) return;
  const spot = atHole && hole !== undefined ? { behind: hole.key } : /** @type {const} */ ("top");
  one.ask(spot, now);
  one.version += 1;
  core.askPage(wireOf(one.target), { before: one.idAt(spot), limit: SCROLLED, serial: one.serial });
}

/** @param {Core} core @param {unknown} page */
function entriesOf(core, page) {
  const metas = core.has("meta") ? member(page, "META") : undefined;
  return entries(member(page, "MESSAGES"), member(page, "IDS"), member(page, "TIMES"), true, metas);
}

/** A page that was asked for by scrolling. The conversation may have another name by now, or be gone.
 * @param {Core} core @param {number} serial @param {unknown} page @param {number} now */
export function pageCame(core, serial, page, now) {
  const one = core.model.list.withSerial(serial);
  if (one === undefined) return;
  const { target } = one;
  one.paging = one.asked !== null;
  core.model.paging = isUser(target) ? target : null;
  for (const entry of entriesOf(core, page)) {
    if (entry.id !== null && belongs(entry, target, core.agreed.has("rooms"))) core.message(entry, "history");
  }
  core.model.paging = null;
  one.pageOver(member(page, "MORE") === true, text(member(page, "CODE")) !== null, now);
  core.model.changed(one);
}

/** Whether a message is one of the conversation that was asked for; a server could put others on the page.
 * @param {import("./entries.js").Entry} entry @param {Target} target @param {boolean} rooms */
function belongs(entry, target, rooms) {
  const of = targetOf(entry.to, rooms);
  return isUser(target) ? isUser(of) : sameTarget(of, target);
}

/** A page that fills a gap. @param {Core} core @param {string} room @param {unknown} page */
export function gapPaged(core, room, page) {
  const refused = text(member(page, "CODE")) !== null;
  const filled = core.gaps.paged(room, entriesOf(core, page), member(page, "MORE") === true, refused);
  // This user's own messages were shown when they were typed, but for those of other devices.
  const isOthers = (/** @type {import("./entries.js").Entry} */ entry) => !isMe(core, entry.from) || (core.agreed.has("devices") && core.sent.isOfOtherDevice(entry));
  for (const entry of filled.entries) if (isOthers(entry)) core.message(entry, "missed");
  if (filled.isCut) core.model.hole(room);
  for (const { entry, kind } of filled.rest) core.message(entry, kind);
  if (filled.next !== null) core.askPage(room, { after: filled.next, limit: PAGE });
}
