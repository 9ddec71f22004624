/** What is open above the chat: at most one of each. A question of the server comes before everything else. */

/** @import { Event, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** @param {{view: View, ui: Ui, send: (event: Event) => void}} props */
export function Overlays(props) {
  void props;
  return null;
}
