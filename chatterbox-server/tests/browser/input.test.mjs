/** What is typed, and what opens above the chat: the input, menus, forms, questions, and what the user is told. */

import assert from "node:assert/strict";

import { accessible, until } from "./harness/browser.mjs";
import { Chat, eventually } from "./harness/chat.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const stage = scenes({ accounts: [{ name: "prof", password: "correct horse", level: 4 }] });
const prof = { login: { password: "correct horse" } };

/** Everything that a page keeps, as one text. */
const kept = (page) => page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]));

/** Room for several scenes: those that make one have another name each. */
async function room(chat, name) {
  await chat.command(`/create-room ${name}`);
  await chat.conversation(name).waitFor();
  await chat.open(name);
}

scene("what is typed stays with its conversation, and outlives a reload", async () => {
  const bob = await stage.user("bob");
  const ann = await stage.user("ann");
  await bob.say("@ann hello");
  await ann.conversation("bob").waitFor();
  await ann.input.fill("half a sent");
  await ann.open("bob");
  await eventually(() => ann.input.inputValue(), "");
  await ann.input.fill("to bob");
  await ann.open("lobby");
  await eventually(() => ann.input.inputValue(), "half a sent");
  await ann.page.reload();
  await ann.enter("ann");
  await eventually(() => ann.input.inputValue(), "half a sent");
  await ann.input.fill("");
});

scene("a secret that is typed is kept nowhere, and said to nobody", async () => {
  const bob = await stage.user("bob");
  const zoe = await stage.user("zoe");
  // Behind a blank, or on a second line, it is no command, and is not said either.
  for (const text of [" /register hush-hush-9", "see\n/register hush-hush-9"]) {
    await zoe.command(text);
    await zoe.shows(/Nothing was sent/);
    // It is given back to whoever has typed it, and is no draft nevertheless.
    await eventually(() => zoe.input.inputValue(), text);
    assert.ok(!(await kept(zoe.page)).includes("hush"), text);
    await zoe.input.fill("");
  }
  // Nor is what only may be one: a command that nobody has, or behind an address.
  for (const text of ["/regsiter hush-hush-9", "@bob /register hush-hush-9", "/elevate hush-hush-9"]) {
    await zoe.input.fill(text);
    assert.ok(!(await kept(zoe.page)).includes("hush"), text);
    await zoe.input.fill("");
  }
  await zoe.input.pressSequentially("/register hush-hush-9");
  // It is covered while it is typed, and only what stands before it is a draft.
  assert.equal(await zoe.input.evaluate((element) => getComputedStyle(element).webkitTextSecurity), "disc");
  assert.ok((await kept(zoe.page)).includes("/register "));
  assert.ok(!(await kept(zoe.page)).includes("hush"));
  await accessible(zoe.page, "a secret is typed");
  await zoe.page.getByRole("button", { name: "Send" }).click();
  await zoe.shows(/is your name now/);
  await zoe.input.press("ArrowUp");
  await eventually(() => zoe.input.inputValue(), "/register");
  await zoe.input.fill("");
  await zoe.say("that is all");
  await bob.shows("that is all");
  assert.ok(!(await bob.page.content()).includes("hush"));
  assert.ok(!(await zoe.page.content()).includes("hush"));
});

scene("the form of a command says what it is about, and sends each argument", async () => {
  const operator = await stage.user("prof", prof);
  const ann = await stage.user("ann");
  await room(operator, "#forms");
  await ann.command("/join #forms");
  await operator.person("ann").click({ button: "right" });
  await operator.choose(/^mute/);
  await operator.dialog.waitFor();
  await accessible(operator.page, "the form of mute");
  // The room in front is proposed, and may be left out; the first field has the focus.
  await eventually(() => operator.page.evaluate(() => document.activeElement?.labels?.[0]?.textContent), "duration (may be left out)");
  assert.equal(await operator.dialog.getByLabel(/^room/).inputValue(), "#forms");
  await operator.page.keyboard.type("10m");
  await operator.dialog.getByLabel(/^reason/).fill("too loud");
  await operator.dialog.getByRole("button", { name: "mute" }).click();
  await operator.dialog.waitFor({ state: "detached" });
  await ann.page.getByText("too loud").first().waitFor();
  await ann.open("#forms");
  await ann.say("am I?");
  await ann.page.getByText(/muted/).first().waitFor();
  await operator.person("ann").click({ button: "right" });
  await operator.choose(/^unmute/);
  await operator.dialog.getByRole("button", { name: "unmute" }).click();
  // Until the server has done it, it refuses what ann says.
  await operator.page.getByText(/ann may write again/).first().waitFor();
  await ann.say("not any more");
  await operator.shows("not any more");
});

