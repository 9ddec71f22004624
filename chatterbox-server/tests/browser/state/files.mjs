// Files: sent and fetched piece by piece, on a disk that the test plays (FI-1 to FI-7).

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { Disk } from "../../../page/disk.js";
import { safeName } from "../../../page/state/file-name.js";
import { sizeWords } from "../../../page/state/size.js";
import { World, room } from "./world.mjs";

const DIGEST = "07".repeat(32);
const LAB = room("#lab", 12);

function world(more = {}) {
  return new World().join({ LIMITS: { FILE: 1000, CHUNK: 4 }, ACCOUNT: { LEVEL: 1 }, ROOMS: [LAB], ...more });
}

/** What is to be done with files since the last time. */
function works(one) {
  const all = one.effects.filter((effect) => "file" in effect).map((effect) => effect.file);
  one.effects = [];
  return all;
}

/** With a message that has a file; gives its row. */
function announced(one, file = {}, entry = ["bob", "ALL", 1, "look"]) {
  one.frame({ MESSAGES: [entry], IDS: [30], META: [{ FILE: { FILE: "Qx7", NAME: "a.txt", SIZE: 6, SHA256: DIGEST, UNTIL: 1_700_003_600, ...file } }] });
  return one.at("ALL").items.findLast((item) => item.kind === "message");
}

test("a file is sent piece by piece, and then said", () => {
  const one = world();
  one.apply({ open: "#lab" });
  one.take();
  one.apply({ attached: { handle: 3, name: "../my notes.txt", size: 6 } });
  assert.deepEqual(works(one), [{ work: "open", id: 1, handle: 3 }]);
  // What is in front when it is there does not matter.
  one.apply({ open: "ALL" });
  one.apply({ file: { id: 1, is: "opened", sha256: DIGEST } });
  assert.deepEqual(one.take(), [{ FILE_PUT: { ID: "f1.1", TO: "#lab", NAME: "my notes.txt", SIZE: 6, SHA256: DIGEST } }]);
  one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, CREDIT: 4 } });
  assert.deepEqual(works(one), [{ work: "read", id: 1, at: 0, bytes: 4 }]);
  one.apply({ file: { id: 1, is: "read", at: 0, bytes: 4, data: "YWJjZA==" } });
  assert.deepEqual(one.take(), [{ FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "YWJjZA==" } }]);
  one.frame({ FILE_CREDIT: { FILE: "Qx7", UPTO: 6 } });
  assert.deepEqual(works(one), [{ work: "read", id: 1, at: 4, bytes: 2 }]);
  one.apply({ file: { id: 1, is: "read", at: 4, bytes: 2, data: "ZWY=" } });
  assert.ok(one.take().every((frame) => frame.MESSAGES === undefined), "nothing is announced that is not there");
  one.frame({ FILE: { FILE: "Qx7", DONE: true, UNTIL: 1_700_003_600 } });
  const [said] = one.take();
  assert.deepEqual([said.MESSAGES[0].slice(1, 2), said.MESSAGES[0][3], said.META], [["#lab"], "[file: my notes.txt, 6 bytes]", [{ FILE: "Qx7" }]]);
  const shown = one.at("#lab").items.at(-1);
  assert.deepEqual(shown.file, { token: "Qx7", name: "my notes.txt", size: 6, sha256: DIGEST, until: 1_700_003_600 });
  assert.deepEqual(one.view.transfers, []);
});

test("an upload goes on after a cut where the server says", () => {
  const one = world();
  one.apply({ attached: { handle: 1, name: "a", size: 6 } });
  one.apply({ file: { id: 1, is: "opened", sha256: DIGEST } });
  one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, CREDIT: 6 } });
  one.apply({ lost: "gone" });
  one.apply({ file: { id: 1, is: "read", at: 0, bytes: 4, data: "YWJjZA==" } });
  one.take();
  one.apply({ back: true });
  one.frame({ USERNAME_ACCEPTED: true, USER_LIST: ["ann"], MESSAGES: [], IDS: [], CAPABILITIES: "accounts/1 files/1 ids/1 meta/1", LIMITS: { CHUNK: 4 }, RESUMED: true });
  assert.deepEqual(one.take().at(-1).FILE_PUT.ID, "f1.2");
  one.frame({ FILE: { ID: "f1.1", CODE: "busy" } });
  one.frame({ FILE: { ID: "f1.2", FILE: "Qx7", AT: 4, CREDIT: 6 } });
  assert.deepEqual(works(one), [{ work: "read", id: 1, at: 4, bytes: 2 }]);
});

