// A chat whose server is played by a test.

import { Chat } from "../../../page/state/chat.js";

/** 2023-11-14 22:13:20 UTC. */
export const NOW = 1_700_000_000;

export const ALL = "accounts/1 commands/1 devices/1 files/1 ids/1 marks/1 meta/1 notices/1 ping/1 presence/1 recent/1 rename/1 rooms/1 utf8/1";

/** A room as the server tells of it. */
export function room(name, number, more = {}) {
  return { ROOM: name, NUMBER: number, LEVEL: 0, TOPIC: "", ROSTER: true, COUNT: 2, USERS: ["ann", "bob"], TALK: 0, KEEP: "all", LAST: 0, ...more };
}

export class World {
  constructor(options = {}) {
    this.chat = new Chat(options);
    this.now = NOW;
    this.sent = [];
    this.effects = [];
  }

  apply(event) {
    const effects = this.chat.apply(event, this.now);
    this.effects.push(...effects);
    for (const effect of effects) if ("send" in effect) this.sent.push(effect.send);
    return effects;
  }

  frame(frame) {
    return this.apply({ frame });
  }

  /** Joins as ann, where bob is. */
  join(welcome = {}, commands = []) {
    this.apply({ join: { name: "ann" } });
    this.frame({ USERNAME_ACCEPTED: true, USER_LIST: ["ann", "bob"], MESSAGES: [], IDS: [], CAPABILITIES: ALL, RESUME: "token", ROOMS: [], ...welcome });
    this.frame({ COMMANDS: commands, PREFIX: "/" });
    this.take();
    return this;
  }

  /** The connection is lost and comes back. */
  again(welcome) {
    this.apply({ lost: "gone" });
    this.apply({ back: true });
    this.frame({ USERNAME_ACCEPTED: true, USER_LIST: ["ann", "bob"], MESSAGES: [], IDS: [], CAPABILITIES: ALL, RESUME: "token", RESUMED: true, ROOMS: [], ...welcome });
    return this;
  }

  /** What was sent since the last time. */
  take() {
    const { sent } = this;
    this.sent = [];
    this.effects = [];
    return sent;
  }

  get view() {
    return this.chat.view();
  }

  at(target) {
    return this.view.conversations.find((one) => one.target === target);
  }

  /** The items of a conversation in short. */
  said(target) {
    return (this.at(target)?.items ?? []).map((item) => {
      if (item.kind === "message") return `${item.from}: ${item.lines.join("\n")}`;
      if (item.kind === "notice") return `* ${item.lines.join("\n")}`;
      return item.kind === "hole" ? `... ${item.state}` : `+${item.joined} -${item.left}`;
    });
  }
}
