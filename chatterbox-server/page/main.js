/** The page: puts the session, the settings and the views together. */

import { h, render } from "./vendor/preact.js";
import { listen } from "./keys.js";
import { Notifier } from "./notify.js";
import { Session } from "./session.js";
import { Chat } from "./view/chat.js";
import { Login } from "./view/login.js";
import { Ui } from "./view/ui.js";

/** @import { Event, Target, View } from "./state/types.js" */
/** @import { Place } from "./view/log.js" */

/** Where the user reads in conversations that are not in front. @type {Map<Target, Place>} */
const places = new Map();

const ui = new Ui(() => localStorage, document.documentElement);

/** The page is drawn once in a frame, however much has come, and only if something has. */
let due = false;
function changed() {
  if (due) return;
  due = true;
  // A hidden page has no frames; its title is to be right nevertheless.
  if (document.visibilityState === "hidden") setTimeout(draw, 250);
  else requestAnimationFrame(draw);
}

/** @type {Session} */
const session = new Session({ changed, alert: (alert) => notifier.alert(alert) });

/** @param {Event} event */
function send(event) {
  // Where the user reads further up, the end is not seen, and what is new there stays so.
  if ("open" in event && places.has(event.open)) session.send({ seeing: false });
  session.send(event);
}

const notifier = new Notifier(document, ui, send);
const again = () => session.again();
const leave = () => {
  places.clear();
  session.leave();
};

/** Whether the chat is there to be read: the user is in, or was. @param {View} view */
function inside({ phase, conversations }) {
  return phase.is === "in" || (conversations.length > 0 && (phase.is === "lost" || phase.is === "closed" || phase.is === "joining"));
}

function draw() {
  due = false;
  const { view } = session;
  const root = /** @type {HTMLElement} */ (document.getElementById("page"));
  if (inside(view)) render(h(Chat, { view, ui, send, places, again, leave }), root);
  else render(h(Login, { view, ui, again, ...session.remembered, join: (credentials) => session.join(credentials) }), root);
  notifier.title(view);
}

ui.subscribe(changed);
listen(document, ui, () => session.view, send);
session.start();
draw();
