/** Menus of a person, a conversation and a message. */

/** @import { Subject } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/**
 * What an element needs whose menu opens on a right click, a long press, and the menu key: spread it into the element.
 *
 * @param {Ui} ui
 * @param {Subject} subject
 */
export function menuProps(ui, subject) {
  return {
    onContextMenu: (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      ui.open({ is: "menu", subject, at: event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : null });
    },
  };
}

/**
 * The visible button of a menu: `label` says of what.
 *
 * @param {{ui: Ui, subject: Subject, label: string}} props
 */
export function MenuButton(props) {
  void props;
  return null;
}
