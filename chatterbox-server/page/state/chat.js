// The state of the chat: what happens goes in, what is to be done comes out, and the views read it. It is pure: no clock, no socket, no
// storage, no chance; `session.js` owns all of these.

import { call } from "./calling.js";
import { close, open } from "./opening.js";
import { Core } from "./core.js";
import { attach, cancel, dropAll, fileNews, save, start } from "./files.js";
import { askOlder } from "./history.js";
import { join, rejoin } from "./login.js";
import { lost } from "./lost.js";
import { receive } from "./incoming.js";
import { same } from "./text.js";
import { say, typed } from "./typed.js";
import { USUAL } from "./list.js";
import { Viewer } from "./view.js";

/**
 * @typedef {import("./types.js").Event} Event
 * @typedef {import("./types.js").Effect} Effect
 */

export class Chat {
  /** @param {{ limits?: Partial<import("./list.js").Limits> }} [options] lower bounds than the usual ones */
  constructor({ limits = {} } = {}) {
    this.limits = { ...USUAL, ...limits };
    this.core = new Core(this.limits);
    this.viewer = new Viewer(this.core);
  }

  /** Takes what happens; `now` is in seconds since 1970. Gives what is to be done, in order.
   * @param {Event} event @param {number} now @returns {Effect[]} */
  apply(event, now) {
    this.take(event, Math.floor(now));
    const { effects } = this.core;
    this.core.effects = [];
    return effects;
  }

  /** @returns {import("./types.js").View} */
  view() {
    return this.viewer.view();
  }

  /** Whether the server is to be told how far the user has read. */
  hasMarks() {
    return this.core.hasMarks();
  }

  /** Whether the server answers a PING now. */
  canPing() {
    return this.core.isJoined() && this.core.has("ping");
  }

  /** @private @param {Event} event @param {number} now */
  take(event, now) {
    const { core } = this;
    if ("join" in event) return this.join(event.join);
    if ("frame" in event) return receive(core, event.frame, now);
    if ("typed" in event) return typed(core, event.typed, now);
    if ("say" in event) return say(core, event.say, now);
    if ("call" in event) return call(core, event.call.name, event.call.arguments, now);
    if ("answer" in event) return this.answer(event.answer);
    if ("cancel" in event) return this.answer(null);
    if ("open" in event) return open(core, event.open, now);
    if ("close" in event) return close(core, event.close, now);
    if ("older" in event) return askOlder(core, event.older, false, now);
    if ("fill" in event) return askOlder(core, event.fill, true, now);
    if ("marks" in event) return core.tellMarks();
    if ("attached" in event) return attach(core, event.attached, now);
    if ("save" in event) return save(core, event.save, now);
    if ("giveUp" in event) return cancel(core, event.giveUp, now);
    if ("file" in event) return fileNews(core, event.file, now);
    if ("tick" in event) return start(core, now);
    if ("seeing" in event) return core.model.see(event.seeing);
    if ("lost" in event && lost(core, event, now)) return this.reset();
    if ("back" in event) return rejoin(core);
    if ("leave" in event) return this.leave();
  }

  /** Asks for a name. A session that waits goes on under its name; any other one begins anew.
   * @private @param {{ name: string, password?: string | undefined, token?: string | undefined }} wish */
  join(wish) {
    if (this.core.isJoined() || this.core.standing === "asked") return;
    if (this.core.isDown() && same(this.core.me, wish.name)) {
      this.core.phase = { is: "lost", why: "", retry: null };
      return rejoin(this.core, wish.password);
    }
    this.reset();
    join(this.core, wish);
  }

  /** @private */
  leave() {
    if (!this.core.isJoined()) this.reset();
    this.core.leaving = true;
    this.core.effects.push({ redial: false }, { disconnect: "" });
  }

  /** Everything is as it was at first; what is to be done is done all the same. @private */
  reset() {
    dropAll(this.core);
    const { effects, transfers } = this.core;
    this.core = new Core(this.limits, transfers.count);
    this.core.effects = effects;
    this.viewer = new Viewer(this.core);
  }

  /** @private @param {string | null} answer */
  answer(answer) {
    // An answer is one line; a line end at its end was pasted with it.
    const line = answer === null ? null : answer.replace(/[\r\n]+$/, "");
    if (line !== null && /[\r\n]/.test(line)) return;
    const sent = this.core.isJoined() ? this.core.calls.answer(line === "" ? null : line) : undefined;
    if (sent !== undefined) this.core.send(sent);
  }
}
