/** Files on their way: a bar for each, how fast it goes, how long it takes, and a way to give it up. */

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { sizeWords } from "../state/size.js";
import { spanWords } from "./time.js";

/** @import { Event, TransferView, View } from "../state/types.js" */

/** @param {{view: View, send: (event: Event) => void}} props */
export function Transfers({ view, send }) {
  if (view.transfers.length === 0) return null;
  return html`<ul class="transfers" aria-label="Files on their way">
    ${view.transfers.map((one) => html`<li key=${one.id}>
      <span class="transfer-name"><span class="hidden">${one.sends ? "Sending" : "Fetching"} </span><bdi>${one.name}</bdi></span>
      <progress max=${Math.max(1, one.size)} value=${one.size === 0 ? 1 : one.done} aria-label=${one.name}></progress>
      <span class="note">${words(one)}</span>
      <button type="button" class="icon-button" aria-label=${`Give up ${one.name}`} title="Give it up" onClick=${() => send({ giveUp: one.id })}><${Icon} name="close" /></button>
    </li>`)}
  </ul>`;
}

/** `41 % of 471 KiB, 98 KiB/s, 3 s left`. @param {TransferView} transfer */
function words({ size, done, waits, rate, left }) {
  const percent = size === 0 ? 100 : Math.floor((done / size) * 100);
  const parts = [`${percent} % of ${sizeWords(size)}`];
  if (waits) parts.push("waiting");
  if (rate !== null) parts.push(`${sizeWords(rate)}/s`);
  if (left !== null) parts.push(`${spanWords(left)} left`);
  return parts.join(", ");
}
