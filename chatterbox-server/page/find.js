/** Search in what is loaded: the newest messages first. */

import { folded } from "./fuzzy.js";

/** @import { Conversation, Message, Target } from "./state/types.js" */

/** At most so many messages are found, and each is shown with so many characters. */
export const FOUND = 100;
const SHOWN = 300;

/** @typedef {{target: Target, title: string, key: number, from: string, time: number | null, line: string}} Found */

/**
 * The messages with all the words that are typed, in the text or as the name of who says it.
 *
 * @param {readonly Conversation[]} conversations
 * @param {string} typed
 * @returns {Found[]}
 */
export function find(conversations, typed) {
  const words = folded(typed.trim()).split(/\s+/u).filter((word) => word !== "");
  if (words.length === 0) return [];
  /** @type {Found[]} */
  const found = [];
  for (const conversation of conversations) {
    let here = 0;
    for (let at = conversation.items.length - 1; at >= 0 && here < FOUND; at -= 1) {
      const item = conversation.items[at];
      if (item?.kind !== "message" || !has(item, words)) continue;
      here += 1;
      found.push({
        target: conversation.target,
        title: conversation.title,
        key: item.key,
        from: item.from,
        time: item.time,
        line: matching(item, words).slice(0, SHOWN),
      });
    }
  }
  if (conversations.length > 1) found.sort((a, b) => (b.time ?? 0) - (a.time ?? 0));
  return found.slice(0, FOUND);
}

/** @param {Message} item @param {readonly string[]} words */
function has(item, words) {
  const text = folded(`${item.from} ${item.lines.join("\n")}`);
  return words.every((word) => text.includes(word));
}

/** The line that is shown: the first one with one of the words. @param {Message} item @param {readonly string[]} words */
function matching(item, words) {
  const line = item.lines.find((one) => words.some((word) => folded(one).includes(word)));
  return line ?? item.lines.find((one) => one.trim() !== "") ?? "";
}