test("a file is fetched within the credit, and checked when it is whole", () => {
  const one = world();
  const { key } = announced(one);
  one.take();
  one.apply({ save: { target: "ALL", key } });
  assert.deepEqual(one.effects.filter((effect) => "file" in effect), [{ file: { work: "create", id: 1 } }]);
  assert.deepEqual(one.take(), [{ FILE_GET: { ID: "f1.1", FILE: "Qx7", AT: 0, CREDIT: 6 } }]);
  one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, SIZE: 6 } });
  one.frame({ FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "YWJjZA==" } });
  // A cut: it goes on behind what has come.
  one.take();
  one.again({ LIMITS: { CHUNK: 4 } });
  assert.deepEqual(one.take().at(-1), { FILE_GET: { ID: "f1.2", FILE: "Qx7", AT: 4, CREDIT: 6 } });
  one.frame({ FILE: { ID: "f1.2", FILE: "Qx7", AT: 4, SIZE: 6 } });
  one.frame({ FILE_CHUNK: { FILE: "Qx7", AT: 4, DATA: "ZWY=" } });
  one.frame({ FILE: { FILE: "Qx7", DONE: true } });
  const [write, finish] = works(one);
  assert.deepEqual([...write.data], [101, 102]);
  assert.deepEqual(finish, { work: "finish", id: 1, name: "a.txt", sha256: DIGEST });
  assert.equal(one.view.transfers[0].done, 6);
  one.apply({ file: { id: 1, is: "saved" } });
  assert.match(one.said("ALL").at(-1), /a\.txt is saved/);
  assert.deepEqual(works(one), [{ work: "drop", id: 1 }]);
});

test("credit is given as pieces come, and never much ahead", () => {
  const one = world();
  const size = 400_000;
  const { key } = announced(one, { SIZE: size });
  one.apply({ save: { target: "ALL", key } });
  one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, SIZE: size } });
  let upto = one.take().find((frame) => "FILE_GET" in frame).FILE_GET.CREDIT;
  for (let at = 0; at < size; ) {
    const bytes = Math.min(16_384, upto - at, size - at);
    assert.ok(bytes > 0 && upto - at <= 131_072 + 16_384, `${at} ${upto}`);
    one.frame({ FILE_CHUNK: { FILE: "Qx7", AT: at, DATA: Buffer.alloc(bytes).toString("base64") } });
    at += bytes;
    for (const frame of one.take()) if ("FILE_CREDIT" in frame) upto = frame.FILE_CREDIT.UPTO;
  }
  assert.equal(upto, size);
});

test("what a server sends beyond what was announced is not taken", () => {
  const frames = [
    { FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "YWJjZGVmZw==" } },
    { FILE_CHUNK: { FILE: "Qx7", AT: 1, DATA: "YQ==" } },
    { FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "?" } },
    { FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "" } },
    { FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "A".repeat(30_000) } },
    { FILE: { FILE: "Qx7", DONE: true } },
    { FILE: { FILE: "Qx7", CODE: "expired" } },
    { FILE_STOP: { FILE: "Qx7" } },
  ];
  for (const frame of frames) {
    const one = world();
    const { key } = announced(one);
    one.apply({ save: { target: "ALL", key } });
    one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, SIZE: 6 } });
    works(one);
    one.frame(frame);
    assert.deepEqual(one.view.transfers, [], JSON.stringify(frame));
    assert.deepEqual(works(one), [{ work: "drop", id: 1 }], JSON.stringify(frame));
    assert.match(one.said("ALL").at(-1), /a\.txt was not fetched/);
  }
  const other = world();
  const { key } = announced(other);
  other.apply({ save: { target: "ALL", key } });
  other.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, SIZE: 7 } });
  assert.deepEqual(other.view.transfers, [], "another file");
});

