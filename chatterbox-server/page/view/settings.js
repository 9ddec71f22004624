/** The dialog of the settings: one group of choices for each row of the table. */

import { SETTINGS } from "../settings.js";
import { allow, beep, permission } from "../notify.js";
import { useId, useState } from "../vendor/hooks.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";

/** @import { Event as ChatEvent, View } from "../state/types.js" */
/** @import { Setting, Settings } from "../settings.js" */
/** @import { Ui } from "./ui.js" */

/** @param {{view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function SettingsDialog({ ui }) {
  const [problem, setProblem] = useState("");
  const choose = async (/** @type {Setting["name"]} */ name, /** @type {string | boolean} */ value) => {
    setProblem("");
    if (name === "sounds" && value === true) beep();
    if (name === "notifications" && value !== "off") {
      // The browser is asked here, after a click on it, and nowhere else.
      const answer = await allow();
      if (answer !== "granted") {
        setProblem(answer === "none"
          ? "This browser has no notifications for this page."
          : "The browser does not allow notifications here; its own settings of this page can.");
        value = "off";
      }
    }
    ui.set(name, /** @type {Settings[typeof name]} */ (value));
  };
  return html`<${Dialog} title="Settings" class="settings" close=${() => ui.close()}>
    <div class="overlay-body form">
      ${SETTINGS.map((setting) => html`<${Group} key=${setting.name} isFirst=${setting === SETTINGS[0]} setting=${setting} value=${shown(setting, ui)} choose=${choose} />`)}
      <p role="alert" class="problem">${problem}</p>
    </div>
  <//>`;
}

/** What holds now: notifications that the browser does not allow (any more) are off. @param {Setting} setting @param {Ui} ui */
function shown({ name }, ui) {
  if (name === "notifications" && permission() !== "granted") return "off";
  return ui.settings[name];
}

/** @param {{isFirst: boolean, setting: Setting, value: string | boolean, choose: (name: Setting["name"], value: string | boolean) => void}} props */
function Group({ isFirst, setting, value, choose }) {
  const id = useId();
  return html`<fieldset class="choices" aria-describedby=${setting.help ? `${id}-help` : undefined}>
    <legend class="label">${setting.title}</legend>
    <div class="choices-row">
      ${setting.choices.map((choice) => html`<label key=${choice.words} class="choice">
        <input
          type="radio" name=${`${id}-${setting.name}`} checked=${choice.value === value}
          data-first=${isFirst && choice.value === value ? "" : undefined}
          onChange=${() => choose(setting.name, choice.value)}
        />
        <span>${choice.words}</span>
      </label>`)}
    </div>
    ${setting.help && html`<p class="note" id=${`${id}-help`}>${setting.help}</p>`}
  </fieldset>`;
}
