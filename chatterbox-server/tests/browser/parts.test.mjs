// The parts of the views that need no browser: which rows of a conversation are on the page, links, times, and what refusals say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { pieces } from "../../page/view/links.js";
import { hue } from "../../page/view/names.js";
import { CLOSINGS, REFUSALS, closedWords, refusalWords } from "../../page/view/refusals.js";
import { BEGINNING, MOST as LONGEST, beginning, isEncrypted } from "../../page/view/text.js";
import { clock, date, dayWords, spanWords, untilWords } from "../../page/view/time.js";
import { END, MOST, PAGE, part, range } from "../../page/view/window.js";

const items = (count, first = 0) => Array.from({ length: count }, (_, index) => ({ kind: "message", key: first + index }));
const keys = (list, rows) => {
  const { from, to } = range(list, rows);
  return [list[from]?.key, list[to - 1]?.key, to - from];
};

test("at the end the rows are the last ones, whatever comes", () => {
  assert.deepEqual(range([], END), { from: 0, to: 0 });
  assert.deepEqual(keys(items(30), END), [0, 29, 30]);
  assert.deepEqual(keys(items(1000), END), [1000 - PAGE, 999, PAGE]);
});

test("further up the rows stay the same ones when others come above and below", () => {
  const list = items(1000);
  const rows = part(list, 300, 500, "up");
  assert.deepEqual(keys(list, rows), [300, 499, 200]);
  assert.deepEqual(keys([...items(80, 5000), ...list, ...items(80, 7000)], rows), [300, 499, 200]);
});

test("rows down to the end take in what comes, up to a bound", () => {
  const list = items(400);
  const rows = part(list, 200, 400, "down");
  assert.deepEqual(keys([...list, ...items(50, 7000)], rows), [200, 7049, 250]);
  assert.deepEqual(keys([...list, ...items(5000, 7000)], rows), [200, 7299, MOST]);
});

test("there are never more rows than the bound, and those at the side to which it goes are kept", () => {
  const list = items(10_000);
  assert.deepEqual(keys(list, part(list, 100, 900, "up")), [100, 100 + MOST - 1, MOST]);
  assert.deepEqual(keys(list, part(list, 100, 900, "down")), [900 - MOST, 899, MOST]);
  assert.deepEqual(keys(list, part(list, -50, 20_000, "down")), [10_000 - MOST, 9999, MOST]);
});

test("rows whose first or last item has made room for others are still a part of what there is", () => {
  const list = items(1000);
  const rows = part(list, 10, 200, "up");
  const [first, last, count] = keys(list.slice(100), rows);
  assert.deepEqual([first, last, count], [100, 199, 100]);
  const gone = keys(list.slice(500), rows);
  assert.ok(gone[2] > 0 && gone[2] <= MOST);
});

test("only http and https become links, whole, and without what ends the sentence", () => {
  const links = (text) => pieces(text).filter((piece) => typeof piece !== "string").map((piece) => piece.href);
  assert.deepEqual(links("see https://example.org/a_(b)/c?d=1#e, and (http://example.org)."), ["https://example.org/a_(b)/c?d=1#e", "http://example.org/"]);
  assert.deepEqual(links("HTTPS://EXAMPLE.org!"), ["https://example.org/"]);
  for (const text of [
    "javascript:alert(1)", "data:text/html,x", "ftp://example.org", "file:///etc/passwd", "https://", "http://[", "https://user:secret@evil.example/",
    "https://bank.example@evil.example", "//example.org", "javascript://example.org/%0aalert(1)",
  ]) assert.deepEqual(links(text), [], text);
  // What screen.js has spelled out ends an address, so that nobody reads a part of it as another one.
  assert.deepEqual(links("https://example.org/\\u{202e}gpj.exe"), ["https://example.org/"]);
});

