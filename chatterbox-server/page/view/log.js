/**
 * The timeline of a conversation. It is anchored at a row: whatever comes above or below, the row that the user reads stays where it is, in
 * the same frame. It goes to the end by itself only while the end is in sight.
 *
 * Browsers have scroll anchoring of their own, but not all of them, and not where the rows above are replaced; so theirs is switched off
 * in the style sheet, and there is one way everywhere. Rows out of sight have an estimated height (`content-visibility`), so the place is
 * restored whenever the size of the list changes as well, which an observer says before anything is painted.
 *
 * The list is no live region: screen readers would read too much, again and again. News is told by `announce.js`, and the rows are
 * walked with the arrow keys.
 */

import { Component, createRef } from "../vendor/preact.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Row } from "./row.js";
import { date, day, dayWords } from "./time.js";
import { END, PAGE, STEP, part, place, range } from "./window.js";

/** @import { Conversation, Event, Item, Target } from "../state/types.js" */
/** @import { Times } from "./time.js" */
/** @import { Part } from "./window.js" */
/** @import { Ui } from "./ui.js" */

/** The messages of one user within so many seconds are one group. */
const GROUP = 300;
/** In a long group each row of so many has a head; a few rows behind a head need none. */
const LANDMARK = 20;
const FEW = 5;
/** How far from the end the end is still in sight: less than a line. */
const NEAR = 12;

/** A row, and how far its top is below the top of the timeline. @typedef {{ key: number, top: number }} Anchor */
/** Where the user reads; null: at the end. @typedef {{ part: Part, anchor: Anchor | null }} Place */

/** @typedef {{ conversation: Conversation, version: number, times: Times, ui: Ui, send: (event: Event) => void, places: Map<Target, Place> }} Props */
/** @typedef {{ part: Part, walk: number | null, found: number | null, above: boolean, atEnd: boolean }} State */

/** @extends {Component<Props, State>} */
export class Log extends Component {
  /** @type {import("../vendor/preact.js").RefObject<HTMLDivElement | null>} */
  box = createRef();
  /** @type {import("../vendor/preact.js").RefObject<HTMLOListElement | null>} */
  list = createRef();
  /** Whether the end stays in sight. */
  follow = true;
  /** @type {Anchor | null} */
  anchor = null;
  /** Where it was scrolled to by this view, or by the user. */
  top = 0;
  /** What is to be done once the rows are there: bring a row to the middle, or give one the focus. @type {{ middle?: number, focus?: number } | null} */
  wanted = null;
  /** @type {(() => void)[]} */
  ends = [];
  /** @type {boolean | null} */
  seeing = null;

  /** @param {Props} props */
  constructor(props) {
    super(props);
    const place = props.places.get(props.conversation.target);
    this.state = { part: place?.part ?? END, walk: null, found: null, above: false, atEnd: place === undefined };
    this.follow = place === undefined;
    this.anchor = place?.anchor ?? null;
  }

  componentDidMount() {
    const box = /** @type {HTMLDivElement} */ (this.box.current);
    const observer = new ResizeObserver(() => this.restore());
    observer.observe(box);
    if (this.list.current !== null) observer.observe(this.list.current);
    this.ends.push(() => observer.disconnect());
    const { ui } = this.props;
    this.ends.push(ui.provide("jump", (target, key) => this.jump(target, key)), ui.provide("scroll", (where) => this.scroll(where)));
    const look = () => this.tellSeeing();
    addEventListener("focus", look);
    addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    this.ends.push(() => {
      removeEventListener("focus", look);
      removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    });
    this.settle();
    // Whoever brought this conversation to the front may have wanted one row of it.
    const { later } = ui;
    ui.later = null;
    if (later !== null) this.jump(later.target, later.key);
  }

  componentDidUpdate() {
    this.settle();
  }

  componentWillUnmount() {
    for (const end of this.ends) end();
    const { places, conversation } = this.props;
    if (this.follow) places.delete(conversation.target);
    else places.set(conversation.target, { part: this.state.part, anchor: this.anchor });
  }

