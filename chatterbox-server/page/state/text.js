// Texts of the network: how names are compared, and how a message becomes lines that are safe to show.

import { screen } from "../screen.js";

/** @typedef {import("./types.js").Shown} Shown */

/** Of a name so many characters are shown. */
const NAME = 64;

/** Of one message so many characters and lines are kept. */
const TEXT = 64 * 1024;
const LINES = 1000;

const encoder = new TextEncoder();

/** How many bytes a value takes as it is written on the wire.
 * @param {unknown} value */
export function bytesOf(value) {
  return encoder.encode(JSON.stringify(value)).length;
}

/** What names that are the same have in common; they are compared without regard to case.
 * @param {string} name */
export function fold(name) {
  return name.normalize("NFC").toLowerCase();
}

/** Whether two names are the same.
 * @param {string} one @param {string} other */
export function same(one, other) {
  return one === other || fold(one) === fold(other);
}

/** A name as it is shown.
 * @param {string} name @returns {Shown} */
export function shownName(name) {
  return screen(name, NAME);
}

/** The lines of a text, each safe to show.
 * @param {string} text @returns {Shown[]} */
export function linesOf(text) {
  const kept = text.slice(0, TEXT);
  const all = kept.split("\n", LINES + 1);
  const shown = all.slice(0, LINES).map((line) => screen(line.endsWith("\r") ? line.slice(0, -1) : line));
  if (kept.length < text.length || all.length > LINES) shown.push("…");
  return shown;
}

/** `1 message`, `2 messages`.
 * @param {number} count @param {string} word */
export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
