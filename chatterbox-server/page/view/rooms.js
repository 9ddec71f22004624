/** The list of conversations: the lobby, rooms, and users one speaks to alone. */

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { memo } from "./memo.js";
import { menuProps } from "./menu.js";

/** @import { Conversation, Event, Target, View } from "../state/types.js" */
/** @import { Ui } from "./ui.js" */

/** More than this is said as `99+`. @param {number} count */
function short(count) {
  return count > 99 ? "99+" : String(count);
}

/** What stands behind the name of a conversation for those who do not see its looks. @param {Conversation} conversation */
function words({ unread, mentions, away, gone }) {
  const said = [];
  if (unread > 0) said.push(" unread");
  if (mentions > 0) said.push(mentions === 1 ? ", 1 names you" : `, ${mentions} name you`);
  if (gone) said.push(", you are no member any more");
  if (away) said.push(", not here");
  return said.join("");
}

const Entry = memo(
  /** @param {{conversation: Conversation, version: number, front: boolean, ui: Ui, open: (target: Target) => void}} props */
  ({ conversation, front, ui, open }) => {
    const { target, kind, title, unread, mentions, gone, away } = conversation;
    const looks = ["conversation", unread > 0 && "unread", (gone || away) && "off"].filter(Boolean).join(" ");
    const hash = kind === "room" && title.startsWith("#");
    return html`<li>
      <button type="button" class=${looks} title=${title} aria-current=${front ? "true" : undefined} onClick=${() => open(target)}
        ...${menuProps(ui, { is: "conversation", target })}>
        ${!hash && html`<span class="sigil" aria-hidden="true">${kind === "user" ? html`<i class=${`dot ${away ? "" : "here"}`}></i>` : html`<${Icon} name="people" />`}</span>`}
        <span class="title" dir="auto">${hash ? [html`<span class="hash">#</span>`, title.slice(1)] : title}</span>
        ${unread > 0 && html`<span class=${`count ${mentions > 0 ? "strong" : ""}`}>${mentions > 0 && kind === "room" ? "@ " : ""}${short(unread)}</span>`}
        <span class="hidden">${words(conversation)}</span>
      </button>
    </li>`;
  },
);

/** @param {{view: View, ui: Ui, open: (target: Target) => void}} props */
export function Rooms({ view, ui, open }) {
  const entries = (/** @type {Conversation["kind"][]} */ kinds) =>
    view.conversations
      .filter((conversation) => kinds.includes(conversation.kind))
      .map(
        (conversation) => html`<${Entry} key=${conversation.target} conversation=${conversation} version=${conversation.version}
          front=${conversation.target === view.front} ui=${ui} open=${open} />`,
      );
  const users = entries(["user"]);
  return html`<div class="rooms">
    <div class="section">
      <h2 id="rooms">Rooms</h2>
      <button type="button" class="icon-button" aria-label="Go to a room or a person" title="Go to a room or a person (Ctrl K)"
        onClick=${() => ui.open({ is: "palette", of: "places" })}><${Icon} name="search" /></button>
    </div>
    <ul role="list" aria-labelledby="rooms">${entries(["lobby", "room"])}</ul>
    ${users.length > 0 && html`<div class="section"><h2 id="private">Private</h2></div>
      <ul role="list" aria-labelledby="private">${users}</ul>`}
  </div>`;
}
