/** What a user is told who looks elsewhere: notifications, a tone, and the title of the window. */

/** @import { Effect, Event, View } from "./state/types.js" */
/** @import { Ui } from "./view/ui.js" */

/** @typedef {Extract<Effect, {alert: unknown}>["alert"]} Alert */

export class Notifier {
  /**
   * @param {Document} document
   * @param {Ui} ui
   * @param {(event: Event) => void} send
   */
  constructor(document, ui, send) {
    void document, void ui, void send;
  }

  /** Somebody has named the user, who does not see it: an effect `alert` of the state. @param {Alert} alert */
  alert(alert) {
    void alert;
  }

  /** The title of the window for this view. @param {View} view */
  title(view) {
    void view;
  }
}
