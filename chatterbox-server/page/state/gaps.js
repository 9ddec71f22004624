// Gaps: what was missed in rooms while the connection was lost, and did not come with the welcome (RH-6). It is fetched by pages of
// history; what is said meanwhile waits for it, so everything is shown once and in its order.

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {{ entry: Entry, kind: import("./model.js").Kind }} Held
 * @typedef {{ room: string, number: number, after: number, pagesLeft: number, held: Held[], characters: number }} Gap
 */

/** So many pages are fetched of one gap, each of so many messages. */
const PAGES = 10;
export const PAGE = 100;

/** The most that waits for the pages of one room. What is more is on the pages themselves. */
const HELD = 1000;
const CHARACTERS = 512 * 1024;

/** The most gaps at a time. */
const GAPS = 200;

export class Gaps {
  constructor() {
    /** @type {Gap[]} */
    this.open = [];
  }

  /** Messages of a room were missed behind this one. Says whether its first page is to be asked for.
   * @param {import("./rooms.js").Room} room @param {number} after */
  begin(room, after) {
    if (this.open.length >= GAPS || this.open.some((gap) => gap.number === room.number)) return false;
    this.open.push({ room: room.name, number: room.number, after, pagesLeft: PAGES, held: [], characters: 0 });
    return true;
  }

  /** Lets a message wait for the pages before it, if there are any. Says whether it waits.
   * @param {Entry} entry @param {import("./model.js").Kind} kind */
  hold(entry, kind) {
    const gap = this.open.find((one) => one.room === entry.to);
    if (gap === undefined) return false;
    gap.held.push({ entry, kind });
    gap.characters += entry.text.length;
    while (gap.held.length > HELD || gap.characters > CHARACTERS) gap.characters -= gap.held.shift()?.entry.text.length ?? 0;
    return true;
  }

  /** A page came that belongs to a gap. `next`: the next page is to be asked for, behind this number; `isCut`: some are missing for good;
   * `rest`: what has waited.
   * @param {string} room @param {Entry[]} page @param {boolean} more @param {boolean} refused the server does not show it */
  paged(room, page, more, refused) {
    const gap = this.open.find((one) => one.room === room);
    /** @type {{ entries: Entry[], next: number | null, isCut: boolean, rest: Held[] }} */
    const filled = { entries: [], next: null, isCut: false, rest: [] };
    if (gap === undefined) return filled;
    const before = gap.after;
    for (const entry of page) {
      if (entry.id === null || entry.id <= gap.after) continue;
      gap.after = entry.id;
      filled.entries.push(entry);
    }
    gap.pagesLeft -= 1;
    // A page that brings nothing on would be asked for without end.
    if (more && !refused && gap.after > before && gap.pagesLeft > 0) filled.next = gap.after;
    else {
      filled.isCut = more || refused;
      filled.rest = this.close(gap);
    }
    return filled;
  }

  /** Gives up the gaps of rooms that are not kept; what has waited for them comes back. @param {(gap: Gap) => boolean} keep */
  retain(keep) {
    return this.open.filter((gap) => !keep(gap)).flatMap((gap) => this.close(gap));
  }

  /** @private @param {Gap} gap */
  close(gap) {
    this.open = this.open.filter((one) => one !== gap);
    return gap.held.filter(({ entry }) => entry.id === null || entry.id > gap.after);
  }
}
