// Joining, coming back, and the ends of a session.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALL, NOW, World } from "./world.mjs";

const JOINED = { USERNAME_ACCEPTED: true, USER_LIST: ["ann"], MESSAGES: [], IDS: [], CAPABILITIES: ALL, RESUME: "session" };

function asked(join) {
  const one = new World();
  one.apply({ join });
  return one;
}

test("a password is in one frame and nowhere else", () => {
  const one = asked({ name: "ann", password: "hunter2" });
  assert.deepEqual(one.take(), [{ USERNAME: "ann", CAPABILITIES: ALL, RECENT: 200, PASSWORD: "hunter2" }]);
  one.frame({ ...JOINED, ACCOUNT: { LEVEL: 3, TOKEN: "tok" } });
  assert.deepEqual(one.effects.filter((effect) => effect.token), [{ token: { name: "ann", token: "tok" } }]);
  assert.deepEqual([one.view.account, one.view.level], ["ann", 3]);
  one.apply({ lost: "gone" });
  one.take();
  one.apply({ back: true });
  assert.deepEqual(one.take(), [{ USERNAME: "ann", CAPABILITIES: ALL, RECENT: 200, TOKEN: "tok", RESUME: { TOKEN: "session", AFTER: 0 } }]);
  assert.ok(!JSON.stringify(one.chat, (_, value) => (value instanceof Map ? [...value] : value)).includes("hunter2"));
});

test("a token that is not valid any more is forgotten, and the name asked for without it", () => {
  const one = asked({ name: "ann", token: "old" });
  assert.equal(one.take()[0].TOKEN, "old");
  one.frame({ USERNAME_ACCEPTED: false, CODE: "wrong-token", INFO: "expired" });
  assert.deepEqual(one.effects.filter((effect) => effect.token), [{ token: { name: "ann", token: null } }]);
  assert.deepEqual(one.take(), [{ USERNAME: "ann", CAPABILITIES: ALL, RECENT: 200 }]);
  one.frame({ USERNAME_ACCEPTED: false, CODE: "registered", INFO: "It is registered." });
  assert.deepEqual(one.view.phase, { is: "refused", code: "registered", info: "It is registered.", wait: null, until: null, password: true });
});

test("whoever is a guest since the login that was kept is not known any more is told so", () => {
  const one = asked({ name: "ann", token: "old" });
  one.frame({ USERNAME_ACCEPTED: false, CODE: "wrong-token", INFO: "expired" });
  one.frame({ ...JOINED, ACCOUNT: { LEVEL: 0 } });
  assert.match(one.said("ALL").at(-1), /not known here any more: you are a guest/);
  const two = asked({ name: "ann" });
  two.frame({ ...JOINED, ACCOUNT: { LEVEL: 0 } });
  assert.doesNotMatch(two.said("ALL").join("\n"), /guest/);
});

test("a refusal is told with its code, and the next name is asked for on the same connection", () => {
  const one = asked({ name: "ann" });
  one.frame({ USERNAME_ACCEPTED: false, CODE: "banned", INFO: "\u202espam", UNTIL: NOW + 60 });
  assert.deepEqual(one.view.phase, { is: "refused", code: "banned", info: "\\u{202e}spam", wait: null, until: NOW + 60, password: false });
  one.take();
  one.apply({ join: { name: "bob" } });
  assert.deepEqual(one.take(), [{ USERNAME: "bob", CAPABILITIES: ALL, RECENT: 200 }]);
  one.frame(JOINED);
  assert.deepEqual([one.view.phase.is, one.view.me], ["in", "bob"]);
});

test("an ERROR in the place of an answer is a refusal", () => {
  const one = asked({ name: "ann" });
  one.frame("server full");
  assert.deepEqual([one.view.phase.is, one.view.phase.code, one.view.phase.info], ["refused", "error", "server full"]);
  one.apply({ lost: "closed" });
  assert.equal(one.view.phase.info, "server full", "that says more");
  assert.ok(one.effects.some((effect) => effect.redial === false));
});

