/** The input. */

/** @import { Event, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** @param {{view: View, ui: Ui, send: (event: Event) => void}} props */
export function Say(props) {
  void props;
  return null;
}
