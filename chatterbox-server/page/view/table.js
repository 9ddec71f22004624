/** The table of a RESULT. */

import { useState } from "../vendor/hooks.js";
import { html } from "./html.js";

/** Rows that are shown at once, and at most. How many columns there are, and how much is in each, is bounded by the state. */
const BEGINNING = 50;
const MOST = 1000;

/** @param {{table: { columns: readonly string[], rows: readonly (readonly string[])[] }}} props */
export function Table({ table }) {
  const [open, setOpen] = useState(false);
  const columns = table.columns;
  const rows = table.rows.slice(0, open ? MOST : BEGINNING);
  // It is wider than the page now and then, so it scrolls by itself, with the keyboard as well.
  return html`<div class="table" tabindex="0" role="group" aria-label="Table">
    <table>
      <thead><tr>${columns.map((column) => html`<th scope="col" dir="auto">${column}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${columns.map((_, index) => html`<td dir="auto">${row[index] ?? ""}</td>`)}</tr>`)}</tbody>
    </table>
    ${table.rows.length > rows.length && (open
      ? html`<p class="note">${table.rows.length - rows.length} more rows are not shown.</p>`
      : html`<button type="button" class="button" onClick=${() => setOpen(true)}>Show all ${table.rows.length} rows</button>`)}
  </div>`;
}
