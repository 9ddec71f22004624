/**
 * Figures of the page: `CHATTERBOX_SERVER=../../../target/release/chatterbox-server node measure.mjs [RUNS]`. Nothing is judged here.
 */

import { Browser } from "./harness/browser.mjs";
import { Chat } from "./harness/chat.mjs";
import { Server } from "./harness/server.mjs";

const runs = Number(process.argv[2] ?? 15);

/** In the page: when something that is looked for is painted, counted from an event of the user. */
function clockwork() {
  window.__from = (type, there) => new Promise((resolve) => {
    let from;
    const look = () => {
      if (from !== undefined && there()) requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)));
      else requestAnimationFrame(look);
    };
    addEventListener(type, () => { from ??= performance.now(); }, { capture: true, once: true });
    look();
  });
}

const median = (numbers) => [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)];
const shown = (numbers) => `${median(numbers).toFixed(1)} ms (${Math.min(...numbers).toFixed(1)} to ${Math.max(...numbers).toFixed(1)})`;

const server = await Server.start(["--no-limits"]);
const browser = await Browser.start();
const paint = [];
const join = [];
const say = [];
let weight;
try {
  for (let run = 0; run < runs; run += 1) {
    const page = await browser.page();
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    const sizes = new Map();
    let bodies = 0;
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
    session.on("Network.dataReceived", ({ dataLength }) => { bodies += dataLength; });
    await page.addInitScript(clockwork);
    await page.goto(server.url, { waitUntil: "load" });
    const chat = new Chat(page);
    await chat.name.waitFor();
    paint.push(await page.evaluate(() => new Promise((resolve) => {
      const first = () => performance.getEntriesByName("first-contentful-paint")[0];
      if (first()) resolve(first().startTime);
      else new PerformanceObserver((_, observer) => first() && (observer.disconnect(), resolve(first().startTime))).observe({ type: "paint", buffered: true });
    })));
    weight = { requests: sizes.size, bodies, whole: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
    await chat.name.fill(`ann${run}`);
    const joined = page.evaluate(() => window.__from("submit", () => document.querySelector("ol[aria-label^='Messages in']")));
    await chat.name.press("Enter");
    join.push(await joined);
    await chat.input.fill(`message ${run}`);
    const seen = page.evaluate((text) => window.__from("keydown", () => document.querySelector("ol li:last-child")?.textContent.includes(text)), `message ${run}`);
    await chat.input.press("Enter");
    say.push(await seen);
    await page.context().close();
  }
} finally {
  await browser.end();
  await server.end();
}
console.log(`page: ${weight.requests} requests, ${weight.bodies} bytes, with headers ${weight.whole}`);
console.log(`first paint: ${shown(paint)}`);
console.log(`join to chat: ${shown(join)}`);
console.log(`send to own message seen: ${shown(say)}`);
console.log(`(median, least and most of ${runs} runs)`);