  /** Puts the timeline where it belongs after a change of the rows, and asks for more of them where there is room. */
  settle() {
    const middle = this.wanted?.middle;
    if (middle !== undefined) {
      const row = this.row(middle);
      const box = this.box.current;
      if (row !== null && box !== null) {
        this.anchor = { key: middle, top: Math.max(0, (box.clientHeight - row.offsetHeight) / 2) };
        row.focus({ preventScroll: true });
      }
    }
    this.restore();
    const focus = this.wanted?.focus;
    this.wanted = null;
    if (focus !== undefined) this.step(focus);
    this.extend();
    this.tellSeeing();
  }

  /** The same place as before, whatever changed above it. */
  restore() {
    const box = this.box.current;
    if (box === null) return;
    if (this.follow) {
      box.scrollTop = box.scrollHeight;
    } else if (this.anchor !== null) {
      const row = this.row(this.anchor.key);
      if (row === null) {
        this.note();
      } else {
        const moved = row.getBoundingClientRect().top - box.getBoundingClientRect().top - this.anchor.top;
        if (Math.abs(moved) >= 0.5) box.scrollTop += moved;
      }
    }
    this.top = box.scrollTop;
    this.look();
  }

  /** Notes the first row in sight, and where it is. */
  note() {
    const box = this.box.current;
    if (box === null) return;
    const edge = box.getBoundingClientRect().top;
    const rows = this.rows();
    let low = 0;
    let high = rows.length - 1;
    // The first row whose lower end is in sight.
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {HTMLElement} */ (rows[middle]).getBoundingClientRect().bottom > edge + 1) high = middle;
      else low = middle + 1;
    }
    const row = rows[low];
    this.anchor = row === undefined ? null : { key: Number(row.dataset.key), top: row.getBoundingClientRect().top - edge };
  }

  scrolled = () => {
    const box = this.box.current;
    if (box === null) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    const { to } = range(this.props.conversation.items, this.state.part);
    const up = box.scrollTop < this.top - 1;
    this.top = box.scrollTop;
    if (below <= NEAR && to === this.props.conversation.items.length) {
      this.follow = true;
    } else if (up || !this.follow) {
      // Only who scrolls up leaves the end. That the list has grown below means nothing: it is followed in this frame.
      if (this.follow) this.leave();
      this.note();
    }
    this.look();
    this.extend();
    this.tellSeeing();
  };

  /** From now on the rows are those that are here, not the last ones. */
  leave() {
    const { items } = this.props.conversation;
    const { from, to } = range(items, this.state.part);
    this.follow = false;
    this.setState({ part: part(items, from, to, "down") });
  }

  /** Rows for what is scrolled into sight soon. */
  extend() {
    const box = this.box.current;
    if (box === null) return;
    const { conversation, send } = this.props;
    const { items } = conversation;
    const { from, to } = range(items, this.state.part);
    const near = Math.max(box.clientHeight, 400);
    if (box.scrollTop < near) {
      if (from > 0 && !this.follow) {
        this.setState({ part: part(items, from - STEP, to, "up") });
        return;
      }
      if (from === 0 && (conversation.older === "more" || conversation.older === "unknown")) send({ older: conversation.target });
    }
    if (!this.follow && to < items.length && box.scrollHeight - box.scrollTop - box.clientHeight < near) {
      this.setState({ part: part(items, from, to + STEP, "down") });
    }
    if (this.follow && this.state.part.first !== null) this.setState({ part: END });
  }

  /** What of the timeline is in sight: its end, and whether the marker is above. */
  look() {
    const box = this.box.current;
    const list = this.list.current;
    if (box === null || list === null) return;
    const { marker, items } = this.props.conversation;
    let above = false;
    if (marker !== null && marker < items.length) {
      const line = list.querySelector("li.marker");
      const { from } = range(items, this.state.part);
      above = line === null ? marker < from : line.getBoundingClientRect().bottom < box.getBoundingClientRect().top;
    }
    if (above !== this.state.above || this.follow !== this.state.atEnd) this.setState({ above, atEnd: this.follow });
  }

  /** Says whether the user sees the end, when that changes. */
  tellSeeing() {
    const seeing = this.follow && document.visibilityState === "visible" && document.hasFocus();
    if (seeing === this.seeing) return;
    this.seeing = seeing;
    this.props.send({ seeing });
  }

  /** @param {Target} target @param {number} key */
  jump(target, key) {
    const { conversation, ui } = this.props;
    if (target !== conversation.target) {
      ui.later = { target, key };
      return;
    }
    const at = place(conversation.items, key);
    if (at < 0) return;
    this.follow = false;
    this.wanted = { middle: key };
    const rows = range(conversation.items, this.state.part);
    const known = at >= rows.from && at < rows.to;
    const next = known
      ? part(conversation.items, rows.from, rows.to, "down")
      : part(conversation.items, at - PAGE / 2, at + PAGE / 2, "down");
    this.setState({ part: next, found: key, walk: key, atEnd: false });
  }

  /** @param {"up" | "down" | "start" | "end" | "marker"} where */
  scroll(where) {
    const box = this.box.current;
    if (box === null) return;
    const { conversation } = this.props;
    const { items, marker } = conversation;
    switch (where) {
      case "up":
      case "down":
        box.scrollBy({ top: (where === "up" ? -0.85 : 0.85) * box.clientHeight });
        break;
      case "start": {
        const first = items[0];
        if (first !== undefined) this.jump(conversation.target, first.key);
        break;
      }
      case "end":
        this.follow = true;
        this.setState({ part: END, found: null, walk: null, atEnd: true });
        break;
      case "marker": {
        const next = marker === null ? undefined : items[marker];
        if (next !== undefined) this.jump(conversation.target, next.key);
        break;
      }
    }
  }

  /** @returns {NodeListOf<HTMLElement> | HTMLElement[]} */
  rows() {
    return this.list.current?.querySelectorAll(":scope > li[data-key]") ?? [];
  }

  /** @param {number} key @returns {HTMLElement | null} */
  row(key) {
    return this.list.current?.querySelector(`:scope > li[data-key="${key}"]`) ?? null;
  }

  /** The arrow keys go from row to row. @param {KeyboardEvent} event */
  walk = (event) => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || !target.matches("li[data-key]")) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { items, target: where } = this.props.conversation;
    const at = place(items, Number(target.dataset.key));
    const { from, to } = range(items, this.state.part);
    let next = -1;
    if (event.key === "ArrowUp") next = Math.max(0, at - 1);
    else if (event.key === "ArrowDown") next = Math.min(items.length - 1, at + 1);
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = items.length - 1;
    else if (event.key === "Enter" && items[at]?.kind === "message") {
      event.preventDefault();
      this.props.ui.open({ is: "menu", subject: { is: "message", target: where, key: Number(target.dataset.key) }, at: null });
      return;
    } else {
      // Who types means the input, wherever a click has put the focus. "?" lists the keys.
      if ([...event.key].length === 1 && event.key !== " " && event.key !== "?") this.props.ui.ask("input");
      return;
    }
    event.preventDefault();
    const item = items[next];
    if (item === undefined) return;
    if (next >= from && next < to) {
      this.step(item.key);
    } else if (event.key === "End") {
      this.wanted = { focus: item.key };
      this.scroll("end");
    } else {
      this.wanted = { focus: item.key };
      this.follow = false;
      this.note();
      this.setState({ part: part(items, next < from ? next - STEP : from, next < from ? to : next + STEP, next < from ? "up" : "down") });
    }
  };

  /** Gives a row the focus, and brings it into sight. @param {number} key */
  step(key) {
    const row = this.row(key);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
    // The event comes with the next frame; until then the place would be restored that was left.
    this.scrolled();
  }

  /** Tab leads to the row that had the focus last. @param {FocusEvent} event */
  focused = (event) => {
    const row = event.target instanceof Element ? event.target.closest("li[data-key]") : null;
    if (row instanceof HTMLElement) this.setState({ walk: Number(row.dataset.key) });
  };

  /** @param {Props} props @param {State} state */
  render({ conversation, times, ui, send }, { part: rows, walk, found, above, atEnd }) {
    const { items, target, title, marker, unread } = conversation;
    const { from, to } = range(items, rows);
    const now = new Date();
    const list = [];
    let before = from > 0 ? dayBefore(items, from) : null;
    const walked = walk !== null && items.slice(from, to).some((item) => item.key === walk) ? walk : (items[to - 1]?.key ?? null);
    for (let index = from; index < to; index += 1) {
      const item = /** @type {Item} */ (items[index]);
      const at = item.kind === "hole" ? null : date(item.time);
      const marked = index === marker && index > 0;
      let head = marked;
      if (at !== null && day(at) !== before) {
        before = day(at);
        head = true;
        list.push(html`<li class="divider" key=${`d${item.key}`}><h2><span>${dayWords(at, now)}</span></h2></li>`);
      }
      if (marked) list.push(html`<li class="marker" key="marker"><span>New</span></li>`);
      head ||= !grouped(items[index - 1], item) || isLandmark(items, index);
      list.push(html`<${Row} key=${item.key} item=${item} target=${target} head=${head} walked=${item.key === walked}
        found=${item.key === found} times=${times} ui=${ui} send=${send} />`);
    }
    return html`<div class="log">
      <div class="scroller" ref=${this.box} onScroll=${this.scrolled} ...${items.length === 0 ? { role: "group", tabindex: 0, "aria-label": title } : {}}>
        <div class="content">
          <${Top} conversation=${conversation} older=${conversation.older} hidden=${from > 0} send=${send} />
          <ol role="list" aria-label=${`Messages in ${conversation.title}`} ref=${this.list} onKeyDown=${this.walk} onFocusIn=${this.focused}>${list}</ol>
        </div>
      </div>
      ${above && html`<button type="button" class="pill first" onClick=${() => this.scroll("marker")}><${Icon} name="up" />Where you left off</button>`}
      ${!atEnd && html`<button type="button" class=${`pill latest ${unread > 0 ? "news" : ""}`} onClick=${() => this.scroll("end")}>
        <${Icon} name="down" />${unread > 0 ? `${unread} new ${unread === 1 ? "message" : "messages"}` : "To the latest"}
      </button>`}
    </div>`;
  }
}

