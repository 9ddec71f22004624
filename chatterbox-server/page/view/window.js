/**
 * Which items of a conversation are rows of the page. A conversation may have ten thousand items; only a part of them are elements, which
 * follows where the user reads. The part is told by keys, because the places of items change when older ones come above them.
 */

/** @import { Item } from "../state/types.js" */

/** Rows of a page that follows the end, that come with each step in scrolling, and at most. */
export const PAGE = 120;
export const STEP = 100;
export const MOST = 500;

/**
 * The first and the last row by their keys. `first` null: the end is followed, and the rows are the last ones. `last` null: down to the end.
 *
 * @typedef {{ first: number | null, last: number | null }} Part
 */

/** @type {Part} */
export const END = { first: null, last: null };

/**
 * The places of the first row and behind the last one.
 *
 * @param {readonly Item[]} items
 * @param {Part} part
 */
export function range(items, part) {
  const count = items.length;
  if (part.first === null) return { from: Math.max(0, count - PAGE), to: count };
  const last = part.last === null ? count - 1 : place(items, part.last);
  const first = place(items, part.first);
  // An item that is no more was one of the oldest, which make room, or was shown in error; the others are still where they were.
  const from = first >= 0 ? first : Math.max(0, (last >= 0 ? last + 1 : count) - MOST);
  const to = last >= from ? last + 1 : count;
  return { from, to: Math.min(to, from + MOST) };
}

/** @param {readonly Item[]} items @param {number} key */
export function place(items, key) {
  return items.findIndex((item) => item.key === key);
}

/**
 * The part with these places, of which at most `MOST` items are kept: those at the side to which it grows.
 *
 * @param {readonly Item[]} items
 * @param {number} from
 * @param {number} to
 * @param {"up" | "down"} side
 * @returns {Part}
 */
export function part(items, from, to, side) {
  let first = Math.max(0, from);
  let end = Math.min(items.length, to);
  if (end - first > MOST) {
    if (side === "up") end = first + MOST;
    else first = end - MOST;
  }
  return { first: items[first]?.key ?? null, last: end === items.length ? null : (items[end - 1]?.key ?? null) };
}