test("brackets without end end", async () => {
  // In a thread, which can be ended: a million of them took an hour when each was counted anew for each.
  const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    const { pieces } = await import(${JSON.stringify(new URL("../../page/view/links.js", import.meta.url).href)});
    const lines = ["http://x" + ")".repeat(1_000_000), ("http://x" + ")".repeat(1900) + " ").repeat(500)];
    parentPort.postMessage(lines.map((line) => pieces(line).length));
  `)));
  const timer = setTimeout(() => worker.terminate(), 60_000);
  try {
    const found = await new Promise((resolve, reject) => {
      worker.on("message", resolve);
      worker.on("error", reject);
      worker.on("exit", () => reject(new Error("it took too long")));
    });
    assert.deepEqual(found, [1, 100]);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
});

test("brackets belong to an address if they are opened in it", () => {
  const links = (text) => pieces(text).filter((piece) => typeof piece !== "string").map((piece) => piece.text);
  const table = [
    ["http://a/(b)", "http://a/(b)"], ["(http://a/b)", "http://a/b"], ["http://a/(b)).", "http://a/(b)"], ["http://a/((b)", "http://a/((b)"],
    ["[http://a/{b}]]", "http://a/{b}"], ["http://a/(b]", "http://a/(b"], ["http://a/b)])}", "http://a/b"], ["http://a/[(b)]!)", "http://a/[(b)]"],
  ];
  for (const [text, link] of table) assert.deepEqual(links(text), [link], text);
});

test("the pieces of a line are the line, and links have a bound", () => {
  for (const text of ["", "a", "https://a.example https://b.example", "x https://a.example, y", "https://a.example ".repeat(500)]) {
    assert.equal(pieces(text).map((piece) => (typeof piece === "string" ? piece : piece.text)).join(""), text);
  }
  assert.ok(pieces("https://a.example ".repeat(500)).filter((piece) => typeof piece !== "string").length <= 50);
});

test("of a long message the beginning is shown, and of what is longer than anything never all", () => {
  assert.deepEqual(beginning(["a", "", "b"], BEGINNING), { shown: ["a", "", "b"], whole: true });
  assert.deepEqual(beginning([], BEGINNING), { shown: [], whole: true });
  const full = "x".repeat(BEGINNING.characters);
  assert.deepEqual(beginning([full], BEGINNING), { shown: [full], whole: true });
  assert.deepEqual(beginning([`${full}x`], BEGINNING), { shown: [full], whole: false });
  assert.equal(beginning([full, ""], BEGINNING).whole, false);
  assert.equal(beginning(Array(BEGINNING.lines + 1).fill("x"), BEGINNING).shown.length, BEGINNING.lines);
  const wall = beginning(Array(60_000).fill("x".repeat(1000)), LONGEST).shown;
  assert.ok(wall.length <= LONGEST.lines && wall.join("").length <= LONGEST.characters);
  // No half of a character is left at the cut.
  const emoji = beginning([`${"x".repeat(BEGINNING.characters - 1)}🎉`], BEGINNING).shown[0];
  assert.equal(emoji, "x".repeat(BEGINNING.characters - 1));
});

test("the page says that it can't decrypt, and only of what stands alone in a private conversation", () => {
  const sentence = "[encrypted message: your client can't read it]";
  assert.equal(isEncrypted("@bob", [sentence]), true);
  assert.equal(isEncrypted("#lab", [sentence]), false);
  assert.equal(isEncrypted("ALL", [sentence]), false);
  assert.equal(isEncrypted("@bob", [sentence, ""]), false);
  assert.equal(isEncrypted("@bob", [`${sentence} `]), false);
});

test("a number that is no time of the calendar is no time", () => {
  for (const absurd of [null, -1, NaN, Infinity, -Infinity, 1e18, Number.MAX_SAFE_INTEGER]) {
    assert.equal(date(absurd), null, String(absurd));
    assert.equal(untilWords(absurd), null);
  }
  assert.equal(clock(null, "24"), "");
  const noon = new Date(2023, 10, 14, 15, 5);
  assert.equal(clock(noon, "24"), "15:05");
  assert.match(clock(noon, "12"), /^3:05/);
  assert.equal(clock(noon, "off"), "");
  assert.equal(clock(new Date(2023, 10, 14, 0, 5), "24"), "00:05");
});

test("days are today, yesterday, or the date", () => {
  const now = new Date(2024, 2, 1, 0, 10);
  assert.equal(dayWords(new Date(2024, 2, 1, 0, 1), now), "Today");
  assert.equal(dayWords(new Date(2024, 1, 29, 23, 59), now), "Yesterday");
  assert.match(dayWords(new Date(2024, 1, 28), now), /February 28, 2024/);
  assert.deepEqual([0.2, 12, 300, 7200, 300_000].map(spanWords), ["1 s", "12 s", "5 min", "2 h", "4 days"]);
});

test("every word with which a server refuses a name or ends a connection is explained", () => {
  const norm = readFileSync(new URL("../../../docs/capabilities.md", import.meta.url), "utf8");
  const rule = (name) => norm.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "";
  const refusals = [...rule("AN-3").split("`INFO`:")[1].matchAll(/`([a-z-]+)`/g)].map(([, word]) => word);
  const closings = [...rule("NO-3").split("Words:")[1].split(". RETRY")[0].matchAll(/`([a-z]+)`/g)].map(([, word]) => word);
  assert.ok(refusals.length >= 12 && closings.length >= 8, "the rules are not where they are looked for");
  for (const word of refusals) assert.ok(Object.hasOwn(REFUSALS, word), word);
  for (const word of closings) assert.ok(Object.hasOwn(CLOSINGS, word), word);
});

test("a word that nobody knows shows what the server says, and names of the language are such words", () => {
  for (const code of ["new-word", "constructor", "__proto__", "toString", ""]) {
    assert.equal(refusalWords({ is: "refused", code, info: "because", wait: null, until: null, password: false }).info, "because");
    assert.notEqual(closedWords({ is: "closed", code, info: "", until: null }).title, undefined);
  }
});

test("whoever comes back and is refused is told why, and may try again", () => {
  const words = closedWords({ is: "closed", code: "too-many", info: "", until: null });
  assert.match(words.title, /five devices/);
  assert.equal(words.back, true);
  assert.equal(refusalWords({ is: "refused", code: "too-many", info: "", wait: null, until: null, password: false }).title, words.title);
});

test("the end of a ban and the time to wait are said", () => {
  const refused = (more) => refusalWords({ is: "refused", code: "banned", info: "spam", wait: null, until: null, password: false, ...more });
  assert.match(refused({ until: 1_900_000_000 }).when, /2030/);
  assert.match(refused({ code: "throttled", wait: 90 }).when, /2 min/);
  assert.equal(refused({}).when, "");
  assert.equal(refused({}).info, "spam");
  assert.match(closedWords({ is: "closed", code: "banned", info: "", until: 1_900_000_000 }).advice, /2030/);
});

test("a name has the same colour in whatever case", () => {
  assert.equal(hue("Ann"), hue("ann"));
  assert.match(hue("一个很长的中文名字"), /^hue[0-7]$/);
  assert.ok(new Set(["ann", "bob", "cyd", "dave", "eve", "frank", "gil", "hal", "ivy"].map(hue)).size > 3);
});
