/** The input: what is typed, its completion, its drafts, and when it is sent. */

import { Drafts, keepable } from "../drafts.js";
import { Recall } from "../recall.js";
import { begun, complete } from "../state/complete.js";
import { secretFrom } from "../veil.js";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { LIST, optionId, Popup } from "./popup.js";
import { Transfers } from "./transfers.js";

/** @import { Candidate, Completion, Event as ChatEvent, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** From this part of the longest message on, it is shown how many characters are left. */
const NEARLY = 0.8;

/** There is one page, so there is one of each. They outlive the input, which is not there while the user is at the login. */
const drafts = new Drafts(() => sessionStorage);
const recall = new Recall();

/** @type {Completion} */
const NOTHING = { from: 0, to: 0, candidates: [], usage: null, about: [], secret: null };

/** @param {{view: View, ui: Ui, send: (event: ChatEvent) => void}} props */
export function Say({ view, ui, send }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [{ text, caret }, setTyped] = useState({ text: "", caret: 0 });
  /** The popup was closed with Escape, until something else is typed; and whether the completion was asked for with Tab. */
  const [popup, setPopup] = useState({ closed: false, asked: false, active: -1 });
  const [problem, setProblem] = useState("");

  // What other views ask of the input comes later than this drawing, and is about the view of that moment.
  const now = useRef(view);
  now.current = view;

  // What was said of the connection, or of another conversation, holds no longer.
  useEffect(() => setProblem(""), [view.phase.is, view.front]);

  const front = view.conversations.find((one) => one.target === view.front);
  const completion = useMemo(
    () => (text === "" ? NOTHING : complete(view, text, caret, popup.asked)),
    [text, caret, popup.asked, view.commands, view.people, view.front],
  );
  const isOpen = !popup.closed && (completion.candidates.length > 0 || completion.usage !== null || completion.about.length > 0);
  const active = isOpen && popup.active < completion.candidates.length ? popup.active : -1;
  const left = remaining(view, text);
  const secret = useMemo(() => secretFrom(view, text), [text, view.commands]);
  const isSecret = secret !== null && secret < text.length;

  /** Puts a text in the input, and the caret in it. */
  const put = (/** @type {string} */ next, /** @type {number} */ place = next.length) => {
    const element = area.current;
    if (element === null) return;
    element.value = next;
    element.setSelectionRange(place, place);
    typed(next, place);
  };
  const typed = (/** @type {string} */ next, /** @type {number} */ place) => {
    setTyped({ text: next, caret: place });
    setPopup({ closed: false, asked: false, active: -1 });
    setProblem("");
    drafts.set(target.current, kept(now.current, next), kept(now.current, next, false));
  };

  // Effects run in their order: whose drafts and lines these are is settled before one of them is shown.
  const name = useRef("");
  useLayoutEffect(() => {
    if (name.current !== "") drafts.renamed(view.me);
    else if (drafts.belongTo(view.me)) recall.clear();
    name.current = view.me;
  }, [view.me]);
  // The draft of the conversation in front. It is put in place before anything is drawn, so no key can reach the one of another.
  const target = useRef(view.front);
  useLayoutEffect(() => {
    target.current = view.front;
    put(drafts.get(view.front));
  }, [view.front]);

  // Whoever has joined goes on typing. A keyboard on the screen would cover what there is to read, so there it comes when it is asked for.
  useEffect(() => {
    if (document.activeElement === document.body && matchMedia("(any-pointer: fine)").matches) area.current?.focus();
  }, []);

  useLayoutEffect(() => grow(area.current), [text, ui.settings.size]);

  useEffect(() => {
    const focus = () => {
      area.current?.focus();
      if (document.activeElement === area.current) return;
      // A column that is open above the chat keeps the focus until it is gone.
      ui.ask("drawer", null);
      requestAnimationFrame(() => area.current?.focus());
    };
    const undo = [
      ui.provide("input", focus),
      ui.provide("restore", (text) => { if (area.current?.value === "") put(text); }),
      ui.provide("insert", (inserted) => {
        const element = area.current;
        if (element === null) return;
        const before = element.value.slice(0, element.selectionStart);
        const gap = before === "" || /\s$/u.test(before) ? "" : " ";
        put(before + gap + inserted + element.value.slice(element.selectionEnd), (before + gap + inserted).length);
        focus();
      }),
    ];
    return () => undo.forEach((one) => one());
  }, [ui]);

  // Whoever can't see the popup hears what is in it, when it changes and typing pauses.
  const heard = isOpen ? spoken(completion) : "";
  useEffect(() => {
    if (heard === "") return;
    const timer = setTimeout(() => ui.ask("announce", heard), 700);
    return () => clearTimeout(timer);
  }, [heard]);

  const choose = (/** @type {Candidate} */ candidate) => {
    insert(completion, candidate.text);
    area.current?.focus();
  };

  const submit = () => {
    if (text.trim() === "") return;
    // What is said while the session waits for a connection is sent as soon as there is one.
    const waits = view.phase.is === "lost" && view.phase.retry !== null;
    if (view.phase.is !== "in" && !waits) {
      setProblem("There is no connection: this text stays here.");
    } else if (left !== null && left < 0) {
      setProblem(`Too long by ${-left} characters.`);
    } else {
      recall.push(kept(view, text).trimEnd());
      put("");
      send({ typed: text });
    }
  };

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    // An input method has the key: it chooses a character, and sends nothing.
    if (event.isComposing || event.keyCode === 229) return;
    if (handled(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  /** @param {KeyboardEvent} event */
  function handled(event) {
    const { key, altKey, shiftKey } = event;
    const isModified = event.ctrlKey || event.metaKey;
    const count = completion.candidates.length;
    if (key === "Enter") {
      if (shiftKey || altKey) return false;
      const isSend = ui.settings.send === "enter" ? !isModified : isModified;
      const candidate = completion.candidates[active];
      if (candidate !== undefined && !isModified) choose(candidate);
      else if (isSend) submit();
      else if (isModified) put(`${text.slice(0, caret)}\n${text.slice(area.current?.selectionEnd ?? caret)}`, caret + 1);
      else return false;
      return true;
    }
    if (isModified || altKey) return false;
    if (key === "Escape") {
      if (isOpen) setPopup({ ...popup, closed: true, active: -1 });
      else area.current?.blur();
      return true;
    }
    if (key === "Tab") return completed(shiftKey);
    if ((key === "ArrowDown" || key === "ArrowUp") && !shiftKey) {
      if (isOpen && count > 0) {
        const step = key === "ArrowDown" ? 1 : -1;
        const next = active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count) % count;
        setPopup({ ...popup, active: next });
        return true;
      }
      const line = recall.key(key === "ArrowUp" ? "up" : "down", text);
      if (line !== null) put(line);
      return line !== null;
    }
    return false;
  }

  /** Tab completes where there is something to complete, and else leaves the input as it does everywhere. @param {boolean} back */
  function completed(back) {
    if (back && active < 0) return false;
    const [first, ...others] = completion.candidates;
    if (isOpen && first !== undefined) {
      const chosen = completion.candidates[active];
      if (back) setPopup({ ...popup, active: active - 1 });
      else if (chosen !== undefined) choose(chosen);
      else if (others.length === 0) choose(first);
      else begin(completion);
      return true;
    }
    const asked = complete(view, text, caret, true);
    const [only, ...more] = asked.candidates;
    if (text === "" || only === undefined) return false;
    if (more.length === 0) insert(asked, only.text);
    else begin(asked);
    return true;
  }

  /** Of several candidates: what is certain is inserted, else the first one is chosen. @param {Completion} of */
  function begin(of) {
    const certain = begun(of, text);
    if (certain !== null && "candidate" in certain) return insert(of, certain.candidate.text);
    if (certain !== null) insert(of, certain.common);
    setPopup({ closed: false, asked: true, active: certain === null ? 0 : -1 });
  }

  /** @param {Completion} of @param {string} inserted */
  function insert({ from, to }, inserted) {
    put(text.slice(0, from) + inserted + text.slice(to), from + inserted.length);
  }

  const onSelect = () => {
    const place = area.current?.selectionEnd ?? 0;
    if (place !== caret) setTyped({ text, caret: place });
  };

  const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
  const chosen = () => {
    const files = [...(chooser.current?.files ?? [])];
    // The same file can be chosen again.
    if (chooser.current !== null) chooser.current.value = "";
    if (files.length > 0) send({ attach: files });
    area.current?.focus();
  };

  const rows = text.split("\n").length;
  const isGone = front?.gone ?? false;
  const label = front === undefined ? "Message" : `Message to ${front.title}`;
  return html`<form class="say" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); submit(); area.current?.focus(); }}>
    ${isOpen && html`<${Popup} completion=${completion} active=${active} choose=${choose} />`}
    <${Transfers} view=${view} send=${send} />
    <div class="say-box">
      ${view.files && html`<input ref=${chooser} hidden type="file" multiple onChange=${chosen} />
      <button class="icon-button say-attach" type="button" aria-label="Attach a file" title="Attach a file, or drop one on the messages" onClick=${() => chooser.current?.click()}>
        <${Icon} name="attach" />
      </button>`}
      <textarea
        ref=${area}
        class=${isSecret ? "say-text veiled" : "say-text"}
        rows="1"
        name="message"
        autocomplete="off"
        autocapitalize="sentences"
        enterkeyhint="send"
        placeholder=${label}
        aria-label=${label}
        aria-describedby="say-help"
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls=${isOpen && completion.candidates.length > 0 ? LIST : undefined}
        aria-activedescendant=${active >= 0 ? optionId(active) : undefined}
        aria-invalid=${problem !== "" ? "true" : undefined}
        onInput=${(/** @type {Event} */ event) => {
          const element = /** @type {HTMLTextAreaElement} */ (event.currentTarget);
          typed(element.value, element.selectionEnd);
        }}
        onSelect=${onSelect}
        onKeyDown=${onKeyDown}
        onBlur=${() => setPopup({ closed: true, asked: false, active: -1 })}
      ></textarea>
      <button class="icon-button say-send" type="submit" aria-label="Send" title="Send" disabled=${text.trim() === ""}>
        <${Icon} name="send" />
      </button>
    </div>
    <div class="say-notes" id="say-help">
      ${problem === "" && rows > 1 && html`<span>${rows} lines, sent as one message</span>`}
      ${problem === "" && isSecret && html`<span>A password: it is neither kept nor shown.</span>`}
      ${problem === "" && isGone && html`<span>You are not in ${front?.title} any more.</span>`}
      ${left !== null && html`<span class=${left < 0 ? "say-left over" : "say-left"}>
        ${left}<span class="hidden"> characters left</span>
      </span>`}
    </div>
    <p class="say-problem" role="alert">${problem}</p>
  </form>`;
}

/** The part of a text that may be kept. @param {View} view @param {string} text @param {boolean} known whether the commands are known well enough */
function kept(view, text, known = view.commands.length > 0) {
  return keepable(text, { secret: secretFrom(view, text), prefix: view.prefix, known });
}

/**
 * How many characters are left, where there is a limit that is near; null: nothing to show. What is meant for the server is no message.
 *
 * @param {View} view
 * @param {string} text
 */
function remaining(view, text) {
  const front = view.conversations.find((one) => one.target === view.front);
  const limit = front?.length ?? (front?.kind === "lobby" ? view.limits.content : null);
  if (limit === null || text.length < limit * NEARLY) return null;
  const { prefix } = view;
  if (prefix !== "" && text.startsWith(prefix) && !text.startsWith(prefix + prefix)) return null;
  const left = limit - [...text].length;
  return left <= limit * (1 - NEARLY) ? left : null;
}

/** What the popup is in words. @param {Completion} completion */
function spoken({ usage, about, candidates }) {
  const current = usage?.arguments.find((one) => one.current);
  const parts = [];
  if (current !== undefined) parts.push(`${current.text}: ${about.join(" ")}`);
  if (candidates.length > 0) parts.push(candidates.length === 1 ? "1 completion" : `${candidates.length} completions`);
  return parts.join(". ");
}

/** The input has as many rows as its text needs; from a third of the window on it scrolls. @param {HTMLTextAreaElement | null} element */
function grow(element) {
  if (element === null) return;
  element.style.blockSize = "auto";
  const border = element.offsetHeight - element.clientHeight;
  element.style.blockSize = `${element.scrollHeight + border}px`;
}
