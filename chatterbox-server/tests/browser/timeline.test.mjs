/** The timeline: what is unread, where it begins, and that a reader's place stays where it is. */

import assert from "node:assert/strict";
import { after } from "node:test";

import { accessible, until } from "./harness/browser.mjs";
import { eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";
import { Speaker } from "./harness/speaker.mjs";

const stage = scenes({ settings: ["--no-limits"] });

/** The first row in sight, its text and place; with `to`, after the timeline was scrolled there. */
function place(chat, to) {
  return chat.log.evaluate((list, to) => {
    let box = list;
    while (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === "visible") box = box.parentElement;
    if (to !== undefined) box.scrollTop = to;
    const edge = box.getBoundingClientRect().top;
    const row = [...list.children].find((one) => one.dataset.key && one.getBoundingClientRect().bottom > edge + 1);
    const end = box.scrollHeight - box.scrollTop - box.clientHeight;
    return { text: row.textContent, top: Math.round(row.getBoundingClientRect().top - edge), end: Math.round(end) };
  }, to);
}

/** Somebody who has said much; the last words are "number 699". */
let speaking;
function speaker() {
  speaking ??= Speaker.join(stage.server.url, "walter").then(async (one) => {
    await one.say(Array.from({ length: 700 }, (_, number) => `number ${number}${number % 7 ? "" : ` ${"long ".repeat(60)}`}`));
    return one;
  });
  return speaking;
}
after(async () => (await speaking)?.end());

const hasRow = (chat, text) => until(chat.page, (text) => [...document.querySelectorAll("ol > li")].some((row) => row.textContent.includes(text)), text);

scene("what comes elsewhere is unread there, and behind a marker, until it is seen", async () => {
  const ann = await stage.user("ann");
  const bob = await stage.user("bob");
  await bob.say("before");
  await ann.shows("before");
  await ann.person("bob").click();
  await ann.choose(/^Write to bob alone/);
  await ann.page.getByRole("textbox", { name: "Message to bob", exact: true }).waitFor();
  await bob.say("one");
  await bob.say("hey ann, two");
  const name = async () => (await ann.conversation("lobby").textContent()).replace(/\s+/g, " ");
  await eventually(async () => /2 unread, 1 names you/.test(await name()), true);
  await eventually(async () => /^\(1!\) /.test(await ann.page.title()), true);
  await accessible(ann.page, "unread");
  await ann.open("lobby");
  await ann.shows("two");
  const rows = await ann.log.getByRole("listitem").allInnerTexts();
  const marker = rows.findIndex((row) => /^new$/i.test(row.trim()));
  assert.ok(marker > 0, rows.join(" | "));
  assert.ok(rows[marker - 1].includes("before"), rows.join(" | "));
  assert.ok(rows[marker + 1].includes("one"), rows.join(" | "));
  await eventually(async () => /unread/.test(await name()), false);
});

scene("pages of older messages come above, and what is read stays where it is", async () => {
  const walter = await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  await eventually(async () => (await place(ann)).end <= 1, true, "it begins at the end");
  for (let page = 0; page < 3; page += 1) {
    const first = await ann.log.locator("li[data-key]").first().getAttribute("data-key");
    const before = await place(ann, 0);
    await until(ann.page, (first) => document.querySelector("ol > li[data-key]")?.dataset.key !== first, first);
    const after = await place(ann);
    assert.equal(after.text, before.text, `page ${page}: the same row`);
    assert.ok(Math.abs(after.top - before.top) <= 1, `page ${page}: ${before.top} -> ${after.top}`);
  }
  // What comes meanwhile does not move it either.
  const reading = await place(ann, 2000);
  await walter.say(["news for all"]);
  const news = ann.page.getByRole("button", { name: /1 new message/ });
  await news.waitFor();
  assert.deepEqual((({ text, top }) => ({ text, top }))(await place(ann)), { text: reading.text, top: reading.top });
  await accessible(ann.page, "scrolled up");
  await news.click();
  await hasRow(ann, "news for all");
  await eventually(async () => (await place(ann)).end <= 1, true, "at the end again");
  await news.waitFor({ state: "detached" });
  // From now on it follows the end.
  await walter.say(["and more"]);
  await hasRow(ann, "and more");
  await eventually(async () => (await place(ann)).end <= 1, true);
});

scene("the page holds a bounded number of rows, however far one goes back", async () => {
  await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  for (let page = 0; page < 12; page += 1) {
    const first = await ann.log.locator("li[data-key]").first().textContent();
    if (first.includes("number 0")) break;
    const key = await ann.log.locator("li[data-key]").first().getAttribute("data-key");
    await place(ann, 0);
    await Promise.race([
      until(ann.page, (key) => document.querySelector("ol > li[data-key]")?.dataset.key !== key, key),
      ann.page.getByText(/This is the beginning of/).waitFor(),
    ]);
  }
  const rows = await ann.log.locator("li[data-key]").count();
  assert.ok(rows <= 500, `${rows} rows`);
});

scene("reading again where one was: another conversation does not lose the place", async () => {
  await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  await place(ann, 1500);
  await ann.page.getByRole("button", { name: /To the latest/ }).waitFor();
  const before = await place(ann);
  const bob = await stage.user("bob");
  await ann.person("bob").click();
  await ann.choose(/^Write to bob alone/);
  await ann.page.getByRole("textbox", { name: "Message to bob", exact: true }).waitFor();
  await ann.open("lobby");
  await ann.page.getByRole("button", { name: /To the latest|new message/ }).waitFor();
  await eventually(async () => (await place(ann)).text, before.text);
});

scene("a mention elsewhere is found from the list of mentions, and brought into sight", async () => {
  const walter = await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  await walter.say(["only for you"], "ann");
  await ann.conversation("walter").waitFor();
  await walter.say(["ann, look at this", ...Array.from({ length: 120 }, (_, number) => `later ${number}`)]);
  await ann.open("walter");
  await ann.shows("only for you");
  await ann.page.keyboard.press("Alt+m");
  await ann.dialog.getByRole("option", { name: /look at this/ }).click();
  await ann.page.getByRole("textbox", { name: "Message to lobby", exact: true }).waitFor();
  const row = ann.row("ann, look at this");
  await row.waitFor();
  await eventually(() => row.evaluate((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight && document.elementFromPoint(innerWidth / 2, (top + bottom) / 2)?.closest("li") === row;
  }), true, "it is in sight");
});
