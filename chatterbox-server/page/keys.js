/** The keys of the page: one table, from which they are found, and listed. */

/** @import { Event, View } from "./state/types.js" */
/** @import { Ui } from "./view/ui.js" */

/**
 * Listens to the keys of the whole page; `view` gives the view of the moment.
 *
 * @param {Document} document
 * @param {Ui} ui
 * @param {() => View} view
 * @param {(event: Event) => void} send
 */
export function listen(document, ui, view, send) {
  void document, void ui, void view, void send;
}
