/** Coming in: names, passwords, refusals, and staying logged in. */

import assert from "node:assert/strict";

import { accessible } from "./harness/browser.mjs";
import { Chat, eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const stage = scenes({
  settings: ["--server-name", "Lab 7", "--banner", "Be kind."],
  accounts: [{ name: "prof", password: "correct horse", level: 3 }],
});

scene("the login page is there, says where it is, and has the focus in the name", async () => {
  const page = await stage.browser.page();
  const answer = await page.goto(stage.server.url);
  assert.match(answer.headers()["content-security-policy"], /default-src 'none'.*require-trusted-types-for 'script'/);
  const chat = new Chat(page);
  await chat.name.waitFor();
  await eventually(() => page.evaluate(() => document.activeElement?.id), "username");
  assert.equal(await chat.stay.isChecked(), false);
  await accessible(page, "login");
});

scene("a page of which a part does not come says so, and is there after a reload", async () => {
  const page = await stage.browser.page({ expected: [/ERR_FAILED/] });
  await page.route("**/state/typed.js", (route) => route.abort());
  await page.goto(stage.server.url);
  const loading = page.getByText("This page is loading.");
  await loading.waitFor();
  await page.unroute("**/state/typed.js");
  await page.reload();
  const chat = new Chat(page);
  await chat.name.waitFor();
  assert.equal(await loading.count(), 0);
});

scene("who joins next in the same tab sees nothing of what was typed or sent before", async () => {
  const next = async (chat, name) => {
    await chat.enter(name);
    await chat.person(name).waitFor();
    assert.equal(await chat.input.inputValue(), "", "no draft");
    await chat.input.press("ArrowUp");
    assert.equal(await chat.input.inputValue(), "", "no line that was sent");
  };
  const chat = await stage.user("ivy");
  await chat.say("sent by ivy");
  await chat.shows("sent by ivy");
  await chat.input.fill("my secret plan");
  await chat.page.getByRole("button", { name: "Leave the chat" }).click();
  await next(chat, "jon");
  await chat.input.fill("another plan");
  await chat.page.reload();
  await next(chat, "kim");
});

scene("a guest joins with a name alone", async () => {
  const chat = await stage.user("ann");
  await chat.person("ann").waitFor();
  await accessible(chat.page, "in the chat");
});

scene("a name that is taken is refused, and another one is taken on the same page", async () => {
  const taken = await stage.user("cyd");
  const page = await stage.browser.page();
  await page.goto(stage.server.url);
  const chat = new Chat(page);
  await chat.login("cyd");
  await chat.alert.filter({ hasText: "taken" }).waitFor();
  await accessible(page, "refused");
  // The name is there to be written over.
  await eventually(() => page.evaluate(() => document.activeElement?.id), "username");
  await chat.login("dan");
  await chat.input.waitFor();
  await taken.person("dan").waitFor();
});

scene("what can be no name is refused", async () => {
  const page = await stage.browser.page();
  await page.goto(stage.server.url);
  const chat = new Chat(page);
  await chat.login("ALL");
  await chat.alert.filter({ hasText: /name/i }).waitFor();
});

scene("a registered name asks for its password, and a wrong one is refused", async () => {
  const page = await stage.browser.page();
  await page.goto(stage.server.url);
  const chat = new Chat(page);
  await chat.login("prof");
  await chat.alert.filter({ hasText: "registered" }).waitFor();
  await eventually(() => page.evaluate(() => document.activeElement?.id), "password");
  await chat.login("prof", { password: "wrong" });
  await chat.alert.filter({ hasText: "wrong" }).waitFor();
  assert.equal(await chat.password.inputValue(), "", "the password is forgotten");
  await accessible(page, "wrong password");
  await chat.login("prof", { password: "correct horse" });
  await chat.input.waitFor();
  // Nothing of the password is left in the page, and without "stay logged in" nothing is kept.
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes("correct horse"), kept);
  assert.doesNotMatch(kept, /token/i);
});

scene("who stays logged in is in again after a reload, without a password", async () => {
  const page = await stage.browser.page();
  const chat = await new Chat(page).join(stage.server.url, "prof", { password: "correct horse", stay: true });
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.ok(!kept.includes("correct horse"), kept);
  await page.reload();
  await chat.input.waitFor();
  await chat.person("prof").waitFor();
  // Another page of this browser is somebody else's business; another browser knows nothing.
  const stranger = new Chat(await stage.browser.page());
  await stranger.page.goto(stage.server.url);
  await stranger.name.waitFor();
  assert.equal(await stranger.name.inputValue(), "");
});

scene("who leaves can come back without a password as long as the login is kept, and logging out ends it", async () => {
  const page = await stage.browser.page();
  const chat = await new Chat(page).join(stage.server.url, "prof", { password: "correct horse", stay: true });
  await page.getByRole("button", { name: "Leave the chat" }).click();
  await chat.name.waitFor();
  assert.deepEqual([await chat.name.inputValue(), await chat.stay.isChecked()], ["prof", true]);
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await chat.input.waitFor();
  await page.getByRole("button", { name: "Menu of prof, which is you" }).click();
  assert.equal(await chat.menu.getByRole("menuitem", { name: /^Register/ }).count(), 0);
  await chat.menu.getByRole("menuitem", { name: /^Change the password/ }).waitFor();
  await accessible(page, "the own menu");
  await chat.choose(/^Log out/);
  await chat.name.waitFor();
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage })), /token/i);
  await page.reload();
  await chat.name.waitFor();
  assert.deepEqual([await chat.name.inputValue(), await chat.stay.isChecked()], ["", false]);
});

scene("a guest registers from the own menu, and is told when a kept login is nobody's any more", async () => {
  const chat = await stage.user("gus");
  const { page } = chat;
  await page.getByRole("button", { name: "Menu of gus, which is you" }).click();
  assert.equal(await chat.menu.getByRole("menuitem", { name: /^Log out/ }).count(), 0);
  await chat.choose(/^Register this name/);
  await chat.dialog.filter({ hasText: "The server asks" }).waitFor();
  await chat.dialog.getByRole("button", { name: "Cancel" }).click();
  await page.evaluate(() => localStorage.setItem("chatterbox.login", JSON.stringify({ name: "gus", token: "none" })));
  await page.reload();
  await chat.shows(/not known here any more: you are a guest/);
});

scene("who does not stay logged in is asked again after a reload", async () => {
  const page = await stage.browser.page();
  const chat = await new Chat(page).join(stage.server.url, "prof", { password: "correct horse" });
  await page.reload();
  await chat.name.waitFor();
  assert.equal(await chat.password.inputValue(), "");
});
