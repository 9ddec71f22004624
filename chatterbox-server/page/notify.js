/** What a user is told who looks elsewhere: notifications, a tone, and the title of the window. */

/** @import { Effect, Event as ChatEvent, View } from "./state/types.js" */
/** @import { Settings } from "./settings.js" */
/** @import { Ui } from "./view/ui.js" */

/** @typedef {Extract<Effect, {alert: unknown}>["alert"]} Alert */

/** There are at most so many notifications in so many milliseconds: a flood is no news. */
export const MOST = 5;
export const WITHIN = 10_000;

/** The most characters of a notification's text. */
const TEXT = 200;

/** What the browser allows now; "none": it has no notifications for this page. */
export function permission() {
  return typeof Notification === "undefined" || !isSecureContext ? "none" : Notification.permission;
}

/** Asks the browser for notifications. Only ever after a click that was about this. */
export async function allow() {
  if (permission() !== "default") return permission();
  try {
    return await Notification.requestPermission();
  } catch {
    return "none";
  }
}

/**
 * What becomes of an alert.
 *
 * @param {Settings} settings
 * @param {{hidden: boolean, permission: string, recent: number}} now `recent`: how many notifications there were within the time.
 */
export function decide(settings, { hidden, permission, recent }) {
  const wants = settings.notifications !== "off";
  const quiet = recent >= MOST;
  return {
    notification: wants && hidden && permission === "granted" && !quiet,
    tone: settings.sounds && !quiet,
    hint: !wants && permission === "default",
  };
}

/** The words of a notification: what was said only where the user wants that. @param {Settings} settings @param {Alert} alert */
export function words(settings, { target, from, text }) {
  const title = target.startsWith("@") ? `${from} writes to you` : `${from} names you in ${target === "ALL" ? "the lobby" : target}`;
  return { title, body: settings.notifications === "text" ? [...text].slice(0, TEXT).join("") : "" };
}

/** The title of the window: how much is new, mentions before everything else, and what is in front. @param {View} view */
export function titleOf(view) {
  const name = view.server.name === "" ? "Chatterbox" : view.server.name;
  const front = view.conversations.find((one) => one.target === view.front);
  if (view.phase.is === "lost") return `Not connected – ${name}`;
  if (view.phase.is !== "in" || front === undefined) return name;
  const { unread, mentions } = view.totals;
  const count = mentions > 0 ? `(${mentions}!) ` : unread > 0 ? `(${unread}) ` : "";
  return `${count}${front.title} – ${name}`;
}

/** @type {AudioContext | null} */
let audio = null;

/** A short tone of two notes, made here: there is no file. A browser that wants no sound yet makes none. */
export function beep() {
  try {
    audio ??= new AudioContext();
    const context = audio;
    void context.resume().catch(() => {});
    const gain = context.createGain();
    const start = context.currentTime;
    gain.connect(context.destination);
    gain.gain.setValueAtTime(0.0001, start);
    gain.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
    const tone = context.createOscillator();
    tone.type = "sine";
    tone.frequency.setValueAtTime(660, start);
    tone.frequency.setValueAtTime(880, start + 0.12);
    tone.connect(gain);
    tone.start(start);
    tone.stop(start + 0.4);
    tone.onended = () => gain.disconnect();
  } catch {
    // No sound, then.
  }
}

export class Notifier {
  #document;
  #ui;
  #send;
  /** @type {number[]} */
  #times = [];

  /**
   * @param {Document} document
   * @param {Ui} ui
   * @param {(event: ChatEvent) => void} send
   */
  constructor(document, ui, send) {
    this.#document = document;
    this.#ui = ui;
    this.#send = send;
  }

  /** Somebody has named the user, who does not see it: an effect `alert` of the state. @param {Alert} alert */
  alert(alert) {
    const now = performance.now();
    this.#times = this.#times.filter((time) => now - time < WITHIN);
    const { settings } = this.#ui;
    const decided = decide(settings, { hidden: this.#document.hidden, permission: permission(), recent: this.#times.length });
    if (decided.hint) this.#ui.offerHint();
    if (decided.tone) beep();
    if (decided.notification) this.#notify(alert);
    if (decided.tone || decided.notification) this.#times.push(now);
  }

  /** @param {Alert} alert */
  #notify(alert) {
    const { title, body } = words(this.#ui.settings, alert);
    try {
      // A later one of the same conversation takes its place, so they do not pile up.
      const notification = new Notification(title, { body, tag: `chatterbox ${alert.target}`, silent: true });
      notification.onclick = () => {
        this.#document.defaultView?.focus();
        notification.close();
        this.#send({ open: alert.target });
        this.#ui.jump(alert.target, alert.key);
      };
    } catch {
      // Some phones have notifications only for installed pages.
    }
  }

  /** The title of the window for this view. @param {View} view */
  title(view) {
    const title = titleOf(view);
    if (this.#document.title !== title) this.#document.title = title;
  }
}
