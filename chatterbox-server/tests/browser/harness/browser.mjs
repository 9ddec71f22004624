/**
 * Pages of a real browser, each watched: it asks nobody but its server, says nothing on its console, and makes no element of a text.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

import { PATIENCE } from "./server.mjs";

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

/** Runs in the page before everything else: whatever would parse markup is noted, and throws. */
function watchSinks() {
  // The browser's own page for a server that can't be reached is none of ours.
  if (!location.protocol.startsWith("http")) return;
  const noted = [];
  Object.defineProperty(window, "__sinks", { value: noted });
  const refuse = (name) => {
    noted.push(name);
    throw new Error(`markup is parsed by ${name}`);
  };
  for (const [owner, name] of [
    [Element.prototype, "innerHTML"],
    [Element.prototype, "outerHTML"],
    [ShadowRoot.prototype, "innerHTML"],
    [HTMLIFrameElement.prototype, "srcdoc"],
  ]) {
    const { get } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    Object.defineProperty(owner, name, { get, set: () => refuse(name), configurable: true });
  }
  for (const [owner, name] of [
    [Element.prototype, "insertAdjacentHTML"],
    [Document.prototype, "write"],
    [Document.prototype, "writeln"],
    [DOMParser.prototype, "parseFromString"],
    [Range.prototype, "createContextualFragment"],
  ]) {
    owner[name] = () => refuse(name);
  }
}

export class Browser {
  static async start() {
    const browser = new Browser();
    const path = process.env.CHATTERBOX_CHROMIUM ?? "/usr/bin/chromium";
    // A sandbox cannot be made by root, which the tests often are in a container.
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    browser.chromium = await chromium.launch({ executablePath: path, args });
    browser.watched = [];
    return browser;
  }

  /**
   * A page with a storage of its own.
   * @param {{context?: object, expected?: RegExp[], axe?: boolean, downloads?: boolean}} options `expected`: what the console may say, such as that a
   * connection was cut; `downloads`: whether the page may save files
   */
  async page(options = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 800 }, ...options.context });
    return this.pageOf(context, options);
  }

  async pageOf(context, { expected = [], downloads = false } = {}) {
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const watched = { page, expected, requests: [], faults: [] };
    this.watched.push(watched);
    page.on("request", (request) => watched.requests.push(request.url()));
    page.on("websocket", (socket) => watched.requests.push(socket.url()));
    page.on("pageerror", (error) => watched.faults.push(`error: ${error.stack ?? error}`));
    page.on("dialog", (dialog) => {
      watched.faults.push(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    page.on("popup", (other) => watched.faults.push(`opened ${other.url()}`));
    page.on("download", (download) => downloads || watched.faults.push(`downloads ${download.url()}`));
    page.on("crash", () => watched.faults.push("the page crashed"));
    page.on("console", (message) => {
      const text = message.text();
      if (!watched.expected.some((pattern) => pattern.test(text))) watched.faults.push(`console: ${text}`);
    });
    await page.addInitScript(watchSinks);
    return page;
  }

  /** What the console may say from now on. */
  expect(page, ...patterns) {
    this.of(page).expected.push(...patterns);
  }

  of(page) {
    return this.watched.find((watched) => watched.page === page);
  }

  requests(page) {
    return this.of(page).requests;
  }

  /** Ends all pages; what they did is remembered. */
  async closePages() {
    for (const watched of this.watched) {
      if (watched.page.isClosed()) continue;
      watched.sinks = await watched.page.evaluate(() => window.__sinks).catch(() => watched.sinks);
      await watched.page.context().close();
    }
  }

  /** Everything that holds for every page that was ever open here, which came from one of these servers. */
  async holds(...urls) {
    const hosts = new Set(urls.map((url) => new URL(url).host));
    await this.closePages();
    for (const { requests, faults, sinks = [] } of this.watched) {
      assert.deepEqual(faults, []);
      assert.deepEqual(sinks, []);
      for (const request of requests) assert.ok(hosts.has(new URL(request).host), `asked elsewhere: ${request}`);
    }
  }

  async end() {
    await this.chromium.close();
  }
}

/** What a cut connection makes Chromium say, which no page can keep it from. */
export const CUT = /^WebSocket connection to .* failed|net::ERR_(CONNECTION|EMPTY_RESPONSE|NETWORK)/;

/** Accessibility as axe sees it, of WCAG 2.2 AA and of good practice. */
export async function accessible(page, state) {
  const session = await page.context().newCDPSession(page);
  try {
    // Evaluated by the debugger, which the content security policy of the page does not bind.
    await session.send("Runtime.evaluate", { expression: axe });
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression: `axe.run({ resultTypes: ["violations"] }).then((result) => JSON.stringify(result.violations.map(
        ({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) }))))`,
      awaitPromise: true,
      returnByValue: true,
    });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    const violations = JSON.parse(result.value);
    assert.deepEqual(violations, [], `axe, ${state}: ${JSON.stringify(violations, null, 1)}`);
  } finally {
    await session.detach();
  }
}

/** Waits until this holds in the page. */
export function until(page, condition, argument) {
  return page.waitForFunction(condition, argument, { timeout: PATIENCE });
}
