// What the page offers to speak, and what was agreed (CP-1, CP-2).

import { text } from "./read.js";

/** Everything but `zstd`, for which a browser has no library. `utf8` makes frames shorter. */
export const OFFER = "accounts/1 commands/1 devices/1 files/1 ids/1 marks/1 meta/1 notices/1 ping/1 presence/1 recent/1 rename/1 rooms/1 utf8/1";

/** A welcome has so many messages at most; older ones come page by page. */
export const RECENT = 200;

/** The longest answer to an offer. */
const LONGEST = 1024;

const OFFERED = new Set(OFFER.split(" "));

/** The names of the capabilities that are in force: only those that were offered, in the version that was.
 * @param {unknown} value @returns {ReadonlySet<string>} */
export function agreed(value) {
  const words = (text(value) ?? "").slice(0, LONGEST).split(" ");
  return new Set(words.filter((word) => OFFERED.has(word)).map((word) => word.slice(0, -2)));
}

/** What counts before a welcome: everything that was offered. */
export const ALL_OFFERED = agreed(OFFER);
