/** One row of the timeline. It is made anew only when its item is another one: see `memo.js`. */

import { AttachedFile } from "./file.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { memo } from "./memo.js";
import { menuProps } from "./menu.js";
import { hue } from "./names.js";
import { Table } from "./table.js";
import { Text, isEncrypted } from "./text.js";
import { clock, date, full } from "./time.js";

/** @import { Event, Hole, Item, Message, Moves, Notice, Quote, Target } from "../state/types.js" */
/** @import { Times } from "./time.js" */
/** @import { Ui } from "./ui.js" */

/**
 * @typedef {object} Around
 * @property {Target} target
 * @property {boolean} head Whether it says who speaks: not where the row above is of the same and of the same time.
 * @property {boolean} walked Whether Tab leads to it, of all rows.
 * @property {boolean} found Whether the user was led to it.
 * @property {Times} times
 * @property {Ui} ui
 * @property {(event: Event) => void} send
 */

export const Row = memo(
  /** @param {Around & {item: Item}} props */
  (props) => {
    const { item } = props;
    switch (item.kind) {
      case "message":
        return MessageRow({ ...props, item });
      case "moves":
        return MovesRow({ ...props, item });
      case "hole":
        return HoleRow({ ...props, item });
      case "notice":
        return NoticeRow({ ...props, item });
    }
  },
);

/** What all rows have: one of them can be reached with Tab, and the others with arrows from there. @param {Around & {item: Item}} props */
function frame({ item, walked, found }) {
  return { "data-key": item.key, tabindex: walked ? 0 : -1, "data-found": found ? "" : undefined };
}

/** @param {{time: number | null, times: Times}} props */
function Time({ time, times }) {
  const at = date(time);
  if (at === null || times === "off") return html`<span class="time"></span>`;
  return html`<time class="time" datetime=${at.toISOString()} title=${full(at)}>${clock(at, times)}</time>`;
}

/** @param {Around & {item: Message}} props */
function MessageRow(props) {
  const { item, head, target, times, ui } = props;
  const looks = ["row", "message", head ? "head" : "more", item.own && "own", item.mention && !item.own && "mention"];
  if (item.delivery === "refused") looks.push("refused");
  const room = target.startsWith("@") ? null : target;
  const user = /** @type {const} */ ({ is: "user", name: item.from, room });
  const menu = item.own ? {} : {
    ...menuProps(ui, user),
    onClick: (/** @type {MouseEvent} */ event) => ui.open({ is: "menu", subject: user, at: { x: event.clientX, y: event.clientY } }),
  };
  return html`<li class=${looks.filter(Boolean).join(" ")} ...${frame(props)} ...${menuProps(ui, { is: "message", target, key: item.key })}>
    <${Time} time=${item.time} times=${times} />
    <span class=${`name ${item.own ? "me" : hue(item.from)}`} title=${item.from}><bdi ...${menu}>${item.from}</bdi><span class="hidden">${item.mention && !item.own && room !== null ? " names you" : ""}:</span></span>
    <div class="text">${item.reply !== null && html`<${Answered} quote=${item.reply} target=${target} ui=${ui} />`}<${Text} lines=${item.lines} walked=${props.walked} />${item.file !== null && html`<${AttachedFile} file=${item.file} save=${() => props.send({ save: { target, key: item.key } })} />`}${isEncrypted(target, item.lines) && html`<p class="sealed">This page can't decrypt. The terminal client can, on a device of yours.</p>`}${item.delivery === "refused" && html`<p class="why"><${Icon} name="alert" />Not sent${item.why ? `: ${item.why}` : ""}</p>`}</div>
    <${Delivery} state=${item.delivery} />
  </li>`;
}

/** What a message answers. @param {{quote: Quote, target: Target, ui: Ui}} props */
function Answered({ quote, target, ui }) {
  const { key, from, text } = quote;
  if (key === null) return html`<p class="answered"><span aria-hidden="true">↪ </span>Answers a message that is not loaded</p>`;
  return html`<p class="answered"><button type="button" tabindex="-1" title="Go there" onClick=${() => ui.jump(target, key)}>
    <span aria-hidden="true">↪ </span><span class="hidden">Answers </span><bdi>${from}</bdi>: <bdi>${text}</bdi>
  </button></p>`;
}

/** @param {{state: Message["delivery"]}} props */
function Delivery({ state }) {
  if (state === null || state === "refused") return html`<span class="delivery"></span>`;
  return html`<span class=${`delivery ${state === "stored" ? "stored" : "under-way"}`} title=${state === "stored" ? "Stored by the server" : "On its way"}>
    <${Icon} name=${state === "stored" ? "check" : "clock"} /><span class="hidden">${state === "stored" ? "stored" : "on its way"}</span>
  </span>`;
}

/** @param {readonly string[]} names @param {number} more @param {string} what */
function some(names, more, what) {
  const all = [...names];
  if (more > 0) all.push(more === 1 ? "one other" : `${more} others`);
  if (all.length === 0) return [];
  const last = all.pop();
  return [`${all.length > 0 ? `${all.join(", ")} and ` : ""}${last} ${what}`];
}

/** @param {Around & {item: Moves}} props */
function MovesRow(props) {
  const { item, times } = props;
  const words = [...some(item.joined, item.moreJoined, "joined"), ...some(item.left, item.moreLeft, "left")].join("; ");
  return html`<li class="row aside moves" ...${frame(props)}>
    <${Time} time=${item.time} times=${times} />
    <div class="text">${words}</div>
  </li>`;
}

/** @param {Around & {item: Hole}} props */
function HoleRow(props) {
  const { item, target, send } = props;
  return html`<li class="row hole" ...${frame(props)}>
    ${item.state === "lost"
      ? html`<p>Messages are missing here, and the server does not have them any more.</p>`
      : html`<p>Messages are missing here.</p>
        <button type="button" class="button" disabled=${item.state === "asked"} onClick=${() => send({ fill: target })}>
          ${item.state === "asked" ? "Loading …" : "Load them"}
        </button>`}
  </li>`;
}

/** @param {Around & {item: Notice}} props */
function NoticeRow(props) {
  const { item, times } = props;
  return html`<li class=${`row aside notice ${item.tone}`} ...${frame(props)}>
    <${Time} time=${item.time} times=${times} />
    ${item.tone === "error" && html`<span class="sign"><${Icon} name="alert" /><span class="hidden">Error:</span></span>`}
    <div class="text">
      ${item.lines.length > 0 && html`<${Text} lines=${item.lines} walked=${props.walked} />`}
      ${item.table !== null && html`<${Table} table=${item.table} />`}
    </div>
  </li>`;
}
