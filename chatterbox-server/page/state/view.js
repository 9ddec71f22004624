// What the views read. A conversation, the people and the lists are made anew only when they have changed.

import { LOBBY, isRoom, isUser, wireOf } from "./target.js";
import { screen } from "../screen.js";
import { shownName } from "./text.js";
import { shownTransfer } from "./transfers.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./types.js").View} View
 * @typedef {import("./types.js").Conversation} Shown
 * @typedef {import("./conversation.js").Conversation} Conversation
 */

/** @type {readonly string[]} */
const NO_FLAGS = [];
/** @type {ReadonlyMap<string, number>} */
const NO_STAFF = new Map();

export class Viewer {
  /** @param {Core} core */
  constructor(core) {
    this.core = core;
    /** What was shown of each conversation last, and of what that was made. @type {Map<number, { made: string, shown: Shown }>} */
    this.shown = new Map();
    /** @type {{ all: readonly unknown[], shown: View["mentions"] }} */
    this.mentions = { all: [], shown: [] };
    /** @type {readonly Shown[]} */
    this.conversations = [];
    this.versions = 0;
  }

  /** @returns {View} */
  view() {
    const { core } = this;
    const { model, catalogue } = core;
    const [question] = core.calls.questions;
    return {
      phase: core.phase,
      me: shownName(core.me),
      account: core.account === null ? null : shownName(core.account),
      level: core.level,
      levels: core.levels,
      server: core.server,
      front: model.front,
      conversations: core.isWelcomed ? this.allConversations() : [],
      totals: model.list.all.reduce((sum, one) => ({ unread: sum.unread + one.unread, mentions: sum.mentions + one.mentions }), { unread: 0, mentions: 0 }),
      nextUnread: model.nextUnread(),
      mentions: this.allMentions(),
      people: core.roster.people(),
      commands: catalogue.commands,
      prefix: catalogue.prefix,
      question: question === undefined ? null : question,
      waiting: core.sent.unanswered.length,
      latency: null,
      limits: { content: core.limits.content, name: core.limits.name },
      replies: core.agreed.has("meta"),
      files: core.agreed.has("files"),
      transfers: core.transfers.all.map(shownTransfer),
    };
  }

  /** @private */
  allConversations() {
    const all = this.core.model.list.all.map((one) => this.conversation(one));
    if (this.shown.size > 2 * all.length + 16) {
      const serials = new Set(this.core.model.list.all.map((one) => one.serial));
      for (const serial of this.shown.keys()) if (!serials.has(serial)) this.shown.delete(serial);
    }
    const same = all.length === this.conversations.length && all.every((one, place) => one === this.conversations[place]);
    if (!same) this.conversations = all;
    return this.conversations;
  }

  /** @private @param {Conversation} one @returns {Shown} */
  conversation(one) {
    const { core } = this;
    const room = one.target === LOBBY ? core.rooms.lobby : isRoom(one.target) && !one.gone ? core.rooms.find(one.target) : undefined;
    const away = isUser(one.target) && core.isJoined() && !core.roster.isHere(wireOf(one.target));
    const roster = one.target === LOBBY ? core.roster.version : (room?.users?.version ?? 0);
    const made = [one.version, one.target, room?.number, room?.version, roster, away, core.level].join(" ");
    const known = this.shown.get(one.serial);
    if (known?.made === made) return known.shown;
    this.versions += 1;
    const members = one.target === LOBBY ? null : room?.users ? room.users.people().map((person) => person.name) : null;
    /** @type {Shown} */
    const shown = {
      target: one.target,
      kind: one.target === LOBBY ? "lobby" : isUser(one.target) ? "user" : "room",
      title: one.target === LOBBY ? "lobby" : isUser(one.target) ? shownName(wireOf(one.target)) : screen(one.target, 64),
      topic: one.topic,
      gone: one.gone,
      away,
      unread: one.unread,
      mentions: one.mentions,
      marker: this.marker(one),
      older: one.older,
      items: known !== undefined && known.shown.version > 0 && sameItems(known.shown.items, one.timeline.items) ? known.shown.items : one.timeline.items.slice(),
      version: this.versions,
      members,
      count: one.target === LOBBY ? core.roster.size : (room?.count() ?? null),
      level: Math.max(core.level, room?.level ?? 0),
      staff: room === undefined || room.staff.size === 0 ? NO_STAFF : new Map([...room.staff].map(([who, level]) => [shownName(who), level])),
      length: one.target === LOBBY ? least(core.limits.content, room?.length ?? null) : positive(room?.length ?? null),
      flags: room?.flags ?? NO_FLAGS,
    };
    this.shown.set(one.serial, { made, shown });
    return shown;
  }

  /** @private @param {Conversation} one */
  marker(one) {
    const above = one.marker === null ? 0 : one.timeline.place(one.marker) + 1;
    return above > 0 ? above : null;
  }

  /** @private */
  allMentions() {
    const { model } = this.core;
    const { all } = model.mentioned;
    if (this.mentions.all !== all || this.mentionsOf !== this.conversations) {
      const shown = [...all].reverse().flatMap(({ serial, key, from, line }) => {
        const one = model.list.withSerial(serial);
        return one === undefined ? [] : [{ target: one.target, from, line, key }];
      });
      this.mentions = { all, shown };
      this.mentionsOf = this.conversations;
    }
    return this.mentions.shown;
  }
}

/** @param {readonly unknown[]} one @param {readonly unknown[]} other */
function sameItems(one, other) {
  return one.length === other.length && one.every((item, place) => item === other[place]);
}

/** @param {number | null} number */
function positive(number) {
  return number === 0 ? null : number;
}

/** @param {number | null} one @param {number | null} other */
function least(one, other) {
  const bounds = [positive(one), positive(other)].filter((bound) => bound !== null);
  return bounds.length === 0 ? null : Math.min(...bounds);
}
