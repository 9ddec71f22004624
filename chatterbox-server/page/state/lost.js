// The connection is lost: whether the session can go on, and when to try.

import { dropAll } from "./files.js";
import { plural, shownName } from "./text.js";
import { screen } from "../screen.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {{ lost: string, retry?: number | null }} Event
 */

/** The connection is lost, or a try failed. Where `retry` is there, it is the time of the next try, and nothing else has happened. Says
 * whether the session is over because the user wanted it so. @param {Core} core @param {Event} event @param {number} now */
export function lost(core, { lost: told, retry }, now) {
  if (retry !== undefined) {
    if (core.phase.is === "lost") core.phase = { ...core.phase, retry };
    return false;
  }
  const { closed } = core;
  core.closed = null;
  // What the server has said of it is more than that the connection is gone.
  const why = closed !== null && closed.info !== "" ? closed.info : screen(told, 500);
  if (core.leaving) {
    core.effects.push({ redial: false });
    return true;
  }
  const hasSession = core.isJoined() || core.isDown();
  if (!hasSession) {
    if (core.standing === "asked") core.phase = { is: "lost", why, retry: null };
    core.standing = "nameless";
    core.effects.push({ redial: false });
    return false;
  }
  core.wanted = null;
  core.pages = [];
  core.sent.lost();
  core.transfers.lost();
  const names = core.calls.forget();
  if (names.length > 0) core.say([`The connection was lost before the server said what came of ${shownName(names.join(", "))}.`], now, "error");
  if (closed !== null && closed.retry === null) {
    over(core, now, { is: "closed", code: closed.code, info: closed.info, until: closed.until }, why);
  } else if (!core.agreed.has("ids")) {
    over(core, now, { is: "lost", why, retry: null }, why);
  } else {
    core.standing = "lost";
    // A password that was asked for is still needed.
    if (core.phase.is !== "refused") core.phase = { is: "lost", why, retry: null };
    const waiting = core.sent.unanswered.length;
    const kept = waiting === 0 ? "" : ` ${plural(waiting, "message")} will be sent again.`;
    core.model.lost({ tone: "error", lines: [`The connection is lost: ${why}.${kept}`], table: null, time: now });
    core.effects.push({ redial: core.phase.is === "refused" ? false : (closed?.retry ?? null) });
  }
  return false;
}

/** @param {Core} core @param {number} now @param {import("./types.js").Phase} phase @param {string} why */
function over(core, now, phase, why) {
  core.standing = "nameless";
  dropAll(core);
  core.phase = phase;
  core.model.lost({ tone: "error", lines: [`The connection is over: ${why}`], table: null, time: now });
  core.effects.push({ redial: false });
}