test("who has no session yet does not come back by themselves", () => {
  const one = asked({ name: "ann" });
  one.apply({ lost: "nobody answers" });
  assert.deepEqual(one.view.phase, { is: "lost", why: "nobody answers", retry: null });
  assert.deepEqual(one.effects.at(-1), { redial: false });
});

test("a server that ends a connection says when to come back", () => {
  for (const [RETRY, redial, phase] of [[30, 30, "lost"], [null, false, "closed"], ["soon", false, "closed"], [-1, false, "closed"], [1e300, false, "closed"]]) {
    const one = asked({ name: "ann" });
    one.frame(JOINED);
    one.frame({ ERROR: "out", CLOSED: { CODE: "kicked", INFO: "enough", UNTIL: null, RETRY } });
    one.apply({ lost: "closed" });
    assert.deepEqual([one.effects.at(-1), one.view.phase.is], [{ redial }, phase], String(RETRY));
    one.take();
    one.apply({ lost: "", retry: NOW + 30 });
    assert.equal(one.view.phase.retry ?? null, phase === "lost" ? NOW + 30 : null);
    assert.deepEqual(one.effects, []);
  }
});

test("a session that is over goes on under no name; joining begins anew", () => {
  const one = asked({ name: "ann" });
  one.frame({ ...JOINED, MESSAGES: [["bob", "ALL", 1, "old"]], IDS: [5] });
  one.frame({ CLOSED: { CODE: "replaced", INFO: "elsewhere", RETRY: null } });
  one.apply({ lost: "closed" });
  assert.deepEqual(one.view.phase, { is: "closed", code: "replaced", info: "elsewhere", until: null });
  assert.ok(one.said("ALL").includes("bob: old"), "what was said is there still");
  one.take();
  one.apply({ say: "hello?" });
  one.apply({ back: true });
  assert.deepEqual(one.take(), []);
  one.apply({ join: { name: "ann" } });
  assert.equal(one.take()[0].RESUME, undefined);
});

test("while the name can't come back yet it is tried again, and where it never can the session is over", () => {
  const lost = () => {
    const one = asked({ name: "ann" });
    one.frame(JOINED);
    one.apply({ lost: "gone" });
    one.apply({ back: true });
    one.take();
    return one;
  };
  for (const code of ["taken", "held", "busy", "throttled", undefined]) {
    const one = lost();
    one.frame({ USERNAME_ACCEPTED: false, CODE: code, INFO: "not yet" });
    assert.deepEqual([one.effects, one.view.phase.is], [[{ disconnect: "ann can't come back yet: not yet" }], "lost"], code);
    one.apply({ lost: "ann can't come back yet: not yet" });
    assert.deepEqual(one.effects.at(-1), { redial: null });
  }
  for (const code of ["banned", "kicked", "no-guests", "bad-name"]) {
    const one = lost();
    one.frame({ USERNAME_ACCEPTED: false, CODE: code, INFO: "no" });
    assert.deepEqual([one.effects[0], one.view.phase], [{ redial: false }, { is: "closed", code, info: "no", until: null }]);
    one.apply({ lost: "no" });
    assert.equal(one.view.phase.is, "closed");
  }
  const one = lost();
  one.frame({ USERNAME_ACCEPTED: false, CODE: "registered", INFO: "whose?" });
  assert.ok(one.view.phase.password);
  one.apply({ join: { name: "Ann", password: "hunter2" } });
  assert.deepEqual(one.take(), [{ USERNAME: "ann", CAPABILITIES: ALL, RECENT: 200, PASSWORD: "hunter2", RESUME: { TOKEN: "session", AFTER: 0 } }]);
  one.frame({ ...JOINED, RESUMED: true });
  assert.equal(one.view.phase.is, "in");
});

