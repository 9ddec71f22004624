// Messages that come: whether they are new, and what they wait for.

import { isMe } from "./login.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./entries.js").Entry} Entry
 */

/** Whether the user is to be told of a message. It is noted as seen, and as the echo of one that was sent. With `devices` the text says
 * nothing of who has sent it: the user's other devices say the same words, and no echo of a private message comes to the device that has
 * said it. The number in its acknowledgement does, or where none comes any more (`resumed` is false) its time.
 * @param {Core} core @param {Entry} entry @param {boolean} [resumed] */
export function isNews(core, entry, resumed = true) {
  if (entry.id !== null) {
    if (!core.seen.note(entry.id, entry)) return false;
    core.effects.push({ progress: true });
  }
  // Also one that was said under a name which the user had before.
  if (core.sent.isStored(entry)) return false;
  if (!isMe(core, entry.from)) return true;
  if (entry.id !== null && core.agreed.has("devices")) return resumed ? !core.sent.hold(entry) : !core.sent.arrivedAt(entry);
  core.sent.arrived(entry);
  return !core.sent.isEcho(entry);
}

/** Shows what another device has said, as it turns out now. @param {Core} core */
export function deliverHeld(core) {
  for (const entry of core.sent.release()) deliver(core, entry, "live");
}

/** Shows a message, unless it waits for what was said before it. @param {Core} core @param {Entry} entry @param {"missed" | "live"} kind */
export function deliver(core, entry, kind) {
  if (!core.gaps.hold(entry, kind)) core.message(entry, kind);
}
