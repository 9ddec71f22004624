/** Search in what is loaded, and the list of the messages that name the user. */

import { find } from "../find.js";
import { search } from "../fuzzy.js";
import { useEffect, useId, useMemo, useState } from "../vendor/hooks.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { Picker } from "./picker.js";
import { clock, date } from "./time.js";

/** @import { Found } from "../find.js" */
/** @import { Event as ChatEvent, Target, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** A search begins when nothing was typed for so many milliseconds: it looks at everything that is loaded. */
const PAUSE = 120;

/** @param {{view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function Search({ view, ui, send }) {
  const [typed, type] = useState("");
  const [wanted, setWanted] = useState("");
  const [everywhere, setEverywhere] = useState(false);
  const id = useId();
  useEffect(() => {
    const timer = setTimeout(() => setWanted(typed), PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  const where = useMemo(
    () => view.conversations.filter((one) => everywhere || one.target === view.front),
    [everywhere, view.front],
  );
  const found = useMemo(() => find(where, wanted), [where, wanted]);
  const title = view.conversations.find((one) => one.target === view.front)?.title ?? "";
  const more = html`<div class="check picker-more">
    <input
      type="checkbox" id=${id} checked=${everywhere}
      onChange=${(/** @type {Event} */ event) => setEverywhere(/** @type {HTMLInputElement} */ (event.currentTarget).checked)}
    />
    <label for=${id}>In all conversations, not only in ${title}</label>
  </div>`;
  return html`<${Dialog} title="Search" bare=${true} class="palette" close=${() => ui.close()}>
    <${Picker}
      label="Search in what is loaded" found=${found} typed=${typed} type=${type} more=${more}
      keyOf=${(/** @type {Found} */ one) => `${one.target} ${one.key}`}
      choose=${(/** @type {Found} */ one) => jump(ui, view, send, one)}
      row=${(/** @type {Found} */ one) => hit(one, everywhere, ui)}
      nothing=${wanted.trim() === "" ? "What is older than what is loaded is not searched." : "Nothing that is loaded has these words."}
    />
  <//>`;
}

/** @param {{view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function MentionList({ view, ui, send }) {
  const [typed, type] = useState("");
  const all = view.mentions;
  const found = useMemo(() => search(all, typed, (one) => [one.line, one.from, one.target]), [all, typed]);
  return html`<${Dialog} title="Messages that name you" bare=${true} class="palette" close=${() => ui.close()}>
    <${Picker}
      label="Messages that name you" found=${found} typed=${typed} type=${type}
      keyOf=${(/** @type {View["mentions"][number]} */ one) => `${one.target} ${one.key}`}
      choose=${(/** @type {View["mentions"][number]} */ one) => jump(ui, view, send, one)}
      row=${(/** @type {View["mentions"][number]} */ one) => {
        const title = view.conversations.find((other) => other.target === one.target)?.title ?? one.target;
        return hit({ ...one, title, time: null }, true, ui);
      }}
      nothing=${all.length === 0 ? "Nobody has named you yet." : "There is no such mention."}
    />
  <//>`;
}

/**
 * @param {Ui} ui
 * @param {View} view
 * @param {(event: ChatEvent) => void} send
 * @param {{target: Target, key: number}} to
 */
function jump(ui, view, send, { target, key }) {
  ui.close(() => {
    if (target !== view.front) send({ open: target });
    ui.jump(target, key);
  });
}

/** @param {Found} found @param {boolean} isWithPlace @param {Ui} ui */
function hit({ from, line, title, time }, isWithPlace, ui) {
  return html`
    <span class="option-name">${from}</span>
    <span class="option-note">${line}</span>
    ${isWithPlace && html`<span class="option-place">${title}</span>`}
    ${time !== null && ui.settings.times !== "off" && html`<span class="option-place">${when(time, ui.settings.times)}</span>`}
  `;
}

/** The time as in the timeline; of another day with its date. @param {number} time @param {import("./time.js").Times} times */
function when(time, times) {
  const at = date(time);
  if (at === null) return "";
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? clock(at, times) : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${clock(at, times)}`;
}
