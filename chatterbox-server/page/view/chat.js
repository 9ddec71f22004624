/** The chat: conversations, timeline, people and input, as columns where there is room, else as one column and dialogs. */

import { useEffect, useMemo, useState } from "../vendor/hooks.js";
import { Announcer } from "./announce.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { MenuButton } from "./menu.js";
import { Overlays } from "./overlays.js";
import { People } from "./people.js";
import { Rooms } from "./rooms.js";
import { Say } from "./say.js";
import { Sheet } from "./sheet.js";

/** @import { Conversation, Event, Target, View } from "../state/types.js" */
/** @import { Place } from "./log.js" */
/** @import { Ui } from "./ui.js" */

/** The width from which each column has a place; chat.css has the same. */
const ROOM = { conversations: "(width >= 48em)", people: "(width >= 68em)" };

/**
 * @param {{view: View, ui: Ui, send: (event: Event) => void, places: Map<Target, Place>, again: () => void, leave: () => void}} props
 */
export function Chat({ view, ui, send, places, again, leave }) {
  const [drawer, setDrawer] = useState(/** @type {"conversations" | "people" | null} */ (null));
  const [dropping, setDropping] = useState(false);
  const conversation = view.conversations.find(({ target }) => target === view.front) ?? view.conversations[0];

  // Wherever another conversation was chosen, it is to be seen.
  useEffect(() => setDrawer(null), [view.front]);

  const open = useMemo(
    () => (/** @type {Target} */ target) => {
      setDrawer(null);
      send({ open: target });
      if (matchMedia(ROOM.conversations).matches) ui.ask("input");
    },
    [send, ui],
  );

  useEffect(() => {
    const end = ui.provide("drawer", (name) => {
      if (name === null) return setDrawer(null);
      // A column that is there gets the focus; one that has no place comes as a dialog.
      if (matchMedia(ROOM[name]).matches) {
        document.querySelector(`.${name}-column`)?.querySelector(/** @type {"button"} */ ("button[aria-current], li button"))?.focus();
      } else setDrawer(name);
    });
    // A dialog makes no sense any more once its column has a place.
    const queries = Object.values(ROOM).map((query) => matchMedia(query));
    const shut = () => setDrawer(null);
    for (const query of queries) query.addEventListener("change", shut);
    return () => {
      end();
      for (const query of queries) query.removeEventListener("change", shut);
    };
  }, [ui]);

  if (conversation === undefined) return html`<main class="login"><h1>Chatterbox</h1><p class="note">Joining …</p></main>`;
  const people = html`<${People} key=${conversation.target} people=${view.people} me=${view.me} levels=${view.levels} conversation=${conversation}
    version=${conversation.version} ui=${ui} />`;
  return html`<div class="chat">
    <${Link} view=${view} again=${again} leave=${leave} />
    <nav class="column conversations-column" aria-label="Conversations">
      <button type="button" class="button skip" onClick=${() => ui.ask("input")}>To the input</button>
      <${Server} view=${view} ui=${ui} />
      <${Rooms} view=${view} ui=${ui} open=${open} />
      <${Me} view=${view} ui=${ui} leave=${leave} />
    </nav>
    <main class="conversation-view" data-dropping=${dropping ? "" : undefined} ...${dropProps(view, send, setDropping)}>
      <${Head} view=${view} conversation=${conversation} ui=${ui} drawer=${setDrawer} />
      <${Log} key=${conversation.target} conversation=${conversation} version=${conversation.version} times=${ui.settings.times} ui=${ui} send=${send} places=${places} />
      <${Say} view=${view} ui=${ui} send=${send} />
    </main>
    <aside class="column people-column" aria-label="People">${people}</aside>
    ${drawer === "conversations" && html`<${Sheet} label="Conversations" side="start" close=${() => setDrawer(null)}>
      <${Server} view=${view} ui=${ui} /><${Rooms} view=${view} ui=${ui} open=${open} /><${Me} view=${view} ui=${ui} leave=${leave} />
    <//>`}
    ${drawer === "people" && html`<${Sheet} label="People" side="end" close=${() => setDrawer(null)}>
      ${people}
    <//>`}
    <${Announcer} view=${view} ui=${ui} />
    <${Overlays} view=${view} ui=${ui} send=${send} />
  </div>`;
}

/** Files that are dropped on the conversation are sent there. Whatever else is dropped is none of this.
 * @param {View} view @param {(event: Event) => void} send @param {(dropping: boolean) => void} setDropping */
function dropProps(view, send, setDropping) {
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") === true;
  return {
    onDragOver: (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event)) return;
      // A browser would leave the page for the file, also where none is taken.
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = view.files ? "copy" : "none";
      setDropping(view.files);
    },
    onDragLeave: () => setDropping(false),
    onDrop: (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDropping(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (view.files && files.length > 0) send({ attach: files });
    },
  };
}

/** @param {{view: View, ui: Ui}} props */
function Server({ view, ui }) {
  const { name, banner } = view.server;
  return html`<div class="server"><img src="icon.svg" alt="" width="24" height="24" /><span class="title" title=${banner.join("\n") || undefined} dir="auto">${name || "Chatterbox"}</span>
    <button type="button" class="icon-button" aria-label="Keys" title="Keys (?)" onClick=${() => ui.open({ is: "help" })}><${Icon} name="help" /></button></div>`;
}

/** Who one is here. @param {{view: View, ui: Ui, leave: () => void}} props */
function Me({ view, ui, leave }) {
  const level = view.account === null ? "guest" : (view.levels[view.level] ?? "");
  const at = view.latency === null ? "" : `${Math.round(view.latency)} ms`;
  return html`<div class="me-row">
    <div class="who" title=${at === "" ? undefined : `Round trip: ${at}`}><span class="title"><bdi>${view.me}</bdi></span><span class="note">${level}</span></div>
    <${MenuButton} ui=${ui} subject=${{ is: "user", name: view.me, room: null }} label=${`Menu of ${view.me}, which is you`} />
    <button type="button" class="icon-button" aria-label="Settings" title="Settings" onClick=${() => ui.open({ is: "settings" })}><${Icon} name="settings" /></button>
    <button type="button" class="icon-button" aria-label="Leave the chat" title="Leave the chat" onClick=${leave}><${Icon} name="leave" /></button>
  </div>`;
}

/** What is said of a room beside its name. @type {Partial<Record<string, string>>} */
const FLAGS = Object.assign(Object.create(null), { hidden: "hidden", closed: "by invitation", password: "with a password" });

/** @param {{view: View, conversation: Conversation, ui: Ui, drawer: (name: "conversations" | "people") => void}} props */
function Head({ view, conversation, ui, drawer }) {
  const { title, topic, kind, target, flags } = conversation;
  const others = view.totals.unread - conversation.unread;
  const count = kind === "user" ? null : kind === "lobby" ? view.people.length : (conversation.count ?? conversation.members?.length ?? null);
  const about = topic !== "" ? topic : kind === "lobby" ? "Everybody is here" : kind === "user" ? "Private conversation" : "";
  return html`<header class="bar">
    <button type="button" class="icon-button narrow" aria-label=${others > 0 ? `Conversations, ${others} unread elsewhere` : "Conversations"} title="Conversations" onClick=${() => drawer("conversations")}>
      <${Icon} name="menu" />${others > 0 && html`<span class=${`badge ${view.totals.mentions > conversation.mentions ? "strong" : ""}`} aria-hidden="true"></span>`}
    </button>
    <div class="titles">
      <div class="title-row"><h1><bdi>${title}</bdi></h1>${flags.map((flag) => FLAGS[flag] !== undefined && html`<span class="flag note" key=${flag}>${FLAGS[flag]}</span>`)}</div>
      ${about !== "" && html`<p class="note" dir="auto" title=${about}>${about}</p>`}
    </div>
    <button type="button" class="icon-button" aria-label="Search" title="Search" onClick=${() => ui.open({ is: "search" })}><${Icon} name="search" /></button>
    <button type="button" class="icon-button not-wide" aria-label=${count === null ? "People" : `People, ${count}`} title="People" onClick=${() => drawer("people")}>
      <${Icon} name="people" />${count !== null && html`<span class="number" aria-hidden="true">${count > 999 ? "999+" : count}</span>`}
    </button>
    <${MenuButton} ui=${ui} subject=${{ is: "conversation", target }} label=${`Menu of ${title}`} />
  </header>`;
}
