// Drafts, and what of a text may be kept at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CHARACTERS, DRAFTS, Drafts, keepable } from "../../page/drafts.js";
import { LINES, Recall } from "../../page/recall.js";
import { secretFrom } from "../../page/veil.js";

/** A storage as a browser has it, as far as the page uses it. */
function storage(kept = {}) {
  const map = new Map(Object.entries(kept));
  return { map, getItem: (key) => map.get(key) ?? null, setItem: (key, value) => map.set(key, String(value)) };
}

test("a draft outlives a reload, and belongs to its conversation", () => {
  const store = storage();
  const drafts = new Drafts(() => store);
  drafts.belongTo("ann");
  drafts.set("#Lab", "half a");
  drafts.set("@bob", "hi");
  drafts.set("@bob", "");
  const again = new Drafts(() => store);
  again.belongTo("Ann");
  assert.equal(again.get("#lab"), "half a");
  assert.equal(again.get("@bob"), "");
  assert.equal(again.get("ALL"), "");
});

test("somebody else in the same tab sees no draft, and a new name keeps them", () => {
  const store = storage();
  const drafts = new Drafts(() => store);
  drafts.belongTo("ann");
  drafts.set("ALL", "mine");
  drafts.renamed("annie");
  assert.equal(new Drafts(() => store).get("ALL"), "mine");
  const theirs = new Drafts(() => store);
  assert.equal(theirs.belongTo("eve"), true);
  assert.equal(theirs.belongTo("Eve"), false);
  assert.equal(theirs.get("ALL"), "");
  assert.equal(JSON.stringify([...store.map.values()]).includes("mine"), false);
});

test("drafts have bounds, and the oldest goes first", () => {
  const store = storage();
  const drafts = new Drafts(() => store);
  for (let number = 0; number <= DRAFTS; number += 1) drafts.set(`#r${number}`, "x".repeat(CHARACTERS + 1));
  assert.equal(drafts.get("#r0"), "");
  assert.equal(drafts.get(`#r${DRAFTS}`).length, CHARACTERS);
  assert.equal(drafts.get("#r1").length, CHARACTERS);
});

test("a storage that is forbidden, full or full of something else is no storage", () => {
  const forbidden = new Drafts(() => { throw new Error("SecurityError"); });
  forbidden.set("ALL", "kept in memory");
  assert.equal(forbidden.get("ALL"), "kept in memory");
  const strange = ["", "{", "7", "null", '{"owner": 1, "texts": []}', '{"owner": "a", "texts": [1]}', '{"owner": "a", "texts": [["ALL", 1], [2, "x"]]}', '{"owner": "a", "texts": {}}'];
  for (const text of strange) assert.equal(new Drafts(() => storage({ "chatterbox.drafts": text })).get("ALL"), "", text);
});

test("what is stored may be less than what the page remembers", () => {
  const store = storage();
  const drafts = new Drafts(() => store);
  drafts.belongTo("ann");
  drafts.set("ALL", "/elevate hush", "/elevate ");
  assert.equal(drafts.get("ALL"), "/elevate hush");
  assert.ok(!JSON.stringify([...store.map.values()]).includes("hush"));
  assert.equal(new Drafts(() => store).get("ALL"), "/elevate ");
});

test("nothing from the first secret on is kept, and no argument while the commands are unknown", () => {
  const known = { secret: null, prefix: "/", known: true };
  assert.equal(keepable("/register hush", { ...known, secret: 10 }), "/register ");
  assert.equal(keepable("/kick bob", known), "/kick bob");
  assert.equal(keepable("hello", known), "hello");
  const unknown = { secret: null, prefix: "!", known: false };
  for (const text of ["/register hush", "  /register hush", "!register hush", "see\n /register hush", "/register hush\nhush", "@bob /register hush", " #lab !reg hush", "hi\n@bob  /p hush"]) {
    assert.equal(keepable(text, unknown).includes("hush"), false, text);
  }
  assert.equal(keepable("@bob /register hush", unknown), "@bob /register ");
  for (const text of ["hello /register", "@bob hello /x", "# a heading", "@/x y"]) assert.equal(keepable(text, unknown), text);
});

test("the arrow keys bring back what was sent, and leave a text of one's own alone", () => {
  const recall = new Recall();
  assert.equal(recall.key("up", ""), null);
  for (const line of ["one", "two", "two", " ", ""]) recall.push(line);
  assert.equal(recall.key("up", "typing"), null);
  assert.equal(recall.key("up", ""), "two");
  assert.equal(recall.key("up", "two"), "one");
  assert.equal(recall.key("up", "one"), null);
  assert.equal(recall.key("down", "one"), "two");
  assert.equal(recall.key("down", "two"), "");
  assert.equal(recall.key("down", ""), null);
  assert.equal(recall.key("up", ""), "two");
  assert.equal(recall.key("up", "two, changed"), null, "a changed line is one's own");
});

test("whoever types next has no lines to bring back", () => {
  const recall = new Recall();
  recall.push("one");
  recall.push("two");
  recall.key("up", "");
  recall.clear();
  assert.equal(recall.key("up", ""), null);
  assert.equal(recall.key("down", "two"), null);
});

test("so many lines are kept, and none that is longer than all of them may be", () => {
  const recall = new Recall();
  recall.push("x".repeat(200_000));
  assert.equal(recall.key("up", ""), null);
  for (let number = 0; number < LINES + 5; number += 1) recall.push(`line ${number}`);
  let text = "";
  let count = 0;
  for (let line = recall.key("up", text); line !== null; line = recall.key("up", text)) {
    text = line;
    count += 1;
  }
  assert.equal(count, LINES);
  assert.equal(text, "line 5");
});

test("a secret is found wherever in a text its command stands", () => {
  const register = {
    name: "register", aliases: ["p"], help: "", example: "", level: 0, confirm: false, demo: false,
    arguments: [{ name: "password", type: "secret", optional: true, rest: false, help: "", values: [] }],
  };
  const view = { commands: [register], prefix: "/", people: [], conversations: [] };
  const secretOf = (text) => {
    const place = secretFrom(view, text);
    return place === null ? null : text.slice(place);
  };
  assert.equal(secretOf("/register hush"), "hush");
  assert.equal(secretOf("/REGISTER  hush"), "hush");
  assert.equal(secretOf("/p hush"), "hush");
  assert.equal(secretOf("  /register hush"), "hush");
  assert.equal(secretOf("hello\n /register hush"), "hush");
  assert.equal(secretOf(`/register ${"h".repeat(50_000)}`)?.length, 50_000);
  assert.equal(secretOf("say /register hush"), null);
  assert.equal(secretOf("hello"), null);
});
