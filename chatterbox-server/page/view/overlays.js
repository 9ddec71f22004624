/** What is open above the chat: at most one of each. A question of the server comes before everything else. */

import { useLayoutEffect, useState } from "../vendor/hooks.js";
import { CommandForm, QuestionDialog } from "./dialog.js";
import { Help } from "./help.js";
import { html } from "./html.js";
import { Hint } from "./hint.js";
import { Menu } from "./menu.js";
import { Palette } from "./palette.js";
import { MentionList, Search } from "./search.js";
import { SettingsDialog } from "./settings.js";

/** @import { Event, Question, View } from "../state/types.js" */
/** @import { Overlay, Ui } from "./ui.js" */

/** Each question, and each thing that opens, is drawn anew: nothing of one stands in the next. @type {WeakMap<object, number>} */
const numbers = new WeakMap();
let last = 0;

/** @param {Question | Overlay} of */
function numberOf(of) {
  let number = numbers.get(of);
  if (number === undefined) {
    last += 1;
    number = last;
    numbers.set(of, number);
  }
  return number;
}

/** @param {{view: View, ui: Ui, send: (event: Event) => void}} props */
export function Overlays({ view, ui, send }) {
  const { overlay } = ui;
  const { question } = view;
  // The page is drawn once in a frame. A dialog is there before the next key, or the first letters of a search would be typed elsewhere.
  const [, draw] = useState(0);
  useLayoutEffect(() => ui.subscribe(() => draw((count) => count + 1)), [ui]);
  useLayoutEffect(() => {
    if (overlay === null) ui.closed();
  }, [ui, overlay]);
  const props = { view, ui, send };
  return html`<div class="overlays">
    ${ui.hint && html`<${Hint} ui=${ui} />`}
    ${overlay !== null && html`<${Opened} key=${`overlay ${numberOf(overlay)}`} overlay=${overlay} ...${props} />`}
    ${question !== null && html`<${QuestionDialog} key=${`question ${numberOf(question)}`} question=${question} me=${view.me} send=${send} />`}
  </div>`;
}

/** @param {{overlay: Overlay, view: View, ui: Ui, send: (event: Event) => void}} props */
function Opened({ overlay, ...props }) {
  switch (overlay.is) {
    case "menu": return html`<${Menu} subject=${overlay.subject} at=${overlay.at} ...${props} />`;
    case "form": return html`<${CommandForm} command=${overlay.command} given=${overlay.given} ...${props} />`;
    case "settings": return html`<${SettingsDialog} ...${props} />`;
    case "help": return html`<${Help} ...${props} />`;
    case "search": return html`<${Search} ...${props} />`;
    case "mentions": return html`<${MentionList} ...${props} />`;
    case "palette": return html`<${Palette} of=${overlay.of} ...${props} />`;
  }
}