/** The day of the last item above a place that has a time. @param {readonly Item[]} items @param {number} from */
function dayBefore(items, from) {
  for (let index = from - 1; index >= 0 && index >= from - 50; index -= 1) {
    const item = items[index];
    const at = item === undefined || item.kind === "hole" ? null : date(item.time);
    if (at !== null) return day(at);
  }
  return null;
}

/** Whether the second one goes on where the first one stops. @param {Item | undefined} first @param {Item} second */
function grouped(first, second) {
  if (first?.kind !== "message" || second.kind !== "message" || first.from !== second.from || first.own !== second.own) return false;
  return first.time === null || second.time === null || Math.abs(second.time - first.time) < GROUP;
}

/**
 * Whether a row in the middle of many of one user has their name and the time all the same: else neither is in sight where one reads. It
 * goes by the key, and so by nothing that changes when other rows come and go.
 *
 * @param {readonly Item[]} items
 * @param {number} index
 */
function isLandmark(items, index) {
  if ((items[index]?.key ?? 1) % LANDMARK !== 0) return false;
  for (let at = index; at > index - FEW; at -= 1) {
    const item = items[at];
    if (item === undefined || !grouped(items[at - 1], item)) return false;
  }
  return true;
}

/** What is above the oldest row. @param {{conversation: Conversation, older: Conversation["older"], hidden: boolean, send: (event: Event) => void}} props */
function Top({ conversation, older, hidden, send }) {
  if (hidden) return html`<div class="top"></div>`;
  if (older === "asked") return html`<div class="top"><span class="note">Loading older messages …</span></div>`;
  if (older === "more" || (older === "unknown" && conversation.items.length > 0)) {
    return html`<div class="top"><button type="button" class="button" onClick=${() => send({ older: conversation.target })}>Load older messages</button></div>`;
  }
  return html`<div class="top beginning"><p class="note">${beginningWords(conversation)}</p></div>`;
}

/** @param {Conversation} conversation */
function beginningWords({ kind, title, items, gone }) {
  if (gone) return `You are no member of ${title} any more.`;
  const where = kind === "lobby" ? "the lobby, where everybody is" : kind === "room" ? title : `your conversation with ${title}`;
  return items.length === 0 ? `This is ${where}. Nothing has been said here yet.` : `This is the beginning of ${where}.`;
}
