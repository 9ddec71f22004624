/** Lost connections: what was missed comes once, what was typed stays, and who is not wanted does not come back. */

import assert from "node:assert/strict";

import { accessible, CUT } from "./harness/browser.mjs";
import { Chat, eventually } from "./harness/chat.mjs";
import { Relay } from "./harness/relay.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const stage = scenes({
  settings: ["--web-host", "localhost"],
  accounts: [{ name: "prof", password: "correct horse", level: 4 }],
});
const expected = [CUT];

/** Counts the connections that a page begins, before it is opened. */
async function counted(page) {
  await page.addInitScript(() => {
    window.__dialled = 0;
    const Before = window.WebSocket;
    window.WebSocket = class extends Before {
      constructor(...args) {
        super(...args);
        window.__dialled += 1;
      }
    };
  });
  return () => page.evaluate(() => window.__dialled);
}

async function relay(t) {
  const relay = await Relay.before(stage.server.url);
  stage.others.push(relay.url);
  t.after(() => relay.end());
  return relay;
}

scene("a cut connection: what was missed comes, once, and what was said meanwhile goes out", async (t) => {
  const way = await relay(t);
  const ann = await stage.user("ann", { url: way.url, expected });
  const bob = await stage.user("bob");
  await bob.say("before");
  await ann.shows("before");
  way.cut();
  await ann.lost.waitFor();
  await accessible(ann.page, "the connection is lost");
  await bob.say("missed one");
  await bob.say("missed two");
  // What is said meanwhile waits with the session.
  await ann.say("said while away");
  await ann.shows("said while away");
  way.mend();
  await ann.comesBack();
  await ann.shows("missed two");
  await bob.shows("said while away");
  for (const text of ["before", "missed one", "missed two", "said while away"]) assert.equal(await ann.rows(text).count(), 1, text);
  assert.equal(await bob.rows("said while away").count(), 1);
});

scene("it comes back by itself", async (t) => {
  const way = await relay(t);
  const ann = await stage.user("ann", { url: way.url, expected });
  way.cut();
  await ann.lost.waitFor();
  way.mend();
  await ann.lost.waitFor({ state: "detached" });
  await ann.say("here again");
  await ann.row("here again").getByText("stored").waitFor({ state: "attached" });
});

scene("who does not want to wait for the next try has one at once", async (t) => {
  const way = await relay(t);
  const page = await stage.browser.page({ expected });
  await page.clock.install();
  const dialled = await counted(page);
  const ann = await new Chat(page).join(way.url, "ann");
  way.cut();
  await ann.lost.getByRole("button", { name: "Try now" }).waitFor();
  // The try that is due then fails, and no timer of the page ends any more: whatever is tried from now on is tried because of the click.
  await page.clock.pauseAt(await page.evaluate(() => Date.now() + 60_000));
  const before = await dialled();
  await eventually(async () => {
    // While a try goes on there is nothing to do, so it may take another one.
    await ann.lost.getByRole("button", { name: "Try now" }).dispatchEvent("click");
    return (await dialled()) > before;
  }, true);
  way.mend();
  await page.clock.resume();
  await ann.comesBack();
  await page.close();
});

scene("a message whose acknowledgement got lost is there once", async (t) => {
  const way = await relay(t);
  const ann = await stage.user("ann", { url: way.url, expected });
  const bob = await stage.user("bob");
  await bob.person("ann").waitFor();
  way.hold();
  await ann.say("did it arrive?");
  await bob.shows("did it arrive?");
  way.cut();
  await ann.lost.waitFor();
  way.mend();
  await ann.comesBack();
  await ann.row("did it arrive?").getByText("stored").waitFor({ state: "attached" });
  await ann.say("good");
  await bob.shows("good");
  for (const chat of [ann, bob]) assert.equal(await chat.rows("did it arrive?").count(), 1);
});

scene("a server that was killed and is there again", async () => {
  const ann = await stage.user("ann", { expected });
  const bob = await stage.user("bob", { expected });
  await ann.say("stored before the end");
  await bob.shows("stored before the end");
  await stage.server.stop("SIGKILL");
  try {
    // Whoever has not noticed it yet would not be lost, and would speak to nobody.
    for (const chat of [ann, bob]) await chat.lost.waitFor();
  } finally {
    await stage.server.again();
  }
  for (const chat of [ann, bob]) await chat.comesBack();
  await bob.say("after it");
  await ann.shows("after it");
  for (const text of ["stored before the end", "after it"]) assert.equal(await ann.rows(text).count(), 1, text);
});

scene("a server that is stopped says so, and the page comes back when it is there again", async () => {
  const ann = await stage.user("ann", { expected });
  await ann.person("ann").waitFor();
  await stage.server.stop("SIGTERM");
  try {
    await ann.lost.waitFor();
  } finally {
    await stage.server.again();
  }
  await ann.comesBack();
  await ann.say("back from the stop");
  await ann.row("back from the stop").getByText("stored").waitFor({ state: "attached" });
});

scene("who is banned does not come back by itself, however long it takes", async (t) => {
  const way = await relay(t);
  const page = await stage.browser.page({ expected });
  await page.clock.install();
  const dialled = await counted(page);
  const eve = await new Chat(page).join(way.url, "eve");
  const operator = await stage.user("prof", { login: { password: "correct horse" } });
  await operator.person("eve").waitFor();
  const before = await dialled();
  await operator.command("/ban eve 1h spam");
  // It may ask for more.
  const asked = operator.dialog.getByRole("button", { name: /^(Answer|ban)$/ });
  await Promise.race([asked.waitFor(), eve.alert.filter({ hasText: "spam" }).waitFor()]);
  if (await asked.isVisible()) {
    const field = operator.dialog.getByRole("textbox");
    if (await field.isVisible()) await field.fill("yes");
    await asked.click();
  }
  await eve.alert.filter({ hasText: "spam" }).waitFor();
  await accessible(page, "banned");
  await page.clock.fastForward("02:00:00");
  assert.equal(await dialled(), before, "not tried again");
  assert.equal(await page.getByRole("button", { name: /Try now|Join again/ }).count(), 0);
  await page.close();
});

scene("what is typed is there again after a reload", async () => {
  const ann = await stage.user("ann");
  await ann.input.fill("half a sent");
  await ann.page.reload();
  // The server may still have the one who was here before the reload.
  await ann.enter("ann");
  await eventually(() => ann.input.inputValue(), "half a sent");
});