test("what can't be sent says why", () => {
  const cases = [
    [{}, { size: 1001 }, /it has 1001 bytes, and 1000 bytes are taken/],
    [{ CAPABILITIES: "ids/1 meta/1" }, {}, /takes no files/],
    [{ LIMITS: {} }, { size: 2 ** 40 }, /512 MiB are taken/],
  ];
  for (const [more, file, why] of cases) {
    const one = world(more);
    one.apply({ attached: { handle: 5, name: "a\u202e.txt", size: 6, ...file } });
    assert.match(one.said("ALL").at(-1), why);
    assert.match(one.said("ALL").at(-1), /a_\.txt was not sent/);
    assert.deepEqual(works(one).at(-1), { work: "forget", handle: 5 });
  }
  const one = world();
  one.apply({ attached: { handle: 1, name: "a", size: 6 } });
  one.apply({ file: { id: 1, is: "opened", sha256: DIGEST } });
  one.frame({ FILE: { ID: "f1.1", CODE: "no-space", INFO: "too much\u0007.", SPACE: { OF: "account", MOST: 2048, LEFT: 1024 } } });
  assert.equal(one.said("ALL").at(-1), "* a was not sent: too much\\u{7} (1 KiB left of 2 KiB).");
});

test("two run at a time, one that is busy is asked again, and each can be given up", () => {
  const one = world();
  for (const handle of [1, 2, 3]) {
    one.apply({ attached: { handle, name: `${handle}`, size: 6 } });
    one.apply({ file: { id: handle, is: "opened", sha256: DIGEST } });
  }
  assert.deepEqual(one.take().map((frame) => frame.FILE_PUT.ID), ["f1.1", "f2.1"]);
  one.frame({ FILE: { ID: "f2.1", CODE: "busy" } });
  one.apply({ tick: true });
  assert.deepEqual(one.take(), []);
  one.now += 3;
  one.apply({ tick: true });
  assert.deepEqual(one.take().map((frame) => frame.FILE_PUT.ID), ["f2.2"]);
  one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, CREDIT: 6 } });
  one.apply({ giveUp: 1 });
  assert.deepEqual(one.take().map((frame) => frame.FILE_STOP?.FILE ?? frame.FILE_PUT.ID), ["Qx7", "f3.1"]);
  // What was on its way is nobody's.
  one.apply({ file: { id: 1, is: "read", at: 0, bytes: 4, data: "YWJjZA==" } });
  one.frame({ FILE: { FILE: "Qx7", DONE: true } });
  assert.deepEqual(one.take(), []);
});

test("how fast a file goes and how long it takes is known", () => {
  const one = world();
  const { key } = announced(one, { SIZE: 100 });
  one.apply({ save: { target: "ALL", key } });
  one.frame({ FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, SIZE: 100 } });
  for (let at = 0; at < 40; at += 10) {
    one.frame({ FILE_CHUNK: { FILE: "Qx7", AT: at, DATA: Buffer.alloc(10).toString("base64") } });
    one.now += 1;
  }
  const [{ done, rate, left, sends, waits }] = one.view.transfers;
  assert.deepEqual({ done, rate, left, sends, waits }, { done: 40, rate: 10, left: 6, sends: false, waits: false });
});

test("what is no file beside a message is none", () => {
  const one = world();
  for (const file of [{ NAME: 5 }, { NAME: "x".repeat(129) }, { SIZE: -1 }, { SIZE: "6" }, { SHA256: "07" }, { FILE: "../x" }, { FILE: "" }]) {
    one.frame({ MESSAGES: [["bob", "ALL", 1, JSON.stringify(file)]], IDS: [one.now], META: [{ FILE: { FILE: "Qx7", NAME: "a", SIZE: 6, SHA256: DIGEST, ...file } }] });
    one.now += 1;
    assert.equal(one.at("ALL").items.at(-1).file, null, JSON.stringify(file));
  }
});

