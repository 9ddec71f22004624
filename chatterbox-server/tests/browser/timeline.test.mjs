/** The timeline: what is unread, where it begins, and that a reader's place stays where it is. */

import assert from "node:assert/strict";
import { after } from "node:test";

import { accessible, until } from "./harness/browser.mjs";
import { eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";
import { Speaker } from "./harness/speaker.mjs";

const stage = scenes({ settings: ["--no-limits"] });

/**
 * The first row in sight (or the one with this key), and where it is, as it was painted last; with `to`, as it is in the moment when the
 * timeline was scrolled there. `end` is how far the end of the timeline is below.
 */
function place(chat, { to, key } = {}) {
  return chat.log.evaluate(async (list, { to, key }) => {
    let box = list;
    while (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === "visible") box = box.parentElement;
    const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    if (to !== undefined) box.scrollTop = to;
    else await painted();
    const edge = box.getBoundingClientRect().top;
    const rows = [...list.children].filter((one) => one.dataset.key);
    const row = rows.find((one) => (key === undefined ? one.getBoundingClientRect().bottom > edge + 1 : one.dataset.key === key));
    return {
      key: row?.dataset.key, text: row?.textContent, top: row && Math.round(row.getBoundingClientRect().top - edge),
      end: Math.round(box.scrollHeight - box.scrollTop - box.clientHeight),
    };
  }, { to, key });
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
    const before = await place(ann, { to: 0 });
    // The rows above it are there when it is not the first one any more.
    await until(ann.page, (key) => document.querySelector("ol > li[data-key]")?.dataset.key !== key, before.key);
    const after = await place(ann, { key: before.key });
    assert.ok(Math.abs(after.top - before.top) <= 1, `page ${page}, ${before.text.slice(0, 20)}: ${before.top} -> ${after.top}`);
  }
  // What comes meanwhile does not move it either.
  await place(ann, { to: 2000 });
  const reading = await place(ann);
  await walter.say(["news for all"]);
  const news = ann.page.getByRole("button", { name: /1 new message/ });
  await news.waitFor();
  assert.equal((await place(ann, { key: reading.key })).top, reading.top, "news");
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
    await place(ann, { to: 0 });
    await Promise.race([
      until(ann.page, (key) => document.querySelector("ol > li[data-key]")?.dataset.key !== key, key),
      ann.page.getByText(/This is the beginning of/).waitFor(),
    ]);
  }
  const rows = await ann.log.locator("li[data-key]").count();
  assert.ok(rows <= 500, `${rows} rows`);
});

scene("among many messages of one user, name and time are in sight", async () => {
  await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  const far = () => ann.log.evaluate((list) => {
    const rows = [...list.querySelectorAll(":scope > li.message")];
    let most = 0;
    for (let run = 0, at = 0; at < rows.length; at += 1) {
      run = rows[at].classList.contains("head") ? 0 : run + 1;
      most = Math.max(most, run);
    }
    return { rows: rows.length, most };
  });
  const { rows, most } = await far();
  assert.ok(rows > 50 && most < 25, `${rows} rows, ${most} without a head`);
});

scene("reading again where one was: another conversation does not lose the place", async () => {
  await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  await place(ann, { to: 1500 });
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

scene("who leaves and joins again begins at the end, wherever the timeline was", async () => {
  await speaker();
  const ann = await stage.user("ann");
  await hasRow(ann, "number 699");
  await place(ann, { to: 1500 });
  await ann.page.getByRole("button", { name: /To the latest/ }).waitFor();
  await ann.page.getByRole("button", { name: "Leave the chat" }).click();
  await ann.enter("ann");
  await hasRow(ann, "number 699");
  await eventually(async () => (await place(ann)).end <= 1, true, "at the end");
  assert.equal(await ann.page.getByRole("button", { name: /To the latest|new message/ }).count(), 0);
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
