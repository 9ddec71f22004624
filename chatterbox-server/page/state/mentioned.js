// The list of mentions: where somebody has named this user, across conversations.

import { screen } from "../screen.js";

/** @typedef {{ serial: number, key: number, time: number, from: string, line: string }} Mention */

/** So many are kept; the oldest go first. */
const KEPT = 200;

export class Mentioned {
  constructor() {
    /** By time. @type {Mention[]} */
    this.all = [];
  }

  /** @param {number} serial @param {import("./types.js").Message} item */
  note(serial, item) {
    const time = item.time ?? 0;
    const line = screen(item.lines[0] ?? "", 200);
    const place = this.all.findLastIndex((known) => known.time <= time) + 1;
    this.all = [...this.all.slice(0, place), { serial, key: item.key, time, from: item.from, line }, ...this.all.slice(place)].slice(-KEPT);
  }

  /** @param {number} key of an item that is gone */
  forget(key) {
    this.forgetWhere((mention) => mention.key === key);
  }

  /** @param {(mention: Mention) => boolean} isGone */
  forgetWhere(isGone) {
    if (this.all.some(isGone)) this.all = this.all.filter((mention) => !isGone(mention));
  }
}