scene("of what can't be undone the server asks, and the page does not ask as well", async () => {
  const operator = await stage.user("prof", prof);
  await room(operator, "#doomed");
  await operator.conversation("#doomed").click({ button: "right" });
  await operator.choose(/^delete-room/);
  await operator.dialog.getByText("Type #doomed once more").waitFor();
  await accessible(operator.page, "what can't be undone");
  await operator.page.keyboard.press("Escape");
  await operator.dialog.waitFor({ state: "detached" });
  assert.equal(await operator.conversation("#doomed").count(), 1);
  await operator.conversation("#doomed").click({ button: "right" });
  await operator.choose(/^delete-room/);
  await operator.dialog.getByText("Type #doomed once more").waitFor();
  await operator.page.keyboard.type("#doomed");
  await operator.page.keyboard.press("Enter");
  await operator.dialog.waitFor({ state: "detached" });
  await operator.shows(/#doomed is deleted|deleted/);
});

scene("search and the list of mentions go to the message, also in another conversation", async () => {
  const operator = await stage.user("prof", prof);
  const ann = await stage.user("ann");
  await room(operator, "#shelf");
  await ann.command("/join #shelf");
  await ann.open("#shelf");
  await ann.say("prof: the oscilloscope is on the second shelf");
  await operator.shows("second shelf");
  await operator.open("lobby");
  const focused = () => operator.page.evaluate(() => document.activeElement?.textContent ?? "");
  await operator.page.keyboard.press("Alt+m");
  await operator.dialog.getByRole("option", { name: /oscilloscope/ }).first().waitFor();
  await accessible(operator.page, "mentions");
  await operator.page.keyboard.press("Enter");
  await operator.page.getByRole("textbox", { name: "Message to #shelf", exact: true }).waitFor();
  await until(operator.page, () => document.activeElement?.textContent?.includes("oscilloscope"));
  await operator.open("lobby");
  await operator.page.keyboard.press("Alt+f");
  await operator.page.keyboard.type("SECOND oscill");
  await operator.dialog.getByText("Nothing that is loaded has these words.").waitFor();
  await operator.dialog.getByRole("checkbox").check();
  await operator.dialog.getByRole("option", { name: /oscilloscope/ }).first().click();
  await until(operator.page, () => document.activeElement?.textContent?.includes("oscilloscope"));
  assert.match(await focused(), /second shelf/);
});

scene("a long press opens the menu of a message, and what is chosen there is done", async () => {
  const bob = await stage.user("bob");
  const phone = { context: { viewport: { width: 400, height: 800 }, hasTouch: true, isMobile: true } };
  const ann = await stage.user("ann", phone);
  await bob.say("press me");
  await ann.shows("press me");
  const session = await ann.page.context().newCDPSession(ann.page);
  const box = await ann.row("press me").boundingBox();
  const point = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [point] });
  await ann.menu.waitFor();
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await accessible(ann.page, "a menu on a phone");
  // The finger that is lifted above the menu chooses nothing.
  assert.equal(await ann.menu.count(), 1);
  await ann.choose(/^Quote it/);
  await eventually(() => ann.input.inputValue(), "> press me\n");
});

scene("screen readers are told what comes, and where one is", async () => {
  const bob = await stage.user("bob");
  const ann = await stage.user("ann");
  await ann.page.evaluate(() => {
    window.said = [];
    const region = document.querySelector("[role=status][aria-atomic=true]");
    new MutationObserver(() => window.said.push(region.textContent)).observe(region, { childList: true, subtree: true, characterData: true });
  });
  const said = () => ann.page.evaluate(() => window.said.join("; "));
  await bob.say("can you hear me?");
  await eventually(async () => (await said()).includes("bob: can you hear me?"), true);
  for (let number = 0; number < 5; number += 1) await bob.say(`quick ${number}`);
  await bob.say("@ann psst");
  await ann.conversation("bob").waitFor();
  await eventually(async () => /new messages|psst/.test(await said()), true);
  await ann.open("bob");
  await eventually(async () => (await said()).includes("Conversation with bob"), true);
  // The timeline is no live region: whole pages of it would be read again.
  assert.equal(await ann.page.locator("[aria-live]").filter({ has: ann.page.getByRole("listitem") }).count(), 0);
});

scene("nobody is asked for notifications before a click about them", async () => {
  const bob = await stage.user("bob");
  const page = await stage.browser.page();
  await page.addInitScript(() => {
    window.asked = 0;
    window.shown = [];
    const state = { permission: "default" };
    window.Notification = class {
      static get permission() { return state.permission; }
      static async requestPermission() {
        window.asked += 1;
        state.permission = "granted";
        return "granted";
      }
      constructor(title, { body }) { window.shown.push([title, body]); }
      close() {}
    };
    // A page of this kind of browser is never hidden.
    window.hide = (hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  const ann = await new Chat(page).join(stage.server.url, "ann");
  await page.evaluate(() => window.hide(true));
  await bob.say("ann, look here");
  await eventually(() => page.title(), "(1!) lobby – Chatterbox");
  await page.evaluate(() => window.hide(false));
  const hint = page.getByRole("region", { name: "Notifications" });
  await hint.waitFor();
  await accessible(page, "the hint");
  assert.deepEqual(await page.evaluate(() => [window.asked, window.shown]), [0, []]);
  await hint.getByRole("button", { name: "Tell me" }).click();
  await hint.waitFor({ state: "detached" });
  await eventually(() => page.evaluate(() => window.asked), 1);
  await page.evaluate(() => window.hide(true));
  await bob.say("ann, once more");
  await eventually(() => page.evaluate(() => window.shown), [["bob names you in the lobby", ""]]);
  await page.evaluate(() => window.hide(false));
  await ann.say("yes");
});
