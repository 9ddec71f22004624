/**
 * Menus of a person, a conversation and a message: what the page can do itself, and below it the commands of the server's catalogue that
 * fit. They open on a right click, a long press, the menu key, and a button.
 */

import { menuFor } from "../state/menu.js";
import { useLayoutEffect, useMemo, useRef } from "../vendor/hooks.js";
import { asks } from "../form.js";
import { call, Dialog } from "./dialog.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { Event as ChatEvent, MenuEntry, Message, Subject, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** A finger that stays for so many milliseconds, and moves by no more than so many pixels, presses long. */
const LONG = 500;
const MOVES = 10;

/** What is about the account of the user, by the names that the commands have where there are accounts. @type {[string, string][]} */
const GUEST = [["register", "Register this name"]];
/** @type {[string, string][]} */
const ACCOUNT = [["passwd", "Change the password"], ["logout", "Log out"]];

/** The most characters of a message that are quoted. */
const QUOTED = 300;

/**
 * What an element needs whose menu opens on a right click, a long press, and the menu key: spread it into the element.
 *
 * @param {Ui} ui
 * @param {Subject} subject
 */
export function menuProps(ui, subject) {
  return {
    onContextMenu: (/** @type {MouseEvent} */ event) => {
      // A link and a marked text have a menu of the browser that is of more use.
      if (isLink(event.target) || isMarked(event.currentTarget)) return;
      event.preventDefault();
      event.stopPropagation();
      endPress();
      const { clientX: x, clientY: y } = event;
      ui.open({ is: "menu", subject, at: x > 0 || y > 0 ? { x, y } : null });
    },
    // Safari on iOS says nothing of a long press.
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      endPress();
      if (event.pointerType !== "touch" || isLink(event.target)) return;
      const { clientX: x, clientY: y } = event;
      const timer = setTimeout(() => {
        endPress();
        swallowClick();
        ui.open({ is: "menu", subject, at: { x, y } });
      }, LONG);
      press = { x, y, timer };
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      if (press !== null && Math.hypot(event.clientX - press.x, event.clientY - press.y) > MOVES) endPress();
    },
    onPointerUp: endPress,
    onPointerCancel: endPress,
  };
}

/** The press that may become a long one: one finger counts. @type {{x: number, y: number, timer: number} | null} */
let press = null;

function endPress() {
  if (press !== null) clearTimeout(press.timer);
  press = null;
}

/** The click that follows when the finger is lifted is none. */
function swallowClick() {
  const swallow = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", swallow, { capture: true, once: true });
  document.addEventListener("pointerup", () => {
    setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 50);
  }, { capture: true, once: true });
}

/** @param {EventTarget | null} target */
function isLink(target) {
  return target instanceof Element && target.closest("a[href]") !== null;
}

/** Whether the user has marked a text in here. @param {EventTarget | null} element */
function isMarked(element) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && element instanceof Node && selection.containsNode(element, true);
}

/**
 * The visible button of a menu: `label` says of what.
 *
 * @param {{ui: Ui, subject: Subject, label: string}} props
 */
export function MenuButton({ ui, subject, label }) {
  const isOpen = ui.overlay?.is === "menu" && isSame(ui.overlay.subject, subject);
  return html`<button
    type="button" class="icon-button more" aria-label=${label} title=${label} aria-haspopup="menu" aria-expanded=${isOpen ? "true" : "false"}
    onClick=${(/** @type {MouseEvent} */ event) => {
      event.stopPropagation();
      // Safari gives no focus to a button that is clicked, so the place is that of the button itself.
      const { left: x, bottom: y } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
      ui.open({ is: "menu", subject, at: { x, y } });
    }}
  ><${Icon} name="more" /></button>`;
}

/** @param {Subject} one @param {Subject} other */
function isSame(one, other) {
  switch (one.is) {
    case "user": return other.is === "user" && other.name === one.name && other.room === one.room;
    case "conversation": return other.is === "conversation" && other.target === one.target;
    case "message": return other.is === "message" && other.target === one.target && other.key === one.key;
  }
}

/** @typedef {{label: string, note: string, danger: boolean, asks: boolean, run: () => void}} Entry */

