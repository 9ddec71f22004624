/**
 * Dialogs: what all of them share, the form for the arguments of a command, and the question of the server.
 *
 * They are `<dialog>` elements shown as modal ones: the browser keeps the focus inside, closes them with Escape, makes everything else
 * inert, and gives the focus back to where it was. What has `data-first` gets it first.
 */

import { asks, collected, isSettled, kindOf } from "../form.js";
import { useId, useLayoutEffect, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { Argument, Command, Event as ChatEvent, Question, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** At most so many names are offered in a form. */
const OFFERED = 200;

/** Lengths of time to choose from. */
const DURATIONS = ["30s", "10m", "1h", "1d", "7d", "forever"];

/**
 * @param {{
 *   title: string, close: () => void, children: any, class?: string, bare?: boolean
 * }} props `bare` leaves the heading out: then the title is only its name.
 */
export function Dialog({ title, close, children, class: kind = "", bare = false }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const heading = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    const first = element?.querySelector("[data-first]");
    if (first instanceof HTMLElement) first.focus();
    return () => {
      element?.close();
      // The browser does this too, unless the element that had the focus was drawn anew meanwhile.
      if (!(before instanceof HTMLElement) || !before.isConnected) return;
      // Chromium gives it back while everything outside the dialog is still inert: a field then has the focus and no caret, and takes no
      // text. So it gets the focus once more, from nowhere.
      before.blur();
      before.focus({ preventScroll: true });
    };
  }, []);
  // A click on the backdrop is one on the dialog itself. What was pressed inside and let go outside marks a text, and closes nothing.
  const pressed = useRef(false);
  return html`<dialog
    ref=${dialog}
    class=${`overlay ${kind}`}
    aria-label=${bare ? title : undefined}
    aria-labelledby=${bare ? undefined : heading}
    onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}
    onPointerDown=${(/** @type {Event} */ event) => { pressed.current = event.target === event.currentTarget; }}
    onClick=${(/** @type {Event} */ event) => { if (pressed.current && event.target === event.currentTarget) close(); }}
  >
    ${bare ? children : html`<div class="overlay-frame">
      <div class="overlay-head">
        <h2 id=${heading}>${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" title="Close" onClick=${close}><${Icon} name="close" /></button>
      </div>
      ${children}
    </div>`}
  </dialog>`;
}

/**
 * Calls a command: at once, or by a form where anything has to be asked.
 *
 * @param {Ui} ui
 * @param {(event: ChatEvent) => void} send
 * @param {Command} command
 * @param {readonly (string | null)[]} given
 */
export function call(ui, send, command, given) {
  if (asks(command, given)) {
    ui.open({ is: "form", command, given });
    return;
  }
  ui.close();
  send({ call: { name: command.name, arguments: collected(command, given) } });
}

/**
 * The form of a command. What is typed in it stays in its elements until it is sent, and goes with them: a password is in no state, and
 * no browser is told to keep it.
 *
 * @param {{view: View, ui: Ui, send: (event: ChatEvent) => void, command: Command, given: readonly (string | null)[]}} props
 */
export function CommandForm({ view, ui, send, command, given }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const fields = command.arguments.map((argument, place) => ({ argument, place }));
  const known = fields.filter(({ place }) => isSettled(command, given, place));
  const missing = fields.filter(({ place }) => !isSettled(command, given, place));

  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const answers = command.arguments.map((_, place) => (isSettled(command, given, place) ? (given[place] ?? "") : answerOf(form.current, place)));
    ui.close();
    send({ call: { name: command.name, arguments: collected(command, answers) } });
  };

  // The server asks once more.
  const isDanger = command.confirm;
  return html`<${Dialog} title=${`${view.prefix}${command.name}`} close=${() => ui.close()}>
    <form class="overlay-body form" ref=${form} onSubmit=${onSubmit} autocomplete="off">
      ${missing.some(({ argument }) => kindOf(argument) === "secret") && html`<${Username} name=${view.me} />`}
      ${command.help && html`<p>${command.help}</p>`}
      ${known.length > 0 && html`<dl class="given">
        ${known.map(({ argument, place }) => html`<div key=${place}><dt>${argument.name}</dt><dd>${given[place]}</dd></div>`)}
      </dl>`}
      ${missing.map(({ argument, place }) => html`<${Field}
        key=${place} view=${view} argument=${argument} place=${place} isFirst=${place === missing[0]?.place} proposed=${given[place] ?? proposedFor(view, argument)}
      />`)}
      ${isDanger && html`<p class="warning"><${Icon} name="alert" /> This can't be undone.</p>`}
      <div class="overlay-foot">
        <button type="button" class="button" onClick=${() => ui.close()}>Cancel</button>
        <button type="submit" class=${isDanger ? "button danger" : "button primary"}>${command.name}</button>
      </div>
    </form>
  <//>`;
}

