/** A list that is narrowed by typing: the palette, going to a place, and search are made of it. */

import { useEffect, useId, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/**
 * @template One
 * @param {{
 *   label: string, found: readonly One[], typed: string, type: (text: string) => void, choose: (one: One) => void,
 *   keyOf: (one: One) => string, row: (one: One) => any, nothing: string, more?: any
 * }} props `row` draws what stands in an option; `nothing` is said where there is none; `more` stands between the input and the list.
 */
export function Picker({ label, found, typed, type, choose, keyOf, row, nothing, more }) {
  const id = useId();
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [active, setActive] = useState(0);
  const here = Math.min(active, found.length - 1);

  useEffect(() => setActive(0), [typed]);
  useEffect(() => list.current?.children[here]?.scrollIntoView({ block: "nearest" }), [here, found]);

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    const { key } = event;
    const last = found.length - 1;
    if (key === "ArrowDown") setActive(here >= last ? 0 : here + 1);
    else if (key === "ArrowUp") setActive(here <= 0 ? Math.max(last, 0) : here - 1);
    else if (key === "PageDown") setActive(Math.max(Math.min(here + 8, last), 0));
    else if (key === "PageUp") setActive(Math.max(here - 8, 0));
    else if (key === "Enter") {
      const one = found[here];
      if (one !== undefined) choose(one);
    } else return;
    event.preventDefault();
  };

  return html`<div class="picker">
    <div class="picker-input">
      <${Icon} name="search" />
      <input
        type="text" role="combobox" data-first="" aria-label=${label} placeholder=${label} autocomplete="off" autocapitalize="none"
        spellcheck=${false} enterkeyhint="go" aria-autocomplete="list" aria-expanded=${found.length > 0 ? "true" : "false"}
        aria-controls=${found.length > 0 ? id : undefined} aria-activedescendant=${here >= 0 ? `${id}-${here}` : undefined}
        value=${typed} onInput=${(/** @type {Event} */ event) => type(/** @type {HTMLInputElement} */ (event.currentTarget).value)}
        onKeyDown=${onKeyDown}
      />
    </div>
    ${more}
    ${found.length > 0 && html`<div
      class="picker-list" id=${id} role="listbox" tabindex="-1" aria-label=${label} ref=${list}
      onMouseDown=${(/** @type {Event} */ event) => event.preventDefault()}
    >
      ${found.map((one, place) => html`<div
        key=${keyOf(one)} id=${`${id}-${place}`} class="option" role="option" aria-selected=${place === here ? "true" : "false"}
        onClick=${() => choose(one)}
      >${row(one)}</div>`)}
    </div>`}
    <p class=${found.length > 0 ? "hidden" : "picker-nothing"} role="status">
      ${found.length > 0 ? `${found.length} found` : nothing}
    </p>
  </div>`;
}
