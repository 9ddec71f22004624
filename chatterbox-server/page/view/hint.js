/** The hint that offers notifications, once, after the user was named for the first time while they looked elsewhere. */

import { allow } from "../notify.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { Ui } from "./ui.js" */

/** @param {{ui: Ui}} props */
export function Hint({ ui }) {
  const yes = async () => {
    ui.answerHint();
    if ((await allow()) === "granted") ui.set("notifications", "names");
  };
  return html`<section class="hint" aria-label="Notifications">
    <${Icon} name="bell" />
    <p>You were named while you looked elsewhere. Shall the browser tell you, when this page is hidden?</p>
    <div class="hint-buttons">
      <button type="button" class="button" onClick=${() => ui.answerHint()}>No</button>
      <button type="button" class="button primary" onClick=${yes}>Tell me</button>
    </div>
  </section>`;
}
