/**
 * What is told to screen readers: a small polite region beside the timeline.
 *
 * The timeline itself is no live region: with such a one, screen readers read rows again that were only drawn anew, and whole pages of the
 * history when they are put above.
 */

import { Sentences } from "../sentences.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";

/** @import { Conversation, Item, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** More than so many new items are not counted one by one. */
const LOOKED_AT = 100;

/** @param {{view: View, ui: Ui}} props */
export function Announcer({ view, ui }) {
  const sentences = useRef(/** @type {Sentences | null} */ (null));
  const queue = (sentences.current ??= new Sentences());
  /** For each conversation the newest item that was looked at. @type {{current: Map<string, number | null>}} */
  const seen = useRef(new Map());
  const [said, setSaid] = useState({ text: "", number: 0 });
  const timer = useRef(0);
  const front = useRef("");

  const speak = () => {
    clearTimeout(timer.current);
    const wait = queue.wait(performance.now());
    if (wait === null) return;
    if (wait > 0) {
      timer.current = setTimeout(speak, wait);
      return;
    }
    const text = queue.take(performance.now());
    if (text !== null) setSaid(({ number }) => ({ text, number: number + 1 }));
  };

  useEffect(() => ui.provide("announce", (sentence) => { queue.say(sentence); speak(); }), [ui]);
  useEffect(() => () => clearTimeout(timer.current), []);

  useEffect(() => {
    const isFirst = front.current === "";
    if (front.current !== view.front) {
      const conversation = view.conversations.find((one) => one.target === view.front);
      if (conversation !== undefined) queue.say(nameOf(conversation));
      front.current = view.front;
    }
    for (const conversation of view.conversations) {
      const { target, kind, items } = conversation;
      const newest = items.at(-1)?.key ?? null;
      // One that somebody has opened by writing to the user is new as a whole; any other one comes with its history.
      const before = seen.current.get(target) ?? (kind === "user" && !isFirst ? null : undefined);
      seen.current.set(target, newest);
      if (before === undefined || before === newest) continue;
      const fresh = behind(items, before).map((item) => sentenceOf(item, conversation, view.front)).filter((one) => one !== null);
      if (fresh.length === 1 && fresh[0] !== undefined) queue.message(fresh[0]);
      else if (fresh.length > 1) queue.messages(fresh.length);
    }
    if (seen.current.size > view.conversations.length * 2 + 10) {
      const there = new Set(view.conversations.map((one) => one.target));
      for (const target of seen.current.keys()) if (!there.has(target)) seen.current.delete(target);
    }
    speak();
  }, [view.conversations, view.front]);

  // The same sentence twice is a change of the region, or nobody hears it the second time.
  return html`<div class="hidden" role="status" aria-live="polite" aria-atomic="true"><span key=${said.number}>${said.text}</span></div>`;
}

/** The items behind one; where it is not there any more, nothing is known to be new. @param {readonly Item[]} items @param {number | null} key */
function behind(items, key) {
  const fresh = [];
  for (let at = items.length - 1; at >= 0 && fresh.length < LOOKED_AT; at -= 1) {
    const item = items[at];
    if (item === undefined || item.key === key) return fresh.reverse();
    fresh.push(item);
  }
  return key === null || fresh.length === LOOKED_AT ? fresh.reverse() : [];
}

/**
 * What is said of an item; null: nothing. Of conversations that are not in front, only mentions.
 *
 * @param {Item} item
 * @param {Conversation} conversation
 * @param {string} front
 */
function sentenceOf(item, { target, kind, title }, front) {
  const isInFront = target === front;
  if (item.kind === "notice") return isInFront ? item.lines.join(" ") : null;
  if (item.kind !== "message" || item.own || !(isInFront || item.mention)) return null;
  const place = isInFront ? "" : kind === "user" ? " to you alone" : ` in ${title}`;
  return `${item.from}${place}: ${item.lines.join(" ")}`;
}

/** @param {Conversation} conversation */
function nameOf({ title, kind, unread, mentions }) {
  const what = kind === "user" ? `Conversation with ${title}` : kind === "room" ? `Room ${title}` : title;
  const fresh = mentions > 0 ? `, ${mentions} that name you` : "";
  return unread > 0 ? `${what}, ${unread} unread${fresh}` : what;
}
