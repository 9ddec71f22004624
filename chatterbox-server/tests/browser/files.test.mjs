/** Files: dropped on the messages or chosen, seen by those who read along, saved as what was sent, and never opened. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { accessible, CUT } from "./harness/browser.mjs";
import { Relay } from "./harness/relay.mjs";
import { scene, scenes } from "./harness/scenario.mjs";

const accounts = ["ann", "bob"].map((name) => ({ name, password: "correct horse", level: 1 }));
const stage = scenes({ settings: ["--web-host", "localhost"], accounts });
const login = { password: "correct horse" };

/** Drops a file on the messages, as a hand would. */
async function drop(chat, name, text) {
  const data = await chat.page.evaluateHandle(([called, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], called));
    return transfer;
  }, [name, text]);
  await chat.page.dispatchEvent("main", "dragover", { dataTransfer: data });
  await chat.page.dispatchEvent("main", "drop", { dataTransfer: data });
}

/** Saves the file of a message; gives its name and what is in it. */
async function saved(chat, name) {
  const waits = chat.page.waitForEvent("download");
  await chat.row(name).getByRole("button", { name: `Save ${name}` }).click();
  const download = await waits;
  return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
}

scene("a file that is dropped reaches those who read along, and is saved as what it was", async () => {
  const ann = await stage.user("ann", { login });
  const bob = await stage.user("bob", { login, downloads: true });
  await drop(ann, "my notes.html", "<script>alert(1)</script>");
  await ann.shows("[file: my notes.html, 25 bytes]");
  await bob.shows("[file: my notes.html, 25 bytes]");
  await accessible(bob.page, "a message with a file");
  assert.deepEqual(await saved(bob, "my notes.html"), ["my notes.html", "<script>alert(1)</script>"]);
  await bob.shows("my notes.html is saved");
  assert.equal(await bob.page.getByRole("progressbar").count(), 0);
});

scene("a file can be chosen as well, and a name that would do harm does none", async () => {
  const ann = await stage.user("ann", { login });
  const bob = await stage.user("bob", { login, downloads: true });
  const chooser = ann.page.waitForEvent("filechooser");
  await ann.page.getByRole("button", { name: "Attach a file" }).click();
  await (await chooser).setFiles({ name: ".hidden\u202etxt", mimeType: "text/plain", buffer: Buffer.from("hello") });
  await bob.shows("hidden_txt");
  assert.deepEqual(await saved(bob, "hidden_txt"), ["hidden_txt", "hello"]);
});

scene("a file goes on after the connection was cut, in both directions", async (t) => {
  const ways = [];
  for (let count = 0; count < 2; count += 1) {
    const way = await Relay.before(stage.server.url);
    stage.others.push(way.url);
    t.after(() => way.end());
    ways.push(way);
  }
  const [annsWay, bobsWay] = ways;
  const ann = await stage.user("ann", { login, url: annsWay.url, expected: [CUT] });
  const bob = await stage.user("bob", { login, url: bobsWay.url, expected: [CUT], downloads: true });
  const text = Array.from({ length: 300_000 }, (_, at) => `line ${at}\n`).join("");
  await drop(ann, "long.txt", text);
  await ann.page.getByRole("progressbar", { name: "long.txt" }).waitFor();
  await accessible(ann.page, "a file on its way");
  annsWay.cut();
  await ann.lost.waitFor();
  annsWay.mend();
  await ann.comesBack();
  await bob.shows("[file: long.txt");
  const waits = bob.page.waitForEvent("download");
  await bob.row("long.txt").getByRole("button", { name: "Save long.txt" }).click();
  bobsWay.cut();
  await bob.lost.waitFor();
  bobsWay.mend();
  await bob.comesBack();
  const path = await (await waits).path();
  assert.ok((await readFile(path, "utf8")) === text, "every byte is there");
});

scene("a guest may send none, and is told so", async () => {
  const guest = await stage.user("gus");
  await drop(guest, "notes.txt", "x");
  await guest.shows("notes.txt was not sent");
});
