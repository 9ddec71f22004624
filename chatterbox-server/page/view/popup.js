/** The popup above the input: how the command is used whose arguments are typed, and what the word at the caret can become. */

import { useEffect, useState } from "../vendor/hooks.js";
import { html } from "./html.js";

/** @import { Candidate, Completion } from "../state/types.js" */

/** The ids by which the input names the list, and the candidate that is chosen. */
export const LIST = "completion";
export const optionId = (/** @type {number} */ place) => `${LIST}-${place}`;

/**
 * @param {{completion: Completion, active: number, choose: (candidate: Candidate) => void}} props `active` is the place of the candidate
 *   that is chosen, or -1.
 */
export function Popup({ completion, active, choose }) {
  const { usage, about, candidates } = completion;
  return html`<div class="popup" onMouseDown=${keepFocus}>
    ${(usage !== null || about.length > 0) && html`<div class="popup-usage">
      ${usage && html`<code>
        <b>${usage.name}</b>${usage.arguments.map((one) => [" ", one.current ? html`<mark>${one.text}</mark>` : one.text])}
      </code>`}
      ${about.map((line, place) => html`<p key=${place} class="note">${line}</p>`)}
    </div>`}
    ${candidates.length > 0 && html`<${Candidates} candidates=${candidates} active=${active} choose=${choose} />`}
  </div>`;
}

/**
 * The list shows a part of the candidates, as long as the arrow keys want no other: a list that scrolls would have to be reached by Tab, and
 * the focus is in the input.
 *
 * @param {{candidates: readonly Candidate[], active: number, choose: (candidate: Candidate) => void}} props
 */
function Candidates({ candidates, active, choose }) {
  const [start, setStart] = useState(0);
  useEffect(() => setStart(0), [candidates]);
  const rows = room();
  const first = Math.max(0, Math.min(active < 0 ? start : startWith(active, start, rows), candidates.length - rows));
  useEffect(() => setStart(first), [first]);
  const more = candidates.length - first - rows;
  return html`
    <div class="popup-list" id=${LIST} role="listbox" aria-label="Completions">
      ${candidates.slice(first, first + rows).map((candidate, at) => html`<div
        key=${candidate.kind + candidate.text}
        id=${optionId(first + at)}
        class="option"
        role="option"
        aria-selected=${first + at === active ? "true" : "false"}
        aria-setsize=${candidates.length}
        aria-posinset=${first + at + 1}
        onClick=${() => choose(candidate)}
      >
        <span class="option-name">${candidate.shown}</span>
        ${candidate.note && html`<span class="option-note">${candidate.note}</span>`}
      </div>`)}
    </div>
    ${candidates.length > rows && html`<p class="popup-more note" aria-hidden="true" onClick=${() => setStart(more > 0 ? first + rows : 0)}>
      ${more > 0 ? `${more} more` : "The first ones"}
    </p>`}
  `;
}

/** How many rows have room above the input: they take less than half of the window, whatever the size of its font. */
function room() {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  const row = innerWidth < 48 * 16 ? 2.75 : 2.25;
  return Math.max(2, Math.min(8, Math.floor((innerHeight * 0.45) / rem / row) - 1));
}

/** Where the part begins in which the candidate at a place is seen, moved as little as possible. @param {number} place @param {number} start @param {number} rows */
function startWith(place, start, rows) {
  if (place < start) return place;
  return place >= start + rows ? place - rows + 1 : start;
}

/** The input keeps the focus, and a phone its keyboard, when the popup is touched. */
function keepFocus(/** @type {Event} */ event) {
  event.preventDefault();
}
