/** What the page looks like: widths, themes, pictures of them, and accessibility in each. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { accessible } from "./harness/browser.mjs";
import { Chat, eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const stage = scenes({
  settings: ["--no-limits", "--server-name", "Lab 7"],
  accounts: [{ name: "prof", password: "correct horse", level: 4 }],
});

const pictures = process.env.CHATTERBOX_SCREENSHOTS;
if (pictures) mkdirSync(pictures, { recursive: true });
const picture = async (page, name) => {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
};

const wide = { width: 1280, height: 800 };
const narrow = { width: 400, height: 800 };

/** A chat in which there is something to see. */
async function fill() {
  const bob = await stage.speaker("bob");
  await bob.say(["Has anybody got exercise 3b? See https://example.org/notes", "I get 17 where the sheet says 18.", "one\ntwo\nthree"]);
  const cyd = await stage.speaker("cyd");
  await cyd.say(["You count the length twice, bob.", "数据 🙂 שלום", `a long one: ${"words and more words ".repeat(15)}`]);
  return [bob, cyd];
}

for (const [device, viewport] of [["1280", wide], ["400", narrow]]) {
  for (const colorScheme of ["light", "dark"]) {
    scene(`${device} pixels, ${colorScheme}`, async () => {
      const context = { viewport, colorScheme, ...(device === "400" ? { hasTouch: true, isMobile: true } : {}) };
      const page = await stage.browser.page({ context });
      const name = (what) => `${device}-${colorScheme}-${what}`;
      await page.goto(stage.server.url);
      const chat = new Chat(page);
      await chat.name.waitFor();
      await picture(page, name("login"));
      await accessible(page, name("login"));
      await chat.login("prof", { password: "wrong" });
      await chat.alert.filter({ hasText: "wrong" }).waitFor();
      await picture(page, name("refused"));
      await accessible(page, name("refused"));
      await chat.login("prof", { password: "correct horse" });
      await chat.input.waitFor();
      const others = await fill();
      await others[1].say(["prof, can you look at this?"], "ALL");
      await others[0].say(["and this is for you alone"], "prof");
      await chat.shows("prof, can you look");
      await chat.input.fill("half typed");
      await noSideways(page);
      await picture(page, name("chat"));
      await accessible(page, name("chat"));
      await chat.input.fill("");
      await chat.input.pressSequentially("/ki");
      await chat.completions.waitFor();
      await picture(page, name("completion"));
      await accessible(page, name("completion"));
      await chat.input.fill("");
      if (device === "400") {
        assert.equal(await chat.nav.isVisible(), false);
        await page.getByRole("button", { name: /^Conversations/ }).click();
        await chat.dialog.waitFor();
        await picture(page, name("conversations"));
        await accessible(page, name("conversations"));
        await chat.dialog.getByRole("button", { name: /^bob/ }).click();
        await chat.dialog.waitFor({ state: "detached" });
        await chat.shows("for you alone");
        await page.getByRole("button", { name: /^Conversations/ }).click();
        await chat.dialog.getByRole("button", { name: /^lobby/ }).click();
        await chat.dialog.waitFor({ state: "detached" });
        await page.getByRole("button", { name: /^People/ }).click();
        await chat.dialog.waitFor();
        await picture(page, name("people"));
        await accessible(page, name("people"));
        await chat.dialog.getByRole("button", { name: /^bob/ }).click();
      } else {
        await chat.person("bob").click();
      }
      await chat.menu.waitFor();
      await picture(page, name("menu"));
      await accessible(page, name("menu"));
      await chat.choose(/^kick\b/);
      await chat.dialog.getByRole("button", { name: "kick" }).waitFor();
      await picture(page, name("form"));
      await accessible(page, name("form"));
      await chat.dialog.getByRole("button", { name: "Cancel" }).click();
      if (device === "400") await closeAll(page);
      await chat.dialog.waitFor({ state: "detached" });
      if (device === "1280") {
        for (const [keys, what] of [["Control+/", "palette"], ["Control+k", "go-to"], ["Alt+f", "search"]]) {
          await page.keyboard.press(keys);
          await chat.dialog.waitFor();
          await picture(page, name(what));
          await accessible(page, name(what));
          await page.keyboard.press("Escape");
          await chat.dialog.waitFor({ state: "detached" });
        }
        await page.getByRole("button", { name: "Settings" }).click();
        await chat.dialog.waitFor();
        await picture(page, name("settings"));
        await accessible(page, name("settings"));
        await page.keyboard.press("Escape");
        await chat.dialog.waitFor({ state: "detached" });
        await chat.row("prof, can you look").focus();
        await page.keyboard.press("?");
        await chat.dialog.waitFor();
        await picture(page, name("keys"));
        await accessible(page, name("keys"));
        await page.keyboard.press("Escape");
      }
    });
  }
}

