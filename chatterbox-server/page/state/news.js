// Messages that come: whether they are new, and what they wait for.

import { isMe } from "./login.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./entries.js").Entry} Entry
 */

/** Whether the user is to be told of a message. It is noted as seen, and as the echo of one that was sent.
 * @param {Core} core @param {Entry} entry */
export function isNews(core, entry) {
  if (entry.id !== null) {
    if (!core.seen.note(entry.id, entry)) return false;
    core.effects.push({ progress: true });
  }
  if (!isMe(core, entry.from)) return true;
  core.sent.arrived(entry);
  return !core.sent.isEcho(entry);
}

/** Shows a message, unless it waits for what was said before it. @param {Core} core @param {Entry} entry @param {"missed" | "live"} kind */
export function deliver(core, entry, kind) {
  if (!core.gaps.hold(entry, kind)) core.message(entry, kind);
}
