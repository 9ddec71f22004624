/** Talking: everybody, a room, one alone; menus and commands out of the catalogue. */

import assert from "node:assert/strict";

import { accessible } from "./harness/browser.mjs";
import { eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const stage = scenes({ accounts: [{ name: "prof", password: "correct horse", level: 4 }] });
const prof = { login: { password: "correct horse" } };

scene("two pages talk, in order, each message once", async () => {
  const ann = await stage.user("ann");
  const bob = await stage.user("bob");
  await ann.say("hello bob");
  await bob.shows("hello bob");
  await bob.say("hello ann");
  await ann.shows("hello ann");
  for (const chat of [ann, bob]) {
    assert.equal(await chat.rows("hello bob").count(), 1);
    assert.equal(await chat.rows("hello ann").count(), 1);
  }
  // One's own message is marked as stored.
  await ann.row("hello bob").getByText("stored").waitFor({ state: "attached" });
  assert.equal(await ann.input.inputValue(), "");
  await accessible(ann.page, "talking");
});

scene("a text of several lines is one message, and looks like what was typed", async () => {
  const ann = await stage.user("ann");
  await ann.input.fill("one");
  await ann.input.press("Shift+Enter");
  await ann.input.pressSequentially("two <b>bold</b> & \"quoted\"");
  await ann.input.press("Enter");
  const row = ann.row("one");
  await row.waitFor();
  assert.match(await row.innerText(), /one\s*\n\s*two <b>bold<\/b> & "quoted"/);
});

scene("a link is a link, and opens nothing of this page", async () => {
  const ann = await stage.user("ann");
  await ann.say("see https://example.org/notes?a=1&b=2. and javascript:alert(1)");
  const link = ann.row("see https").getByRole("link");
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), "https://example.org/notes?a=1&b=2");
  assert.match(await link.getAttribute("rel"), /noreferrer/);
  assert.equal(await ann.row("see https").getByRole("link").count(), 1);
});

scene("what is said to one alone reaches nobody else", async () => {
  const ann = await stage.user("ann");
  const bob = await stage.user("bob");
  const cyd = await stage.user("cyd");
  await ann.person("bob").click();
  await accessible(ann.page, "the menu of a person");
  await ann.choose(/^Write to bob alone/);
  await ann.page.getByRole("textbox", { name: "Message to bob", exact: true }).waitFor();
  await ann.say("between us");
  await ann.shows("between us");
  await bob.conversation("ann").waitFor();
  assert.match(await bob.conversation("ann").innerText(), /1/);
  await bob.open("ann");
  await bob.shows("between us");
  await bob.say("yes");
  await ann.shows("yes");
  await ann.open("lobby");
  await ann.say("to all");
  await cyd.shows("to all");
  assert.equal(await cyd.rows("between us").count(), 0);
  assert.equal(await cyd.conversation("ann").count(), 0);
  await accessible(bob.page, "a private conversation");
});

scene("a room is made, joined and talked in by commands", async () => {
  const maker = await stage.user("prof", prof);
  const ann = await stage.user("ann");
  await maker.command("/create-room #lab");
  await maker.conversation("#lab").waitFor();
  await maker.open("#lab");
  await ann.command("/join #lab");
  await ann.conversation("#lab").waitFor();
  await ann.open("#lab");
  await ann.say("here we are");
  await maker.shows("here we are");
  await maker.command("/topic #lab exercise 3");
  await ann.page.getByText("exercise 3").first().waitFor();
  await maker.people.getByRole("button", { name: /^ann/ }).waitFor();
  await accessible(maker.page, "a room");
  await ann.open("lobby");
  assert.equal(await ann.rows("here we are").count(), 0);
  await ann.open("#lab");
  await ann.shows("here we are");
});

