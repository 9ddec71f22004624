/** Who is in the conversation. A click, or Enter, opens the menu of a person. */

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { memo } from "./memo.js";
import { menuProps } from "./menu.js";
import { hue } from "./names.js";
import { date, full } from "./time.js";

/** @import { Conversation, Person, Shown } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** Entries at first, with each step, and at most; the others are found by the filter. */
const STEP = 100;
const MOST = 500;
/** From so many on there is a filter. */
const MANY = 15;

const Entry = memo(
  /** @param {{name: Shown, away: Shown | null, here: boolean, since: number | null, role: string, me: boolean, room: string | null, ui: Ui}} props */
  ({ name, away, here, since, role, me, room, ui }) => {
    const menu = menuProps(ui, { is: "user", name, room });
    const at = date(since);
    const title = [name, !here ? "not here" : away === null ? "" : away === "" ? "away" : `away: ${away}`, at === null ? "" : `since ${full(at)}`];
    return html`<li>
      <button type="button" class=${`person ${here && away === null ? "" : "off"}`} title=${title.filter(Boolean).join(", ")} ...${menu} aria-haspopup="menu"
        onClick=${(/** @type {MouseEvent} */ event) => ui.open({ is: "menu", subject: { is: "user", name, room }, at: event.detail > 0 ? { x: event.clientX, y: event.clientY } : null })}>
        <i class=${`dot ${!here ? "" : away === null ? "here" : "away"}`} aria-hidden="true"></i>
        <span class=${`title ${me ? "me" : hue(name)}`}><bdi>${name}</bdi></span>
        ${me && html`<span class="note">you</span>`}
        ${role !== "" && html`<span class="note role">${role}</span>`}
        ${away !== null && html`<span class="note said" dir="auto"><span class="hidden">away</span>${away}</span>`}
        ${!here && html`<span class="note said">not here</span>`}
      </button>
    </li>`;
  },
);

/** @param {readonly Person[]} people @param {Conversation} conversation @returns {readonly (Person & { gone?: boolean })[]} */
function listed(people, conversation) {
  if (conversation.kind === "lobby") return people;
  const here = new Map(people.map((person) => [person.name, person]));
  const names = conversation.kind === "room" ? (conversation.members ?? []) : [conversation.title];
  return names.map((name) => here.get(name) ?? { name, target: `@${name}`, away: null, since: null, gone: conversation.kind === "user" && conversation.away });
}

/** It is made anew when the list of people, or the conversation, is another one. */
export const People = memo(
  /** @param {{people: readonly Person[], me: Shown, levels: readonly Shown[], conversation: Conversation, version: number, ui: Ui}} props */
  (props) => html`<${Column} ...${props} />`,
);

/** @param {{people: readonly Person[], me: Shown, levels: readonly Shown[], conversation: Conversation, ui: Ui}} props */
function Column({ people: everybody, me, levels, conversation, ui }) {
  const [filter, setFilter] = useState("");
  const [most, setMost] = useState(STEP);
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  // The next ones come when the end of the list comes into sight.
  useEffect(() => {
    if (end.current === null) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setMost((now) => Math.min(MOST, now + STEP));
    });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [most, filter]);

  const people = listed(everybody, conversation);
  const wanted = filter.trim().toLowerCase();
  const found = wanted === "" ? people : people.filter((person) => person.name.toLowerCase().includes(wanted));
  const shown = found.slice(0, most);
  const room = conversation.kind === "room" ? conversation.target : null;
  const count = conversation.kind === "room" ? (conversation.count ?? people.length) : people.length;
  return html`<div class="people">
    <div class="section"><h2>${conversation.kind === "room" ? "Members" : conversation.kind === "lobby" ? "Here" : "With"}</h2>
      ${conversation.kind !== "user" && !conversation.gone && html`<span class="note">${count}</span>`}</div>
    ${people.length >= MANY && html`<input class="input" type="search" aria-label="Filter people" placeholder="Filter" value=${filter}
      onInput=${(/** @type {InputEvent} */ event) => setFilter(/** @type {HTMLInputElement} */ (event.currentTarget).value)} />`}
    ${conversation.kind === "room" && conversation.members === null
      ? html`<p class="note">${conversation.gone ? "You don't see who is in a room that you are not in." : "The members of this room are not listed."}</p>`
      : html`<ul role="list" aria-label="People">
          ${shown.map((person) => html`<${Entry} key=${person.name} name=${person.name} away=${person.away} since=${person.since} here=${person.gone !== true}
            role=${role(levels, conversation, person.name)} me=${person.name === me} room=${room} ui=${ui} />`)}
        </ul>`}
    ${shown.length < found.length && (most < MOST
      ? html`<p class="note" ref=${end}>…</p>`
      : html`<p class="note">${found.length - shown.length} more: find them with the filter.</p>`)}
    ${wanted !== "" && found.length === 0 && html`<p class="note" role="status">Nobody of that name.</p>`}
  </div>`;
}

/** What somebody may do here that not everybody may: from level 2 on. @param {readonly Shown[]} levels @param {Conversation} conversation @param {Shown} name */
function role(levels, conversation, name) {
  const level = conversation.staff.get(name) ?? 0;
  return level >= 2 ? (levels[level] ?? "") : "";
}
