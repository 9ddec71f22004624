/** The page: puts the session, the settings and the views together. */

import { Component, h, render } from "./vendor/preact.js";
import { listen } from "./keys.js";
import { Notifier } from "./notify.js";
import { Session } from "./session.js";
import { Chat } from "./view/chat.js";
import { Failed } from "./view/failed.js";
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
  // A hidden page has no frames, but its title is to be right.
  if (document.visibilityState === "hidden") setTimeout(draw, 250);
  else requestAnimationFrame(draw);
}

/** @type {Session} */
const session = new Session({
  changed,
  alert: (alert) => notifier.alert(alert),
  restore: (text) => ui.ask("restore", text),
});

/** @param {Event} event */
function send(event) {
  // Where the user reads further up, the end is not seen, and what is new there stays so.
  if ("open" in event && places.has(event.open)) session.send({ seeing: false });
  session.send(event);
  // Who says something wants to see it, and what comes of it. Whatever others say leaves the place where it is.
  if ("typed" in event || "say" in event) ui.ask("scroll", "end");
}

const notifier = new Notifier(document, ui, send);
const again = () => session.again();
const leave = () => session.leave();

/** Whether the chat is there to be read: the user is in, or was. @param {View} view */
function inside({ phase, conversations }) {
  return phase.is === "in" || (conversations.length > 0 && (phase.is === "lost" || phase.is === "closed" || phase.is === "joining"));
}

/** A fault of this page is said; a page that is empty, or shows what was, would be believed. @extends {Component<{children?: any}, {failed: boolean}>} */
class Guard extends Component {
  state = { failed: false };

  /** @param {unknown} error */
  componentDidCatch(error) {
    console.error(error);
    this.setState({ failed: true });
  }

  render() {
    return this.state.failed ? h(Failed, {}) : this.props.children;
  }
}

/**
 * Places are those of the conversations that are there: rows are numbered anew in each session, and mean nothing in the next one. It comes
 * after the drawing, since a timeline that goes away notes its place.
 *
 * @param {View} view
 */
function forgetPlaces(view) {
  const targets = inside(view) ? view.conversations.map(({ target }) => target) : [];
  for (const target of places.keys()) if (!targets.includes(target)) places.delete(target);
}

function draw() {
  if (!due) return;
  due = false;
  const { view } = session;
  const root = /** @type {HTMLElement} */ (document.getElementById("page"));
  const page = inside(view)
    ? h(Chat, { view, ui, send, places, again, leave })
    : h(Login, { view, again, ...session.remembered, join: (credentials) => session.join(credentials) });
  // What stands there while the page loads is none of the view's.
  root.querySelector(":scope > .loading")?.remove();
  render(h(Guard, {}, page), root);
  forgetPlaces(view);
  notifier.title(view);
}

ui.subscribe(changed);
listen(document, ui, () => session.view, send);
document.addEventListener("visibilitychange", draw);
session.start();
changed();