scene("a room that one is not in is found by its name, and all are listed", async () => {
  const maker = await stage.user("prof", prof);
  await maker.command("/create-room #games");
  await maker.conversation("#games").waitFor();
  const kit = await stage.user("kit");
  const { page } = kit;
  await page.keyboard.press("Control+k");
  await page.keyboard.type("#games");
  await kit.dialog.getByRole("option", { name: /^Join #games/ }).waitFor();
  await accessible(page, "a room to join");
  await kit.dialog.getByRole("option", { name: /^All rooms/ }).click();
  await kit.log.getByRole("cell", { name: "#games" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("games");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Message to #games", exact: true }).waitFor();
  // Who is in is not offered to join.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("#games");
  await kit.dialog.getByRole("option", { name: /games/ }).first().waitFor();
  assert.equal(await kit.dialog.getByRole("option", { name: /^Join/ }).count(), 0);
});

scene("the menu of a person has the commands of the catalogue, and asks for what is missing", async () => {
  const operator = await stage.user("prof", prof);
  const eve = await stage.user("eve");
  await operator.person("eve").click({ button: "right" });
  await operator.menu.waitFor();
  const names = await operator.menu.getByRole("menuitem").allInnerTexts();
  for (const command of ["kick", "mute"]) assert.ok(names.some((name) => name.startsWith(command)), `${command} in ${names}`);
  // A command whose first argument is no user is not in it.
  assert.ok(!names.some((name) => name.startsWith("create-room")), names.join());
  await operator.choose(/^kick/);
  await operator.dialog.waitFor();
  await accessible(operator.page, "a dialog of a command");
  // First not.
  await operator.dialog.getByRole("button", { name: "Cancel" }).click();
  await operator.dialog.waitFor({ state: "detached" });
  assert.equal(await eve.input.isVisible(), true);
  await operator.person("eve").click({ button: "right" });
  await operator.choose(/^kick/);
  await operator.dialog.getByRole("textbox").last().fill("enough");
  await operator.dialog.getByRole("button", { name: "kick" }).click();
  // Why, and when the page comes back by itself.
  await eve.page.getByText("enough").first().waitFor();
  await eve.lost.waitFor();
  await operator.person("eve").waitFor({ state: "detached" });
});

scene("a guest's menu has nothing that a guest may not do", async () => {
  const ann = await stage.user("ann");
  const bob = await stage.user("bob");
  await ann.person("bob").click();
  await ann.menu.waitFor();
  const names = await ann.menu.getByRole("menuitem").allInnerTexts();
  assert.ok(!names.some((name) => /^(kick|ban|mute)/.test(name)), names.join());
  await ann.page.keyboard.press("Escape");
  await ann.menu.waitFor({ state: "detached" });
});

scene("commands and their arguments are completed, with what they mean", async () => {
  const operator = await stage.user("prof", prof);
  const ann = await stage.user("ann");
  await operator.person("ann").waitFor();
  await operator.input.pressSequentially("/ki");
  await operator.completions.waitFor();
  await operator.completions.getByRole("option", { name: /^\/?kick\b/ }).first().waitFor();
  await accessible(operator.page, "completion");
  await operator.input.press("Tab");
  await operator.input.press("Enter").catch(() => {});
  await eventually(async () => /^\/kick/.test(await operator.input.inputValue()), true, "the command is completed");
  await operator.input.fill("");
  await operator.input.pressSequentially("/kick a");
  await operator.completions.getByRole("option", { name: /^ann/ }).waitFor();
  await operator.input.press("Tab");
  await eventually(() => operator.input.inputValue(), "/kick ann ");
  // What the argument at the caret means is shown.
  await operator.page.locator("mark").filter({ hasText: "--silent" }).waitFor();
  await operator.completions.getByRole("option", { name: "--silent" }).waitFor();
  await operator.page.getByText("nobody but the person is told").waitFor();
  await operator.input.fill("");
  // Of several the one that was begun is inserted.
  await operator.input.pressSequentially("/unin");
  await operator.completions.getByRole("option", { name: /uninvite/ }).first().waitFor();
  await operator.input.press("Tab");
  await eventually(() => operator.input.inputValue(), "/uninvite ");
  await operator.input.fill("");
  await operator.input.pressSequentially("/inv");
  await operator.completions.getByRole("option", { name: /invite/ }).first().waitFor();
  await operator.input.press("Tab");
  await eventually(async () => /^\/invit/.test(await operator.input.inputValue()), true);
  await operator.input.fill("");
});

/** The next question is there, with the focus; between two of them there is none. */
async function anotherQuestion(chat, asked) {
  await eventually(async () => {
    const texts = await chat.dialog.allInnerTexts();
    return texts.length === 1 && texts[0] !== asked;
  }, true);
  await eventually(() => chat.page.evaluate(() => document.activeElement?.name), "answer");
}

scene("the server asks, and a secret is not shown", async () => {
  const ann = await stage.user("ann");
  await ann.command("/register");
  await ann.dialog.waitFor();
  const field = ann.dialog.locator("input:not([hidden])");
  assert.equal(await field.getAttribute("type"), "password");
  await accessible(ann.page, "a question");
  for (let question = 1; question <= 2; question += 1) {
    await ann.dialog.locator("input:not([hidden])").fill("battery staple");
    const asked = await ann.dialog.innerText();
    await ann.dialog.getByRole("button", { name: "Answer" }).click();
    if (question === 1) await anotherQuestion(ann, asked);
  }
  await ann.dialog.waitFor({ state: "detached" });
  await ann.shows(/is your name now/);
  assert.ok(!(await ann.page.content()).includes("battery staple"));
});

scene("whoever has joined can type, also after a question, however it ended", async () => {
  const ann = await stage.user("una");
  const { page } = ann;
  const types = async (text) => {
    // Nothing is clicked and nothing is given the focus: it is there.
    await eventually(() => page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
    await page.keyboard.type(text);
    await eventually(() => ann.input.inputValue(), text);
    for (const _ of text) await page.keyboard.press("Backspace");
  };
  await types("after joining?");
  const ask = async () => {
    await page.keyboard.type("/register");
    await page.keyboard.press("Enter");
    await ann.dialog.waitFor();
    await eventually(() => page.evaluate(() => document.activeElement?.name), "answer");
  };
  const answer = async (text, another = false) => {
    const asked = await ann.dialog.innerText();
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    if (another) await anotherQuestion(ann, asked);
  };
  const over = async (what) => {
    await ann.dialog.waitFor({ state: "detached" });
    await types(what);
  };
  await ask();
  await page.keyboard.press("Escape");
  await over("escape");
  await ask();
  await ann.dialog.getByRole("button", { name: "Cancel" }).click();
  await over("cancelled");
  await ask();
  await answer("x");
  await over("too short");
  await ask();
  await answer("battery staple", true);
  await answer("battery stable");
  await over("two different ones");
  await ask();
  await answer("battery staple", true);
  await answer("battery staple");
  await over("registered");
  await ann.shows(/is your name now/);
});