test("names of others are made harmless", () => {
  const table = [
    ["notes.pdf", "notes.pdf"], ["\u00dcbung 3 (neu).txt", "\u00dcbung 3 (neu).txt"], ["\u{1f469}\u200d\u{1f4bb}.png", "\u{1f469}\u200d\u{1f4bb}.png"],
    ["", "file"], [" . ", "file"], ["..", "file"], ["../../etc/passwd", "passwd"], ["C:\\Windows\\evil.exe", "evil.exe"], ["a/..", "a"],
    [".profile", "profile"], ["-rf", "_rf"], ["a\0b\n", "a_b_"], ["cod\u202efdp.exe", "cod_fdp.exe"], ["\u202e.profile", "_.profile"],
    ["a\u200bb\u200dc", "a_b_c"], ["a:b|c?.txt", "a_b_c_.txt"], ["nul", "_nul"], ["Con.txt", "_Con.txt"], ["com7", "_com7"], ["com77", "com77"], ["name. . ", "name"],
  ];
  for (const [wire, name] of table) assert.equal(safeName(wire), name, JSON.stringify(wire));
  const long = safeName(`${"\u00e9".repeat(300)}.pdf`);
  assert.ok(Buffer.byteLength(long) <= 128 && long.endsWith("\u00e9.pdf"));
});

test("sizes are said in a unit that fits", () => {
  const table = [[0, "0 bytes"], [1, "1 byte"], [1023, "1023 bytes"], [1024, "1 KiB"], [482_113, "471 KiB"], [1_572_864, "1.5 MiB"], [100 * 1024 ** 2, "100 MiB"], [3 * 1024 ** 3, "3.0 GiB"]];
  for (const [bytes, words] of table) assert.equal(sizeWords(bytes), words);
});

/** A disk whose news come when they are waited for. */
function disk(more = {}) {
  const news = [];
  const saved = [];
  const one = new Disk({ news: (told) => news.push(told), waiting: () => 0, save: (blob, name) => saved.push([blob, name]), subtle: globalThis.crypto.subtle, ...more });
  const next = async () => {
    for (let tries = 0; news.length === 0 && tries < 1000; tries += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    return news.shift();
  };
  return { one, next, saved };
}

test("the disk reads what the user gives, when nothing else waits", async () => {
  const waiting = [100_000, 100_000];
  const { one, next } = disk({ waiting: () => waiting.pop() ?? 0 });
  const given = one.give(new File(["abcdef"], "a.txt"));
  assert.deepEqual(given, { handle: 1, name: "a.txt", size: 6 });
  one.perform({ work: "open", id: 7, handle: 1 });
  const sha256 = createHash("sha256").update("abcdef").digest("hex");
  assert.deepEqual(await next(), { id: 7, is: "opened", sha256 });
  one.perform({ work: "read", id: 7, at: 2, bytes: 4 });
  assert.deepEqual(await next(), { id: 7, is: "read", at: 2, bytes: 4, data: Buffer.from("cdef").toString("base64") });
  assert.equal(waiting.length, 0);
  one.perform({ work: "read", id: 7, at: 6, bytes: 4 });
  assert.equal((await next()).bytes, 0);
});

test("the disk saves what has the right digest, and nothing else", async () => {
  const sha256 = createHash("sha256").update("abcdef").digest("hex");
  const { one, next, saved } = disk();
  const fetched = (id, text) => {
    one.perform({ work: "create", id });
    one.perform({ work: "write", id, data: new TextEncoder().encode(text.slice(0, 2)) });
    one.perform({ work: "write", id, data: new TextEncoder().encode(text.slice(2)) });
    one.perform({ work: "finish", id, name: "a.txt", sha256 });
  };
  fetched(1, "abcdef");
  assert.deepEqual(await next(), { id: 1, is: "saved" });
  const [[blob, name]] = saved;
  assert.deepEqual([await blob.text(), blob.type, name], ["abcdef", "application/octet-stream", "a.txt"]);
  fetched(2, "abcdeF");
  const { is, why } = await next();
  assert.equal(is, "failed");
  assert.match(why, /digest/);
  fetched(3, "abcdef");
  one.perform({ work: "drop", id: 3 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(saved.length, 1, "one that was given up is not saved");
  const insecure = disk({ subtle: null });
  insecure.one.subtle = undefined;
  insecure.one.give(new File(["x"], "x"));
  insecure.one.perform({ work: "open", id: 1, handle: 1 });
  assert.match((await insecure.next()).why, /not secure/);
});
