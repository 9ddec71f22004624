/** The text of a message: links, and of a long one only the beginning until the user wants the rest. */

import { useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { pieces } from "./links.js";

/** What is shown at once of a message, and at most: lines, and characters. */
export const BEGINNING = { lines: 25, characters: 4000 };
export const MOST = { lines: 2000, characters: 200_000 };

/** CONTENT of every encrypted message (EE-3). */
const SENTENCE = "[encrypted message: your client can't read it]";

/**
 * Whether a message stands for one that was encrypted between two other clients. Nobody can be kept from typing the sentence; what
 * is said beside it is true even then.
 *
 * @param {string} target @param {readonly string[]} lines
 */
export const isEncrypted = (target, lines) => target.startsWith("@") && lines.length === 1 && lines[0] === SENTENCE;

/**
 * As much of the lines as is wanted at most, and whether that is all.
 *
 * @param {readonly string[]} lines
 * @param {{ lines: number, characters: number }} most
 */
export function beginning(lines, most) {
  const shown = [];
  let left = most.characters;
  for (const line of lines.slice(0, most.lines)) {
    if (left <= 0) break;
    // A pair of surrogates is not cut in two.
    const cut = line.length > left ? left - (/[\uD800-\uDBFF]/.test(line[left - 1] ?? "") ? 1 : 0) : line.length;
    shown.push(line.slice(0, cut));
    left -= line.length + 1;
  }
  return { shown, whole: left >= -1 && shown.length === lines.length };
}

/**
 * Tab goes to the links of one row only (`walked`), not through those of five hundred; the arrow keys lead to the row.
 *
 * @param {{lines: readonly string[], walked: boolean}} props
 */
export function Text({ lines, walked }) {
  const [open, setOpen] = useState(false);
  const { shown, whole } = beginning(lines, open ? MOST : BEGINNING);
  return html`<div class="words" dir="auto">
    ${shown.map((line, index) => html`${index > 0 ? "\n" : ""}${pieces(line).map((part) => piece(part, walked))}`)}
    ${!whole && "\n…"}
  </div>
  ${!whole && !open && html`<button type="button" class="button show-all" onClick=${() => setOpen(true)}>Show all of it</button>`}`;
}

/** @param {string | { text: string, href: string }} part @param {boolean} walked */
function piece(part, walked) {
  if (typeof part === "string") return part;
  return html`<a href=${part.href} tabindex=${walked ? undefined : -1} title=${part.href} target="_blank" rel="noopener noreferrer">${part.text}</a>`;
}
