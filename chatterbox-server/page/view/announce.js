/** What is told to screen readers: a small polite region beside the timeline. */

/** @import { View } from "../state/types.js" */

/** @param {{view: View}} props */
export function Announcer(props) {
  void props;
  return null;
}
