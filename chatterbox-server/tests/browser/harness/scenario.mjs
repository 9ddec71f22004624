/**
 * What the files of scenarios share: one server and one browser for each, and what holds for all pages afterwards.
 */

import { after, afterEach, before, test } from "node:test";

import { Browser } from "./browser.mjs";
import { Chat } from "./chat.mjs";
import { PATIENCE, Server } from "./server.mjs";
import { Speaker } from "./speaker.mjs";

/**
 * @param {{settings?: string[], accounts?: {name: string, password: string, level?: number}[]}} options
 */
export function scenes({ settings = [], accounts = [] } = {}) {
  const stage = {
    /** @type {Server} */ server: undefined,
    /** @type {Browser} */ browser: undefined,
    /** Addresses beside that of the server that pages may ask. */
    others: [],
    /** A page with a storage of its own, in the chat under this name. */
    async user(name, options = {}) {
      const page = await stage.browser.page(options);
      return new Chat(page).join(options.url ?? stage.server.url, name, options.login);
    },
    /** A user without a page, until the end of the scene. */
    async speaker(name) {
      const speaker = await Speaker.join(stage.server.url, name);
      speakers.push(speaker);
      return speaker;
    },
  };
  /** @type {Speaker[]} */
  const speakers = [];
  before(async () => {
    stage.server = await Server.start(settings);
    for (const { name, password, level = 1 } of accounts) await stage.server.account(name, password, level);
    stage.browser = await Browser.start();
  }, { timeout: 2 * PATIENCE });
  // Also after one that has failed: what comes next is not to fail for it.
  afterEach(async () => {
    for (const speaker of speakers.splice(0)) speaker.end();
    await stage.browser?.closePages();
  });
  after(async () => {
    try {
      await stage.browser?.holds(stage.server.url, ...stage.others);
    } finally {
      await stage.browser?.end();
      await stage.server?.end();
    }
  }, { timeout: PATIENCE });
  return stage;
}

/** A scene: each has a deadline, and so nothing waits for ever. */
export function scene(name, play) {
  test(name, { timeout: 4 * PATIENCE }, play);
}
