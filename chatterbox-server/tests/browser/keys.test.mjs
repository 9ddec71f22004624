/** The page without a mouse. */

import assert from "node:assert/strict";

import { accessible } from "./harness/browser.mjs";
import { Chat, eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const stage = scenes();

/** What has the focus, in words. */
const focus = (page) => page.evaluate(() => {
  const element = document.activeElement;
  return element?.getAttribute("aria-label") ?? element?.textContent?.trim() ?? "";
});

scene("join, talk, look around and write to somebody, with keys alone", async () => {
  const bob = await stage.user("bob");
  const page = await stage.browser.page();
  await page.goto(stage.server.url);
  const ann = new Chat(page);
  await ann.name.waitFor();
  await eventually(() => page.evaluate(() => document.activeElement?.id), "username");
  await page.keyboard.type("ann");
  await page.keyboard.press("Enter");
  await ann.input.waitFor();
  // The input has the focus by itself, or one key gives it.
  await page.keyboard.press("Alt+i");
  await page.keyboard.type("hello");
  await page.keyboard.press("Enter");
  await bob.shows("hello");

  await page.keyboard.press("Control+k");
  await ann.dialog.waitFor();
  await page.keyboard.type("bo");
  await ann.dialog.getByRole("option", { name: /bob/ }).first().waitFor();
  await accessible(page, "go to");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Message to bob", exact: true }).waitFor();
  await page.keyboard.press("Alt+i");
  await page.keyboard.type("to you alone");
  await page.keyboard.press("Enter");
  await bob.conversation("ann").waitFor();
  await page.keyboard.press("Alt+ArrowUp");
  await page.getByRole("textbox", { name: "Message to lobby", exact: true }).waitFor();
  await page.keyboard.press("Alt+ArrowDown");
  await page.getByRole("textbox", { name: "Message to bob", exact: true }).waitFor();
  await page.keyboard.press("Alt+ArrowUp");
  await page.getByRole("textbox", { name: "Message to lobby", exact: true }).waitFor();

  // Out of the input, into the timeline, along its rows, and to the menu of one.
  await page.keyboard.press("Escape");
  await ann.row("hello").focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await eventually(async () => (await focus(page)).includes("hello"), true);
  await page.keyboard.press("Shift+F10");
  await ann.menu.waitFor();
  await accessible(page, "the menu of a message");
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  await page.keyboard.press("Escape");
  await ann.menu.waitFor({ state: "detached" });
  await eventually(async () => (await focus(page)).includes("hello"), true, "the focus is where it was");
});

scene("the palette, the settings and the list of keys", async () => {
  const ann = await stage.user("ann");
  const { page } = ann;
  await page.keyboard.press("Control+/");
  await ann.dialog.waitFor();
  await accessible(page, "the palette");
  await page.keyboard.type("settings");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Settings" }).waitFor();
  await accessible(page, "the settings");
  await page.keyboard.press("Escape");
  await ann.dialog.waitFor({ state: "detached" });
  // Where nothing is typed, `?` lists the keys.
  await ann.input.focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.waitFor();
  await help.getByText("Go to a conversation or a person").waitFor();
  await accessible(page, "the keys");
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });
  await page.keyboard.press("Alt+f");
  await page.getByRole("dialog", { name: "Search" }).waitFor();
  await accessible(page, "search");
  await page.keyboard.press("Escape");
  await ann.dialog.waitFor({ state: "detached" });
});

scene("Tab leaves nothing out and never gets stuck", async () => {
  const ann = await stage.user("ann");
  const { page } = ann;
  await ann.input.focus();
  const seen = [];
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return "(page)";
      const style = getComputedStyle(element);
      const visible = element.getBoundingClientRect().width > 0;
      const ring = style.outlineStyle !== "none" || style.boxShadow !== "none" || element.matches("textarea, input");
      return `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 30)}${visible ? "" : " INVISIBLE"}${ring ? "" : " NO RING"}`;
    }));
  }
  for (const what of ["BUTTON Settings", "BUTTON Search", "TEXTAREA Message to lobby"]) {
    assert.ok(seen.some((one) => one.startsWith(what)), `${what} in ${seen.join("; ")}`);
  }
  assert.deepEqual(seen.filter((one) => /INVISIBLE|NO RING/.test(one)), []);
});