test("whoever is here on too many devices says when it is tried again, and the session goes on then", () => {
  const one = new World().join({ ACCOUNT: { LEVEL: 1, TOKEN: "tok" }, RESUME: "session" });
  one.apply({ say: "kept" });
  one.apply({ lost: "gone" });
  one.apply({ back: true });
  one.take();
  one.frame({ USERNAME_ACCEPTED: false, CODE: "too-many", INFO: "Too many of your devices are here already." });
  assert.deepEqual([one.view.phase.is, one.view.phase.code, one.view.phase.password], ["refused", "too-many", false]);
  assert.deepEqual(one.take(), []);
  // The server has no patience with a connection that has no name.
  assert.deepEqual(one.apply({ lost: "gone" }).filter((effect) => "redial" in effect), [{ redial: false }]);
  assert.equal(one.view.phase.code, "too-many");
  one.take();
  one.apply({ join: { name: "ann" } });
  const [frame] = one.take();
  assert.deepEqual([frame.USERNAME, frame.TOKEN, frame.RESUME.TOKEN], ["ann", "tok", "session"]);
  one.frame({ USERNAME_ACCEPTED: true, USER_LIST: ["ann"], MESSAGES: [], IDS: [], CAPABILITIES: ALL, RESUMED: true, ROOMS: [] });
  assert.equal(one.take().find((told) => told.MESSAGES).MESSAGES[0][3], "kept");
});

test("under another name the token of the account proves nothing", () => {
  const one = asked({ name: "ann", token: "tok" });
  one.frame({ ...JOINED, USER_LIST: ["ann"], ACCOUNT: { LEVEL: 1 } });
  one.frame({ USERS_RENAMED: { ann: "annie" } });
  assert.deepEqual([one.view.me, one.view.account], ["annie", "ann"]);
  one.take();
  one.apply({ say: "as annie" });
  assert.equal(one.take()[0].MESSAGES[0][0], "annie");
  one.apply({ lost: "gone" });
  one.apply({ back: true });
  assert.deepEqual(one.take(), [{ USERNAME: "annie", CAPABILITIES: ALL, RECENT: 200, RESUME: { TOKEN: "session", AFTER: 0 } }]);
  one.frame({ ...JOINED, RESUMED: false, ACCOUNT: { LEVEL: 0 } });
  assert.deepEqual([one.view.account, one.view.level], [null, 0]);
  assert.ok(one.said("ALL").some((line) => line.includes("You are a guest now. Join as ann")));
});

test("after logging out the page is as it was at first", () => {
  const one = new World().join({ ACCOUNT: { LEVEL: 1, TOKEN: "tok" } }, [{ NAME: "logout", ARGUMENTS: [] }]);
  one.apply({ typed: "/logout" });
  one.take();
  one.frame({ RESULT: { ID: "1", OK: true, CODE: "ok", INFO: "bye" }, CLOSED: { CODE: "logout", RETRY: null } });
  assert.deepEqual(one.effects, [{ token: { name: "ann", token: null } }]);
  one.apply({ lost: "closed" });
  assert.deepEqual([one.view.phase, one.view.conversations, one.view.account], [{ is: "idle" }, [], null]);
});

test("who leaves is out, and nothing tries to come back", () => {
  const one = new World().join();
  one.apply({ leave: true });
  assert.deepEqual(one.effects, [{ redial: false }, { disconnect: "" }]);
  one.apply({ lost: "" });
  assert.deepEqual(one.view.phase, { is: "idle" });
});

test("a server without numbers is not come back to: its history would be there twice", () => {
  const one = new World().join({ CAPABILITIES: "" });
  one.apply({ say: "hello" });
  assert.deepEqual(one.take(), [{ MESSAGES: [["ann", "ALL", NOW, "hello"]] }]);
  one.frame({ MESSAGES: [["ann", "ALL", NOW + 1, "hello"]], IDS: [7] });
  assert.deepEqual(one.said("ALL").filter((line) => line.startsWith("ann")), ["ann: hello"], "its echo is no other message, and keys that were not agreed mean nothing");
  one.apply({ lost: "gone" });
  assert.deepEqual([one.effects.at(-1), one.view.phase.is], [{ redial: false }, "lost"]);
});
