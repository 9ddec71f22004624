/** A column of the wide page as a dialog from the side, for narrow ones. */

import { useEffect, useRef } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @param {{label: string, side: "start" | "end", close: () => void, children?: any}} props */
export function Sheet({ label, side, close, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing it gives the focus back to where it was.
    return () => element?.close();
  }, []);
  return html`<dialog class=${`sheet ${side}`} aria-label=${label} ref=${dialog} onClose=${close}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === dialog.current && dialog.current?.close()}>
    <div class="sheet-content">
      <button type="button" class="icon-button shut" aria-label="Close" title="Close" onClick=${() => dialog.current?.close()}><${Icon} name="close" /></button>
      ${children}
    </div>
  </dialog>`;
}