/** Chooses in the dialog of the settings. */
async function set(chat, setting, choice) {
  const group = chat.dialog.getByRole("group", { name: setting });
  await group.getByRole("radio", { name: choice }).check();
}

async function closeAll(page) {
  for (let dialogs = await page.getByRole("dialog").count(); dialogs > 0; dialogs -= 1) await page.keyboard.press("Escape");
}

async function noSideways(page) {
  const { width, scrolled } = await page.evaluate(() => ({ width: innerWidth, scrolled: document.documentElement.scrollWidth }));
  assert.ok(scrolled <= width, `the page is ${scrolled} wide in a window of ${width}`);
}

scene("what is touched on a phone is large enough for a finger", async () => {
  const page = await stage.browser.page({ context: { viewport: narrow, hasTouch: true, isMobile: true } });
  const chat = await new Chat(page).join(stage.server.url, "ann");
  const small = () => page.evaluate(() => [...document.querySelectorAll("button, input, textarea, select")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .map((one) => ({ name: one.getAttribute("aria-label") ?? one.textContent, box: (one.closest("label") ?? one).getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && (box.width < 43.5 || box.height < 43.5))
    .map(({ name, box }) => `${name}: ${box.width} x ${box.height}`));
  assert.deepEqual(await small(), []);
  await page.getByRole("button", { name: /^Conversations/ }).click();
  await chat.dialog.waitFor();
  assert.deepEqual(await small(), []);
});

scene("400 percent: everything is in one column, and nothing is cut off", async () => {
  const page = await stage.browser.page({ context: { viewport: { width: 320, height: 256 } } });
  await page.goto(stage.server.url);
  const chat = new Chat(page);
  await chat.name.waitFor();
  await noSideways(page);
  await chat.login("ann");
  await chat.input.waitFor();
  await noSideways(page);
  const { name } = await stage.speaker("a-name-of-as-many-letters-as-can");
  await chat.command(`/room @${name}`);
  await page.getByRole("textbox", { name: `Message to ${name}` }).waitFor();
  // What is said of a conversation that is empty is more than has a place here, and no row is there to have the focus.
  await page.evaluate(() => (document.documentElement.dataset.size = "huge"));
  await chat.input.fill("one\ntwo\nthree");
  await eventually(() => page.evaluate(() => [...document.querySelectorAll(".scroller")].some((box) => box.scrollHeight > box.clientHeight + 20)), true);
  await accessible(page, "320, an empty conversation");
  await page.evaluate(() => (document.documentElement.dataset.size = "normal"));
  await chat.say("hello");
  await chat.shows("hello");
  await picture(page, "320-light-chat");
  await accessible(page, "320");
});

scene("a theme is chosen in the settings, and stays", async () => {
  const page = await stage.browser.page({ context: { viewport: wide, colorScheme: "light" } });
  const chat = await new Chat(page).join(stage.server.url, "ann");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  for (const theme of ["Dark", "High contrast"]) {
    await page.getByRole("button", { name: "Settings" }).click();
    await set(chat, "Theme", theme);
    await eventually(async () => (await background()) !== light || theme === "High contrast", true);
    await page.keyboard.press("Escape");
    await chat.dialog.waitFor({ state: "detached" });
    await picture(page, `1280-${theme.toLowerCase().replace(" ", "-")}-chosen`);
    await accessible(page, theme);
  }
  const chosen = await background();
  await page.reload();
  await chat.name.waitFor();
  assert.equal(await background(), chosen);
});

scene("letters, times and density as one likes them", async () => {
  const chat = await stage.user("ann");
  const { page } = chat;
  await chat.say("seen with and without times");
  const row = chat.row("seen with and without times");
  await row.waitFor();
  const height = async () => (await row.boundingBox()).height;
  const before = await height();
  await page.getByRole("button", { name: "Settings" }).click();
  await set(chat, "Font size", "Very large");
  await eventually(async () => (await height()) > before, true);
  await noSideways(page);
  await accessible(page, "very large");
  await set(chat, "Times", "12 hours");
  await page.keyboard.press("Escape");
  await eventually(async () => /\d\d? ?[AP]M/.test(await row.innerText()), true);
  // One way everywhere.
  const [time] = /\d+:\d\d.[AP]M/.exec(await row.innerText());
  await page.keyboard.press("Alt+f");
  await page.keyboard.type("with and without");
  await chat.dialog.getByRole("option", { name: time }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Settings" }).click();
  await set(chat, "Times", "Off");
  await page.keyboard.press("Escape");
  await eventually(async () => /\d\d:\d\d/.test(await row.innerText()), false);
});
