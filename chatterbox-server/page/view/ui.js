/**
 * The state of the page that is none of the chat: the settings, and what is open above the chat. There is one of each, in one place, so
 * that two dialogs can't be open at once and every view shows the same settings.
 */

import { apply, isHintAnswered, keepHintAnswered, load, save } from "../settings.js";

/** @import { Command, Subject, Target } from "../state/types.js" */
/** @import { Settings } from "../settings.js" */

/**
 * What is open above the chat. A menu opens at a place of the page (of a click), or below the element that has the focus.
 *
 * @typedef {{is: "menu", subject: Subject, at: {x: number, y: number} | null}
 *   | {is: "form", command: Command, given: readonly (string | null)[]}
 *   | {is: "settings"} | {is: "help"} | {is: "search"} | {is: "mentions"}
 *   | {is: "palette", of: "actions" | "places"}} Overlay
 */

/**
 * What views can do for others, where it is not in the state of the chat.
 *
 * @typedef {object} Services
 * @property {(target: Target, key: number) => void} jump Brings an item of a conversation to the middle of the timeline.
 * @property {(where: "up" | "down" | "start" | "end" | "marker") => void} scroll Scrolls the timeline by a page, or to a place.
 * @property {() => void} input Gives the focus to the input.
 * @property {(sentence: string) => void} announce Tells screen readers something.
 * @property {(text: string) => void} insert Puts a text in the input, where the caret is.
 * @property {(text: string) => void} restore Puts a text that was not sent back into the input, unless something else is typed there by now.
 * @property {(name: "conversations" | "people" | null) => void} drawer Opens a column that has no place on a narrow screen, or closes it.
 */

export class Ui {
  /** @type {Overlay | null} */
  overlay = null;
  /** The user was named, and has not said yet whether they want notifications: a hint offers them. */
  hint = false;
  /** The item of a conversation that is on its way to the front, for its timeline to begin at. @type {{target: Target, key: number} | null} */
  later = null;
  #storage;
  #root;
  #settings;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Partial<Services>} */
  #services = {};
  /** What is done when nothing is open any more. @type {(() => void) | null} */
  #then = null;
  /** Where to go once its timeline is there. @type {{target: Target, key: number} | null} */
  #place = null;

  /**
   * `storage` gives the storage of the settings, or throws; `root` is the element that the style sheet looks at.
   *
   * @param {() => Storage} storage
   * @param {HTMLElement} root
   */
  constructor(storage, root) {
    this.#storage = storage;
    this.#root = root;
    this.#settings = load(storage);
    apply(root, this.#settings);
  }

  get settings() {
    return this.#settings;
  }

  /**
   * @template {keyof Settings} Name
   * @param {Name} name
   * @param {Settings[Name]} value
   */
  set(name, value) {
    this.#settings = { ...this.#settings, [name]: value };
    save(this.#storage, this.#settings);
    apply(this.#root, this.#settings);
    this.changed();
  }

  /** @param {Overlay} overlay */
  open(overlay) {
    this.#then = null;
    this.overlay = overlay;
    this.changed();
  }

  /**
   * Closes what is open. What is done `then` comes when it is gone: as long as a dialog is there, nothing else takes the focus, and at its
   * end it gives the focus back.
   *
   * @param {() => void} [then]
   */
  close(then) {
    if (this.overlay === null) {
      then?.();
      return;
    }
    this.#then = then ?? null;
    this.overlay = null;
    this.changed();
  }

  /** The view of what is open says that it is gone. */
  closed() {
    const then = this.#then;
    this.#then = null;
    then?.();
  }

  /**
   * Goes to an item of a conversation; one that is not in front yet has to be opened beside this.
   *
   * @param {Target} target
   * @param {number} key
   */
  jump(target, key) {
    this.#place = { target, key };
    this.ask("jump", target, key);
  }

  /** Offers notifications, unless that was answered before. */
  offerHint() {
    if (this.hint || isHintAnswered(this.#storage)) return;
    this.hint = true;
    this.changed();
  }

  /** Takes the offer away for good. */
  answerHint() {
    keepHintAnswered(this.#storage);
    this.hint = false;
    this.changed();
  }

  /**
   * A view does this for others as long as it is there.
   *
   * @template {keyof Services} Name
   * @param {Name} name
   * @param {Services[Name]} service
   */
  provide(name, service) {
    this.#services[name] = service;
    const place = this.#place;
    if (name === "jump" && place !== null) {
      this.#place = null;
      queueMicrotask(() => this.ask("jump", place.target, place.key));
    }
    return () => {
      if (this.#services[name] === service) delete this.#services[name];
    };
  }

  /**
   * Asks whichever view does this, if there is one.
   *
   * @template {keyof Services} Name
   * @param {Name} name
   * @param {Parameters<Services[Name]>} values
   */
  ask(name, ...values) {
    const service = /** @type {((...values: Parameters<Services[Name]>) => void) | undefined} */ (this.#services[name]);
    service?.(...values);
  }

  /** @param {() => void} listener Is called after every change. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed() {
    for (const listener of this.#listeners) listener();
  }
}
