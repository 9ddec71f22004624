// How a fixture is run: what a server sends and a user does, step by step, and the state of the chat that results from it.

import assert from "node:assert/strict";

import { Chat } from "../../../page/state/chat.js";

/** 2023-11-14 22:13:20 UTC. */
const NOW = 1_700_000_000;

/** Runs a fixture; each state is compared as `seen` gives it.
 * @param {any} fixture */
export function run({ options = {}, steps }, seen = (state) => state) {
  const limits = Object.fromEntries(["items", "users", "rooms"].filter((key) => key in options).map((key) => [key, options[key]]));
  const chat = new Chat({ limits });
  let now = NOW;
  let sent = [];
  const apply = (event) => {
    for (const effect of chat.apply(event, now)) if ("send" in effect) sent.push(effect.send);
  };
  apply({ join: { name: options.name ?? "ann" } });
  sent = [];
  let states = 0;
  for (const [place, step] of steps.entries()) {
    const [key, ...others] = Object.keys(step);
    assert.equal(others.length, 0, `step ${place} has one key`);
    const value = step[key];
    switch (key) {
      case "wait":
        now += value;
        apply({ tick: true });
        break;
      case "back":
        apply({ back: true });
        break;
      case "sent":
        assert.deepEqual(sent, value, `step ${place}`);
        sent = [];
        break;
      case "state":
        states += 1;
        assert.deepEqual(seen(stateOf(chat.view(), value)), seen(value), `step ${place}`);
        break;
      default:
        apply({ [key]: value });
    }
  }
  assert.ok(states > 0, "the fixture says nothing about the state");
}

/** The state, with the keys that are wanted. */
function stateOf(view, wanted) {
  const conversations = view.conversations.map((one, place) => {
    const keys = wanted.conversations?.[place];
    return keys === undefined ? {} : only(conversationOf(one), keys);
  });
  const all = {
    front: view.front,
    totals: [view.totals.unread, view.totals.mentions],
    next_unread: view.nextUnread,
    mentions: view.mentions.map(({ target, from, line }) => ({ target, from, line })),
    conversations,
  };
  return only(all, wanted);
}

function only(all, wanted) {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key in wanted));
}

function conversationOf(one) {
  const above = one.items.slice(0, one.marker ?? 0).filter(isListed).length;
  const { target, topic, gone, unread, mentions, older } = one;
  return {
    target,
    ...(topic === "" ? {} : { topic }),
    ...(gone ? { gone } : {}),
    unread,
    mentions,
    marker: above === 0 ? null : above,
    older,
    items: one.items.filter(isListed).map(itemOf),
  };
}

function isListed(item) {
  return item.kind !== "notice";
}

function itemOf(item) {
  if (item.kind === "hole") return { hole: item.state };
  if (item.kind === "moves") {
    const { joined, left, moreJoined, moreLeft } = item;
    return { joined, left, ...(moreJoined > 0 ? { more_joined: moreJoined } : {}), ...(moreLeft > 0 ? { more_left: moreLeft } : {}) };
  }
  const { from, lines, time, id, own, mention, delivery, why } = item;
  const there = { id, own: own || null, mention: mention || null, delivery, why };
  return { from, lines, time, ...Object.fromEntries(Object.entries(there).filter(([, value]) => value !== null)) };
}
