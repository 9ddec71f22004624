/** The keys of the page: one table, from which they are found, and listed. */

/** @import { Event as ChatEvent, View } from "./state/types.js" */
/** @import { Ui } from "./view/ui.js" */

/**
 * @typedef {object} Action
 * @property {string} name
 * @property {readonly string[]} keys How they are written in the help: modifiers first, joined with "-".
 * @property {string} words What it does: a sentence of the help, and the name in the palette.
 * @property {"page" | "outside" | "input" | "dialog"} where "page": everywhere but in dialogs; "outside": where nothing is typed;
 *   "input" and "dialog": the elements themselves see to it, the row is for the help.
 */

/** @type {readonly Action[]} */
export const ACTIONS = [
  { name: "go-to", keys: ["Ctrl-K"], words: "Go to a conversation or a person", where: "page" },
  { name: "palette", keys: ["Ctrl-/"], words: "Choose a command or an action by its name", where: "page" },
  { name: "previous", keys: ["Alt-Up"], words: "Previous conversation", where: "page" },
  { name: "next", keys: ["Alt-Down"], words: "Next conversation", where: "page" },
  { name: "next-unread", keys: ["Alt-A"], words: "Next mention, else what is unread", where: "page" },
  { name: "mentions", keys: ["Alt-M"], words: "Messages that name you", where: "page" },
  { name: "search", keys: ["Alt-F"], words: "Search in what is loaded", where: "page" },
  { name: "page-up", keys: ["PageUp"], words: "Older messages", where: "page" },
  { name: "page-down", keys: ["PageDown"], words: "Newer messages", where: "page" },
  { name: "newest", keys: ["Alt-End"], words: "To the newest message", where: "page" },
  { name: "marker", keys: ["Alt-U"], words: "To where what is new begins", where: "page" },
  { name: "write", keys: ["Alt-I"], words: "To the input", where: "page" },
  { name: "settings", keys: [], words: "Settings", where: "page" },
  { name: "help", keys: ["?"], words: "The keys", where: "outside" },
  { name: "send", keys: ["Enter"], words: "Send (or Ctrl-Enter, by the settings)", where: "input" },
  { name: "new-line", keys: ["Shift-Enter"], words: "New line in the same message", where: "input" },
  { name: "complete", keys: ["Tab"], words: "Complete a name, a command or its argument", where: "input" },
  { name: "recall", keys: ["Up"], words: "In an empty input: the lines that you sent before", where: "input" },
  { name: "leave", keys: ["Escape"], words: "Close the completion, then leave the input", where: "input" },
  { name: "menu", keys: ["Shift-F10", "Menu"], words: "The menu of a message, a person or a conversation", where: "outside" },
  { name: "close", keys: ["Escape"], words: "Close", where: "dialog" },
];

/** What the keys of an event are called, as in the table. @param {KeyboardEvent} event */
export function written(event) {
  let { key } = event;
  // With Alt some systems type another character than what is written on the key.
  if (event.altKey && /^Key[A-Z]$/u.test(event.code) && !/^[a-z]$/iu.test(key)) key = event.code.slice(3);
  if (key.startsWith("Arrow")) key = key.slice(5);
  else if (key === "ContextMenu") key = "Menu";
  const isLetter = /^\p{L}$/u.test(key);
  if (isLetter) key = key.toUpperCase();
  // Where a character needs Shift depends on the keyboard.
  const shift = event.shiftKey && (isLetter || key.length > 1);
  const modifiers = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", shift ? "Shift" : ""];
  return [...modifiers.filter((modifier) => modifier !== ""), key].join("-");
}

/**
 * The name of the action for what was pressed; null: it has its usual meaning.
 *
 * @param {string} pressed
 * @param {{typing: boolean, dialog: boolean}} where Whether something is typed there, and whether a dialog is open.
 */
export function actionFor(pressed, { typing, dialog }) {
  if (dialog) return null;
  const isThere = (/** @type {Action} */ action) => action.where === "page" || (action.where === "outside" && !typing);
  const action = ACTIONS.find((one) => isThere(one) && one.name !== "menu" && one.keys.includes(pressed));
  return action?.name ?? null;
}

/** The conversation before or behind the one in front, as in the list, round its ends. @param {View} view @param {1 | -1} step */
export function neighbour(view, step) {
  const count = view.conversations.length;
  const here = view.conversations.findIndex((one) => one.target === view.front);
  if (count === 0) return null;
  const next = here < 0 ? 0 : (here + step + count) % count;
  return view.conversations[next]?.target ?? null;
}

/**
 * Carries an action out.
 *
 * @param {string} name
 * @param {Ui} ui
 * @param {View} view
 * @param {(event: ChatEvent) => void} send
 */
export function act(name, ui, view, send) {
  const open = (/** @type {string | null} */ target) => {
    if (target !== null) send({ open: target });
  };
  switch (name) {
    case "go-to": return ui.open({ is: "palette", of: "places" });
    case "palette": return ui.open({ is: "palette", of: "actions" });
    case "previous": return open(neighbour(view, -1));
    case "next": return open(neighbour(view, 1));
    case "next-unread": return open(view.nextUnread);
    case "mentions": return ui.open({ is: "mentions" });
    case "search": return ui.open({ is: "search" });
    case "page-up": return ui.ask("scroll", "up");
    case "page-down": return ui.ask("scroll", "down");
    case "newest": return ui.ask("scroll", "end");
    case "marker": return ui.ask("scroll", "marker");
    case "write": return ui.ask("input");
    case "settings": return ui.open({ is: "settings" });
    case "help": return ui.open({ is: "help" });
  }
}

/** Whether keys that are pressed there type something. @param {EventTarget | null} target */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["button", "checkbox", "radio", "submit"].includes(target.type);
}

/**
 * Listens to the keys of the whole page; `view` gives the view of the moment.
 *
 * @param {Document} document
 * @param {Ui} ui
 * @param {() => View} view
 * @param {(event: ChatEvent) => void} send
 */
export function listen(document, ui, view, send) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    // At the login there is nothing to go to.
    if (view().conversations.length === 0) return;
    const dialog = document.querySelector("dialog[open]") !== null;
    const name = actionFor(written(event), { typing: isTyping(event.target), dialog });
    if (name === null) return;
    event.preventDefault();
    act(name, ui, view(), send);
  });
}
