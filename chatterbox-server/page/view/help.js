/** The list of the keys, out of their table. */

import { ACTIONS } from "../keys.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";

/** @import { Event as ChatEvent, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

const SECTIONS = [
  { title: "Anywhere", has: ["page", "outside"] },
  { title: "Where you write", has: ["input"] },
  { title: "In dialogs and menus", has: ["dialog"] },
];

/** @param {{view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function Help({ view, ui }) {
  return html`<${Dialog} title="Keys" class="wide" close=${() => ui.close()}>
    <div class="overlay-body" tabindex="0" data-first="" role="group" aria-label="The keys">
      ${SECTIONS.map(({ title, has }) => html`<section key=${title} class="keys">
        <h3>${title}</h3>
        <dl>
          ${ACTIONS.filter((action) => has.includes(action.where) && action.keys.length > 0).map((action) => html`<div key=${action.name}>
            <dt>${action.keys.map((keys, place) => [place > 0 && " or ", html`<${Keys} keys=${keys} />`])}</dt>
            <dd>${action.words}</dd>
          </div>`)}
        </dl>
      </section>`)}
      <p class="note">
        Everything is in the palette too, by its name. Commands begin with ${" "}<kbd>${view.prefix}</kbd>${" "} in the input, and stand in the
        menus of people, conversations and messages.
      </p>
    </div>
  <//>`;
}

/** @param {{keys: string}} props */
export function Keys({ keys }) {
  const parts = keys === "Ctrl-/" ? ["Ctrl", "/"] : keys.split("-");
  return html`<span class="key">${parts.map((part, place) => [place > 0 && "-", html`<kbd>${part}</kbd>`])}</span>`;
}