/** What stands in a field. @param {HTMLFormElement | null} form @param {number} place */
function answerOf(form, place) {
  const element = form?.elements.namedItem(`argument-${place}`);
  if (element instanceof HTMLInputElement && element.type === "checkbox") return element.checked ? element.value : "";
  if (element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement) {
    return element.value;
  }
  return "";
}

/** What stands in the field at first: a room that may be left out is the one in front. @param {View} view @param {Argument} argument */
function proposedFor(view, argument) {
  return argument.optional && argument.type === "room" && view.front.startsWith("#") ? view.front : "";
}

/** Whose password it is. Browsers look for it beside every password, and say so in their console where there is none. @param {{name: string}} props */
function Username({ name }) {
  return html`<input type="text" name="username" autocomplete="username" value=${name} readonly hidden />`;
}

/** @param {{view: View, argument: Argument, place: number, isFirst: boolean, proposed: string}} props */
function Field({ view, argument, place, isFirst, proposed }) {
  const kind = kindOf(argument);
  const id = useId();
  const help = `${id}-help`;
  const list = `${id}-list`;
  const note = noteOf(argument, kind);
  const common = {
    id, name: `argument-${place}`, class: "input", "data-first": isFirst ? "" : undefined, required: !argument.optional, "aria-describedby": note === "" ? undefined : help,
    autocomplete: "off", autocapitalize: "none", spellcheck: kind === "text" || kind === "lines",
  };
  const label = html`<label for=${id}>${argument.name}${argument.optional && html`<span class="note"> (may be left out)</span>`}</label>`;
  const about = note !== "" && html`<p class="note" id=${help}>${note}</p>`;
  if (kind === "flag") {
    return html`<div class="field">
      <div class="check">
        <input type="checkbox" id=${id} name=${common.name} data-first=${common["data-first"]} value=${argument.values[0]} aria-describedby=${common["aria-describedby"]} />
        <label for=${id}>${argument.values[0]}</label>
      </div>
      ${about}
    </div>`;
  }
  const names = offered(view, kind);
  return html`<div class="field">
    ${label}
    ${kind === "choice" ? html`<select ...${common}>
        ${argument.optional && html`<option value=""></option>`}
        ${argument.values.map((value) => html`<option key=${value} value=${value}>${value}</option>`)}
      </select>`
    : kind === "lines" ? html`<textarea ...${common} rows="3"></textarea>`
    : kind === "secret" ? html`<input ...${common} type="password" autocomplete="new-password" />`
    : kind === "integer" ? html`<input ...${common} type="text" defaultValue=${proposed} inputmode="numeric" pattern="[+\\-]?[0-9]+" title="a whole number" />`
    : html`<input ...${common} type="text" defaultValue=${proposed} list=${names.length > 0 ? list : undefined} />`}
    ${names.length > 0 && html`<datalist id=${list}>${names.map((name) => html`<option key=${name} value=${name}></option>`)}</datalist>`}
    ${about}
  </div>`;
}

/** @param {Argument} argument @param {import("../form.js").Kind} kind */
function noteOf(argument, kind) {
  const usual = kind === "duration" ? "30s, 10m, 2h, 7d or forever" : kind === "users" ? "names, with blanks between them" : "";
  if (kind === "secret" && argument.optional) return [argument.help, "if it is left out, the server may ask for it"].filter((text) => text !== "").join("; ");
  return argument.help || usual;
}

/** The names that are offered for an argument: the true ones, which a list of the browser shows as it shows all text. @param {View} view @param {import("../form.js").Kind} kind */
function offered(view, kind) {
  switch (kind) {
    case "user": return view.people.slice(0, OFFERED).map((person) => person.target.slice(1));
    case "room": return view.conversations.filter((one) => one.kind === "room").slice(0, OFFERED).map((one) => one.target);
    case "command": return view.commands.slice(0, OFFERED).map((command) => command.name);
    case "duration": return DURATIONS;
    default: return [];
  }
}

/** What the server asks. @param {{question: Question, me: string, send: (event: ChatEvent) => void}} props */
export function QuestionDialog({ question, me, send }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [sent, setSent] = useState(false);
  const id = useId();
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = input.current?.value ?? "";
    if (input.current !== null) input.current.value = "";
    if (sent) return;
    setSent(true);
    send({ answer });
  };
  return html`<${Dialog} title="The server asks" close=${() => send({ cancel: true })}>
    <form class="overlay-body form" onSubmit=${onSubmit} autocomplete="off">
      ${question.secret && html`<${Username} name=${me} />`}
      <div class="field">
        <label for=${id} class="question">${question.text}</label>
        <input
          ref=${input} id=${id} class="input" name="answer" data-first="" type=${question.secret ? "password" : "text"}
          autocomplete=${question.secret ? "new-password" : "off"} autocapitalize="none" spellcheck=${false}
        />
      </div>
      <div class="overlay-foot">
        <button type="button" class="button" onClick=${() => send({ cancel: true })}>Cancel</button>
        <button type="submit" class="button primary" disabled=${sent}>Answer</button>
      </div>
    </form>
  <//>`;
}