/** @param {{subject: Subject, at: {x: number, y: number} | null, view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function Menu({ subject, at, view, ui, send }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const own = ownEntries(subject, view, ui, send);
  const isMine = subject.is === "user" && isMe(subject.name, view);
  const isHere = (/** @type {MenuEntry} */ { command, given }) => {
    // What is about the author is one menu further, or that of a message would be as long as both.
    if (subject.is === "message") return command.arguments.some(({ type }, place) => type === "integer" && (given[place] ?? null) !== null);
    // What needs a name is meant for others; what goes without one is about oneself, too.
    return !isMine || command.arguments[0]?.optional === true;
  };
  const theirs = useMemo(() => menuFor(view, subject).filter(isHere), [view.commands, subject]).map(({ command, given }) => ({
    label: command.name,
    note: command.help,
    danger: command.confirm,
    asks: asks(command, given),
    run: () => call(ui, send, command, given),
  }));
  // What can't be undone stands at the end, away from the rest.
  const groups = [own, theirs.filter((entry) => !entry.danger), theirs.filter((entry) => entry.danger)];
  const title = titleOf(subject, view);

  // Where it was opened from, as long as nothing in the dialog has the focus.
  const anchor = useRef(/** @type {DOMRect | null} */ (null));
  anchor.current ??= document.activeElement?.getBoundingClientRect() ?? null;
  useLayoutEffect(() => {
    const dialog = list.current?.closest("dialog");
    if (dialog instanceof HTMLElement) place(dialog, at, anchor.current);
    items(list.current)[0]?.focus({ preventScroll: true });
  }, []);

  const typed = useRef({ text: "", at: 0 });
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const all = items(list.current);
    const here = all.findIndex((item) => item === document.activeElement);
    const { key } = event;
    let next = -1;
    if (key === "ArrowDown") next = (here + 1) % all.length;
    else if (key === "ArrowUp") next = (here - 1 + all.length) % all.length;
    else if (key === "Home" || key === "PageUp") next = 0;
    else if (key === "End" || key === "PageDown") next = all.length - 1;
    else if (key === "Tab") ui.close();
    else if ([...key].length === 1 && key !== " ") {
      const now = event.timeStamp;
      const text = (now - typed.current.at < 700 ? typed.current.text : "") + key.toLowerCase();
      typed.current = { text, at: now };
      const rest = [...all.slice(text.length > 1 ? here : here + 1), ...all];
      const found = rest.find((item) => item.dataset.label?.toLowerCase().startsWith(text));
      next = found === undefined ? here : all.indexOf(found);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    all[next]?.focus();
  };

  return html`<${Dialog} title=${`Menu: ${title}`} bare=${true} class="menu" close=${() => ui.close()}>
    <p class="menu-title" aria-hidden="true">${title}</p>
    <div role="menu" aria-label=${title} ref=${list} onKeyDown=${onKeyDown}>
      ${groups.filter((group) => group.length > 0).map((group, number) => html`
        ${number > 0 && html`<div role="separator" class="menu-line"></div>`}
        ${group.map((entry) => html`<${Item} key=${entry.label} entry=${entry} />`)}
      `)}
    </div>
  <//>`;
}

/** @param {{entry: Entry}} props */
function Item({ entry }) {
  return html`<button
    type="button" role="menuitem" tabindex="-1" class=${entry.danger ? "menu-item danger" : "menu-item"} data-label=${entry.label}
    onClick=${entry.run}
    onPointerMove=${(/** @type {PointerEvent} */ event) => {
      const item = event.currentTarget;
      if (event.pointerType === "mouse" && item instanceof HTMLElement && item !== document.activeElement) item.focus({ preventScroll: true });
    }}
  >
    <span class="menu-label">${entry.label}${entry.asks && html`<span aria-hidden="true"> …</span>`}</span>
    ${entry.note && html`<span class="menu-note">${entry.note}</span>`}
  </button>`;
}

/** @param {HTMLElement | null} list @returns {HTMLElement[]} */
function items(list) {
  return [...(list?.querySelectorAll("[role=menuitem]") ?? [])].filter((item) => item instanceof HTMLElement);
}

/**
 * Where the menu stands: at the pointer, or below what had the focus, and wholly in the window. On a narrow screen the style sheet has it
 * at the bottom.
 *
 * @param {HTMLElement} dialog
 * @param {{x: number, y: number} | null} at
 * @param {DOMRect | null} anchor
 */
function place(dialog, at, anchor) {
  const { width, height } = dialog.getBoundingClientRect();
  const x = at?.x ?? anchor?.left ?? 0;
  const y = at?.y ?? anchor?.bottom ?? 0;
  const above = at?.y ?? anchor?.top ?? 0;
  const top = y + height <= innerHeight - 8 ? y : above - height >= 8 ? above - height : innerHeight - height - 8;
  dialog.style.setProperty("--menu-x", `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`);
  dialog.style.setProperty("--menu-y", `${Math.max(8, top)}px`);
}

