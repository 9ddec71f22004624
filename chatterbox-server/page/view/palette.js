/** The palette: all actions, settings and commands by their names; and the same for conversations and people. */

import { search } from "../fuzzy.js";
import { act, ACTIONS } from "../keys.js";
import { SETTINGS } from "../settings.js";
import { allow, beep } from "../notify.js";
import { useMemo, useState } from "../vendor/hooks.js";
import { call, Dialog } from "./dialog.js";
import { Keys } from "./help.js";
import { html } from "./html.js";
import { Picker } from "./picker.js";

/** @import { Event as ChatEvent, View } from "../state/types.js" */
/** @import { Settings } from "../settings.js" */
/** @import { Ui } from "./ui.js" */

/** @typedef {{id: string, label: string, note: string, keys: string, names: readonly string[], mark: string, run: () => void}} Choice */

/** @param {{of: "actions" | "places", view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function Palette({ of, view, ui, send }) {
  const [typed, type] = useState("");
  // They are those of the moment in which the palette was opened: no row moves under a finger.
  const choices = useMemo(() => (of === "actions" ? actions(view, ui, send) : places(view, ui, send)), []);
  const found = useMemo(() => {
    const some = search(choices, typed, (choice) => choice.names);
    return of === "actions" ? some : [...some, ...elsewhere(view, ui, send, typed, some.length === 0)];
  }, [choices, typed]);
  const label = of === "actions" ? "Command or action" : "Conversation or person";
  return html`<${Dialog} title=${label} bare=${true} class="palette" close=${() => ui.close()}>
    <${Picker}
      label=${label} found=${found} typed=${typed} type=${type} keyOf=${(/** @type {Choice} */ one) => one.id}
      choose=${(/** @type {Choice} */ one) => ui.close(one.run)} row=${row}
      nothing=${of === "actions" ? "There is no such command or action." : "There is no such conversation, and nobody of this name is here."}
    />
  <//>`;
}

/** @param {Choice} choice */
function row({ label, note, keys, mark }) {
  return html`
    <span class="option-name">${label}</span>
    ${note && html`<span class="option-note">${note}</span>`}
    ${mark && html`<span class="count">${mark}</span>`}
    ${keys && html`<${Keys} keys=${keys} />`}
  `;
}

/**
 * @param {View} view
 * @param {Ui} ui
 * @param {(event: ChatEvent) => void} send
 * @returns {Choice[]}
 */
function actions(view, ui, send) {
  /** @type {Choice[]} */
  const choices = [];
  for (const { name, words, keys, where } of ACTIONS) {
    if (where !== "page" && name !== "help" || name === "palette") continue;
    choices.push({
      id: `action ${name}`, label: words, note: "", keys: keys[0] ?? "", mark: "", names: [words, name],
      run: () => act(name, ui, view, send),
    });
  }
  for (const command of view.commands) {
    if (command.demo) continue;
    choices.push({
      id: `command ${command.name}`, label: view.prefix + command.name, note: command.help, keys: "", mark: "",
      names: [command.name, ...command.aliases, command.help],
      run: () => call(ui, send, command, []),
    });
  }
  for (const setting of SETTINGS) {
    for (const choice of setting.choices) {
      const label = `${setting.title}: ${choice.words}`;
      choices.push({
        id: `setting ${label}`, label, note: ui.settings[setting.name] === choice.value ? "now" : "", keys: "", mark: "", names: [label],
        run: () => void choose(ui, setting.name, choice.value),
      });
    }
  }
  return choices;
}

/**
 * @param {Ui} ui
 * @param {keyof Settings} name
 * @param {string | boolean} value
 */
async function choose(ui, name, value) {
  if (name === "sounds" && value === true) beep();
  if (name === "notifications" && value !== "off" && (await allow()) !== "granted") {
    ui.ask("announce", "The browser does not allow notifications here.");
    return;
  }
  ui.set(name, /** @type {never} */ (value));
}

/**
 * Conversations with something new stand first, those with mentions before all; then those that are open; then people.
 *
 * @param {View} view
 * @param {Ui} ui
 * @param {(event: ChatEvent) => void} send
 * @returns {Choice[]}
 */
function places(view, ui, send) {
  const open = (/** @type {string} */ target) => () => {
    send({ open: target });
    ui.ask("input");
  };
  const rank = (/** @type {{mentions: number, unread: number}} */ one) => (one.mentions > 0 ? 2 : one.unread > 0 ? 1 : 0);
  const conversations = [...view.conversations].sort((one, other) => rank(other) - rank(one));
  const known = new Set(conversations.map((one) => one.target.toLowerCase()));
  /** @type {Choice[]} */
  const choices = conversations.map((one) => ({
    id: `conversation ${one.target}`, label: one.title, note: one.target === view.front ? "in front" : one.topic, keys: "",
    mark: one.mentions > 0 ? `${one.mentions}!` : one.unread > 0 ? `${one.unread}` : "",
    names: [one.title, one.target, one.topic], run: open(one.target),
  }));
  for (const { name, target, away } of view.people) {
    if (known.has(target.toLowerCase()) || name.toLowerCase() === view.me.toLowerCase()) continue;
    choices.push({
      id: `person ${name}`, label: name, note: away === null ? "" : `away ${away}`, keys: "", mark: "", names: [name], run: open(target),
    });
  }
  return choices;
}

/**
 * A room that the user is not in, by its name: with its sign, or where nothing else is found. Only the server knows whether there is one,
 * and lists those that there are.
 *
 * @param {View} view
 * @param {Ui} ui
 * @param {(event: ChatEvent) => void} send
 * @param {string} typed
 * @param {boolean} isNothingElse
 * @returns {Choice[]}
 */
function elsewhere(view, ui, send, typed, isNothingElse) {
  const has = (/** @type {string} */ name) => view.commands.some((command) => command.name === name);
  const name = /^#?([^\s#@]{1,64})$/u.exec(typed.trim())?.[1];
  const target = `#${name ?? ""}`;
  const isKnown = view.conversations.some((one) => one.target.toLowerCase() === target.toLowerCase() && !one.gone);
  /** @type {Choice[]} */
  const choices = [];
  const add = (/** @type {string} */ label, /** @type {string} */ note, /** @type {() => void} */ run) => {
    choices.push({ id: `room ${label}`, label, note, keys: "", mark: "", names: [], run });
  };
  if (name !== undefined && !isKnown && has("join") && (isNothingElse || typed.trim().startsWith("#"))) {
    add(`Join ${target}`, "a room that you are not in", () => {
      send({ call: { name: "join", arguments: [target] } });
      ui.ask("input");
    });
  }
  if (has("rooms") && (choices.length > 0 || typed.trim() === "" || typed.trim() === "#")) {
    add("All rooms", "those that you can join", () => send({ call: { name: "rooms", arguments: [] } }));
  }
  return choices;
}
