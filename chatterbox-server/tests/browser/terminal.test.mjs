/** The page and the terminal client in one chat. */

import assert from "node:assert/strict";

import { scene, scenes } from "./harness/scenario.mjs";
import { Terminal } from "./harness/server.mjs";

const stage = scenes();

scene("a page and the terminal client talk", async (t) => {
  const ann = await stage.user("ann");
  const cyd = await Terminal.join(stage.server, "cyd");
  t.after(() => cyd.end());
  await ann.person("cyd").waitFor();
  await ann.say("hello from the page");
  await cyd.shows("ann: hello from the page");
  cyd.types("hello from the terminal");
  await ann.shows("hello from the terminal");
  cyd.types("@ann for you alone");
  await ann.conversation("cyd").waitFor();
  await ann.open("cyd");
  await ann.shows("for you alone");
  await ann.say("thank you");
  await cyd.shows("thank you");
  await cyd.end();
  await ann.person("cyd").or(ann.page.getByText("cyd is not here.")).first().waitFor();
  assert.equal(await ann.rows("thank you").count(), 1);
});