/** @param {string} name @param {View} view */
function isMe(name, view) {
  return name.toLowerCase() === view.me.toLowerCase();
}

/** @param {Subject} subject @param {View} view */
function titleOf(subject, view) {
  switch (subject.is) {
    case "user": return subject.name;
    case "conversation": return view.conversations.find((one) => one.target === subject.target)?.title ?? subject.target;
    case "message": {
      const message = messageOf(subject, view);
      return message === undefined ? "Message" : `Message of ${message.from}`;
    }
  }
}

/** @param {Extract<Subject, {is: "message"}>} subject @param {View} view @returns {Message | undefined} */
function messageOf({ target, key }, view) {
  const items = view.conversations.find((one) => one.target === target)?.items;
  return items?.filter((item) => item.kind === "message").find((item) => item.key === key);
}

/**
 * What the page can do with it by itself.
 *
 * @param {Subject} subject
 * @param {View} view
 * @param {Ui} ui
 * @param {(event: ChatEvent) => void} send
 * @returns {Entry[]}
 */
function ownEntries(subject, view, ui, send) {
  /** @type {Entry[]} */
  const entries = [];
  const add = (/** @type {string} */ label, /** @type {() => void} */ run, note = "") => {
    entries.push({ label, note, danger: false, asks: false, run: () => ui.close(run) });
  };
  const copy = (/** @type {string} */ label, /** @type {string} */ text) => {
    // There is no clipboard for a page that came in plain text from another machine.
    if (navigator.clipboard === undefined) return;
    add(label, () => void navigator.clipboard.writeText(text).then(
      () => ui.ask("announce", "Copied"),
      () => ui.ask("announce", "The browser does not allow it"),
    ));
  };
  const person = (/** @type {string} */ name) => {
    if (isMe(name, view)) return;
    const target = view.people.find((one) => one.name === name)?.target ?? `@${name}`;
    if (view.front.toLowerCase() !== target.toLowerCase()) {
      add(`Write to ${name} alone`, () => { send({ open: target }); ui.ask("input"); });
    }
    add("Name them in a message", () => ui.ask("insert", `${name} `));
  };
  switch (subject.is) {
    case "user":
      person(subject.name);
      if (isMe(subject.name, view)) {
        // A phone has no keys for these.
        add("Commands and actions", () => ui.open({ is: "palette", of: "actions" }));
        add("Messages that name you", () => ui.open({ is: "mentions" }));
        add("Keys", () => ui.open({ is: "help" }));
        for (const [name, label] of view.account === null ? GUEST : ACCOUNT) {
          const command = view.commands.find((one) => one.name === name);
          if (command === undefined) continue;
          // The words that may follow have their place on the line and in the palette. Of secrets that are left out the server asks.
          add(label, () => send({ call: { name, arguments: [] } }), command.help);
        }
      }
      copy("Copy the name", subject.name);
      break;
    case "conversation": {
      const conversation = view.conversations.find((one) => one.target === subject.target);
      if (subject.target !== view.front) add("Go there", () => { send({ open: subject.target }); ui.ask("input"); });
      copy("Copy the name", conversation?.title ?? subject.target);
      if (conversation?.kind === "user" || conversation?.gone) add("Take it off the list", () => send({ close: subject.target }));
      break;
    }
    case "message": {
      const message = messageOf(subject, view);
      if (message === undefined) break;
      copy("Copy the text", message.lines.join("\n"));
      const quoted = message.lines.join("\n").slice(0, QUOTED).split("\n").map((line) => `> ${line}`).join("\n");
      if (message.id !== null && view.front === subject.target && view.replies) {
        const { id } = message;
        add("Reply", () => ui.ask("insert", `/reply ${id} `), "Answers this message; those who read it see what is answered");
      }
      add("Quote it", () => ui.ask("insert", `${quoted}\n`));
      person(message.from);
      if (!message.own) {
        const room = subject.target.startsWith("#") ? subject.target : null;
        const of = { is: /** @type {const} */ ("user"), name: message.from, room };
        entries.push({
          label: `More about ${message.from}`, note: "", danger: false, asks: true,
          run: () => ui.open({ is: "menu", subject: of, at: null }),
        });
      }
      break;
    }
  }
  return entries;
}
