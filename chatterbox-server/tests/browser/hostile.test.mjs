/** A server that means harm: whatever it sends is text in the page, and never an element, a request, code or an end of the page. */

import assert from "node:assert/strict";

import { CUT } from "./harness/browser.mjs";
import { Chat } from "./harness/chat.mjs";
import { Hostile } from "./harness/hostile.mjs";
import { scene, scenes } from "./harness/scenario.mjs";
import { catalogue, later, mutations, prompt, welcome } from "./harness/world.mjs";

const stage = scenes({ settings: ["--web-host", "localhost"] });

async function hostile(t) {
  const server = await Hostile.before(stage.server.url);
  stage.others.push(server.url);
  t.after(() => server.end());
  return server;
}

/** Joins a server that answers the name with this welcome. */
async function joined(server, given, options) {
  server.answer = (frame) => ("USERNAME" in frame ? given : undefined);
  const page = await stage.browser.page(options);
  const chat = new Chat(page);
  await page.goto(server.url);
  await chat.login("me");
  await chat.input.waitFor();
  return chat;
}

/** A message that shows that the page has read everything before it, and is alive. */
let marks = 0;
async function alive(server, chat) {
  marks += 1;
  const text = `still here ${marks}`;
  server.send({ MESSAGES: [["bob", "ALL", 1_700_000_100, text]], IDS: [1000 + marks], TIMES: [1_700_000_100] });
  await chat.shows(text);
  const polluted = await chat.page.evaluate(() => [
    ...Object.getOwnPropertyNames(Object.prototype).filter((name) => !["constructor", "__defineGetter__", "__defineSetter__", "hasOwnProperty", "__lookupGetter__", "__lookupSetter__", "isPrototypeOf", "propertyIsEnumerable", "toString", "valueOf", "__proto__", "toLocaleString"].includes(name)),
    ...["polluted", "isAdmin"].filter((name) => name in {}),
  ]);
  assert.deepEqual(polluted, [], "Object.prototype is as it was");
}

/** How many elements of each kind are there, which attributes occur, and where they point. */
function elements(page) {
  return page.evaluate(async () => {
    // What has just been opened is drawn in a frame or two, and what is seen then is no more unread: nothing is counted before it is at rest.
    const count = () => document.querySelectorAll("*").length;
    for (let calm = 0, before = count(); calm < 20; ) {
      await new Promise((frame) => requestAnimationFrame(frame));
      const now = count();
      calm = now === before ? calm + 1 : 0;
      before = now;
    }
    const counts = {};
    const attributes = new Set();
    const places = new Set();
    for (const element of document.querySelectorAll("*")) {
      counts[element.localName] = (counts[element.localName] ?? 0) + 1;
      for (const { name, value } of element.attributes) {
        attributes.add(name);
        if (["href", "src", "action", "formaction", "style", "xlink:href", "data", "poster", "srcdoc"].includes(name)) places.add(`${element.localName} ${name}=${name === "style" ? value.replace(/[0-9.]+/g, "0") : value}`);
      }
    }
    return { counts, attributes: [...attributes].sort(), places: [...places].sort() };
  });
}

/** Shows everything that can be shown, and gives what elements there were, state by state. */
async function tour(server, chat, text) {
  const { page } = chat;
  const seen = {};
  const look = async (state) => {
    seen[state] = await elements(page);
  };
  const front = async (pattern) => {
    await chat.nav.getByRole("button", { name: pattern }).first().click();
  };
  const shut = async () => {
    await page.keyboard.press("Escape");
    await chat.dialog.waitFor({ state: "detached" });
  };
  server.send(catalogue(text));
  await alive(server, chat);
  await look("welcome");
  for (const frame of later(text, "me")) server.send(frame);
  await alive(server, chat);
  await look("everything");
  await front(/^#/);
  await chat.page.getByRole("textbox", { name: /^Message to #/ }).waitFor();
  await look("room");
  // The one who wrote to us alone.
  await chat.nav.getByRole("list", { name: "Private" }).getByRole("button").first().click();
  await chat.page.getByRole("textbox", { name: /^Message to (?!#|lobby)/ }).waitFor();
  await look("private");
  await front(/^lobby/);
  await chat.page.getByRole("textbox", { name: "Message to lobby", exact: true }).waitFor();
  const other = chat.people.getByRole("button").filter({ hasNotText: /^(me|bob)/ }).first();
  await other.click();
  await chat.menu.waitFor();
  await look("menu of a person");
  await chat.choose(/^kick/);
  await chat.dialog.getByRole("button", { name: "kick" }).waitFor();
  await look("form");
  await shut();
  await chat.row("still here").click({ button: "right" });
  await chat.menu.waitFor();
  await look("menu of a message");
  await shut();
  for (const typed of ["/", "/kick ", "/kick me ", "/colour ", "/report "]) {
    await chat.input.fill(typed);
    await look(`typed ${typed}`);
  }
  await chat.input.fill("");
  for (const keys of ["Control+/", "Control+k", "Alt+m", "Alt+f"]) {
    await page.keyboard.press(keys);
    await chat.dialog.waitFor();
    if (keys === "Alt+f") {
      await page.keyboard.type("MARK");
      await chat.dialog.getByRole("option").first().waitFor();
    }
    await look(keys);
    await shut();
  }
  await chat.input.fill("/report bob");
  await chat.input.press("Escape");
  await chat.input.focus();
  await chat.input.press("Enter");
  const { COMMAND } = await server.frame((frame) => "COMMAND" in frame);
  server.send(prompt(text, COMMAND.ID));
  await chat.dialog.waitFor();
  await look("question");
  server.send({ RESULT: { ID: COMMAND.ID, OK: true, CODE: "ok", INFO: text("result") } });
  await chat.dialog.waitFor({ state: "detached" });
  await look("result");
  server.answer = () => undefined;
  server.send({ ERROR: text("error"), CLOSED: { CODE: text("code"), INFO: text("closed"), UNTIL: 1_800_000_000, RETRY: null } });
  server.hangUp();
  await chat.alert.filter({ hasText: "MARK" }).first().waitFor();
  await look("closed");
  return seen;
}

const HARMLESS = "MARK aaaa";
/** Everything that was ever taken for more than text, as far as it is no link. */
const HARMFUL = [
  `MARK<img src=x onerror=alert(1)><script>alert(1)</script>`,
  `MARK"></textarea></li></ol><svg onload=alert(1)><style>*{display:none}</style><iframe srcdoc="<p>">`,
  `MARK\${alert(1)} {{alert(1)}} <!-- ]]> &lt;b&gt; &#x3c;b> javascript:alert(1) data:text/html,<b> vbscript:x`,
  `MARK\u202e\u2066\u200b\u0000\u001b[31m\u0007\u009b\ufeff\ud800\u{e0041}`,
  `MARK__proto__ constructor toString **bold** [x](javascript:alert(1)) \`code\` :smile: <@1>`,
];

/** A name of which nothing is cut for being long, with whatever is spelled out in it: a cut one is told apart from what it was. */
function short(name) {
  let room = 60;
  return [...name].filter((character) => (room -= /\p{C}/u.test(character) ? 9 : 1) >= 0).join("");
}

scene("whatever a text says, the page makes the same elements as of a harmless one", async (t) => {
  const server = await hostile(t);
  const run = async (given) => {
    const text = (field) => (/^(new )?name$|^who/.test(field) ? short(given(field)) : given(field));
    server.frames.length = 0;
    // So high that nothing is scrolled, whatever room the texts take.
    const chat = await joined(server, welcome(text, "me"), { context: { viewport: { width: 1280, height: 4000 } } });
    const seen = await tour(server, chat, text);
    const shown = await chat.page.evaluate(() => document.body.innerText);
    await chat.page.close();
    return { seen, shown };
  };
  // Each field has a text of its own, as names are compared.
  const harmless = await run((field) => `${field} ${HARMLESS}`);
  for (const harmful of HARMFUL) {
    const { seen, shown } = await run((field) => `${field} ${harmful}`);
    for (const [state, found] of Object.entries(seen)) {
      const wanted = harmless.seen[state];
      assert.deepEqual(found.counts, wanted.counts, `${JSON.stringify(harmful)}, ${state}`);
      assert.deepEqual(found.places, wanted.places, `${JSON.stringify(harmful)}, ${state}`);
      assert.deepEqual(found.attributes.filter((name) => /^on/.test(name)), []);
    }
    // Nothing that acts on a screen is in it: it is spelled out.
    assert.doesNotMatch(shown, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/u, JSON.stringify(harmful));
  }
});

scene("only what is an address of the web is a link, and it says where it goes", async (t) => {
  const server = await hostile(t);
  const chat = await joined(server, welcome(() => "x", "me"));
  const texts = [
    "https://evil.example/\"onmouseover=alert(1) x",
    "http://a.example/<script>alert(1)</script>",
    "javascript:alert(1)//http://b.example",
    "https://user:password@c.example@d.example/",
    "HTTPS://E.example/%00\u202e",
    "https://\u0430pple.example/",
    "data:text/html,<script>alert(1)</script> https:alert(1) https:// http://",
    `https://f.example/${"a".repeat(5000)}`,
  ];
  server.send({ MESSAGES: texts.map((text) => ["bob", "ALL", 1_700_000_050, text]), IDS: texts.map((_, place) => 50 + place), TIMES: texts.map(() => null) });
  await alive(server, chat);
  const links = await chat.log.getByRole("link").evaluateAll((all) => all.map((link) => ({
    protocol: link.protocol, host: link.host, text: link.textContent, rel: link.rel, target: link.target, names: link.getAttributeNames().sort(),
  })));
  assert.ok(links.length > 0);
  for (const link of links) {
    assert.match(link.protocol, /^https?:$/);
    assert.match(link.rel, /noreferrer/);
    assert.deepEqual(link.names.filter((name) => /^on|style/.test(name)), [], JSON.stringify(link));
    // What it says is where it goes: a foreign letter in a host is there as it is, or the host as it is asked for.
    assert.ok(link.text.toLowerCase().includes(link.host) || /[^\x00-\x7f]/.test(link.text), JSON.stringify(link));
  }
});

scene("values of every wrong type in every place do no harm", async (t) => {
  const server = await hostile(t);
  const text = (field) => `<b>${field}</b>`;
  const chat = await joined(server, welcome(text, "me"), { expected: [CUT] });
  const deep = JSON.parse(`${"[".repeat(2000)}${"]".repeat(2000)}`);
  const proto = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "toString": 1, "length": 1e9}');
  const others = [null, true, -1, 0.5, 1e308, "", "__proto__", [], {}, [[]], [null], proto, deep, "x".repeat(10_000)];
  const frames = [catalogue(text), ...later(text, "me"), prompt(text, "q")];
  let sent = 0;
  for (const frame of frames) {
    for (const [, other] of mutations(frame, others)) {
      // A question in the way of everything else would be one of ours.
      server.send(other);
      sent += 1;
    }
    await alive(server, chat).catch((error) => assert.fail(`after ${Object.keys(frame)}: ${error.message}`));
  }
  assert.ok(sent > 2000, `${sent} frames`);
});

scene("welcomes with wrong types let in, or refuse, and break nothing", async (t) => {
  const server = await hostile(t);
  const page = await stage.browser.page({ expected: [CUT] });
  const chat = new Chat(page);
  await page.goto(server.url);
  const others = [null, -1, "<b>", [{}], JSON.parse('{"__proto__": {"polluted": 1}}')];
  const good = welcome((field) => field, "me");
  const all = [...mutations(good, others)].filter((_, place) => place % 23 === 0);
  for (const [path, other] of all) {
    server.answer = (frame) => ("USERNAME" in frame ? other : undefined);
    await page.reload();
    await chat.login("me");
    // In; refused with a word; or the connection was given up: the page says which, and goes on working.
    await chat.input.or(chat.alert).or(page.getByText(/Joining|can't be reached/)).first().waitFor().catch((error) => assert.fail(`${path}: ${error.message}`));
  }
  server.answer = (frame) => ("USERNAME" in frame ? good : undefined);
  await page.reload();
  await chat.login("me");
  await chat.input.waitFor();
  await alive(server, chat);
});

scene("lists without end are cut, and the page goes on", async (t) => {
  const server = await hostile(t);
  const chat = await joined(server, welcome(() => "x", "me"));
  const many = (count, make) => Array.from({ length: count }, (_, number) => make(number));
  const name = (number) => `user${number}`;
  server.send({ USERS_JOINED: many(50_000, name) });
  server.send({ PRESENCE: Object.fromEntries(many(50_000, (number) => [name(number), { SINCE: number, AWAY: "x" }])) });
  server.send({ COMMANDS: many(5000, (number) => ({ NAME: `command${number}`, ALIASES: [], ARGUMENTS: [], HELP: "x", EXAMPLE: "", LEVEL: 0 })), PREFIX: "/", LEVELS: many(1000, name) });
  server.send({ MESSAGES: many(20_000, (number) => ["bob", "ALL", number, `message ${number}`]), IDS: many(20_000, (number) => 10_000 + number) });
  server.send({ MESSAGES: many(2000, (number) => [name(number), "me", number, "hello"]), IDS: many(2000, (number) => 40_000 + number) });
  server.send({ ROOMS: many(2000, (number) => ({ ROOM: `#room${number}`, NUMBER: number + 1, TOPIC: "x", ROSTER: true, USERS: many(100, name), LAST: 1, FLOOR: 0 })) });
  server.send({ RESULT: { ID: "1", OK: true, CODE: "ok", INFO: "x", DATA: { COLUMNS: many(500, name), ROWS: many(500, () => many(500, (number) => number)) } } });
  server.send({ MESSAGES: [["bob", "ALL", 1, "word ".repeat(400_000)]], IDS: [60_000] });
  server.send({ MESSAGES: [["bob", "ALL", 1, "line\n".repeat(200_000)]], IDS: [60_001] });
  server.send({ NOTICES: many(5000, () => ({ CODE: "announcement", INFO: "x" })) });
  server.send({ MESSAGES: [["bob", "ALL", 1, `${"a".repeat(10)}${"\u0301".repeat(100_000)}`]], IDS: [60_002] });
  marks += 70_000;
  await alive(server, chat);
  const { counts } = await elements(chat.page);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  assert.ok(all < 30_000, `${all} elements`);
  // It still does what it is asked.
  await chat.say("me too");
  await chat.shows("me too");
});

scene("what is no frame at all is passed over", async (t) => {
  const server = await hostile(t);
  const chat = await joined(server, welcome(() => "x", "me"));
  for (const what of ["no JSON", "[".repeat(100_000), new Uint8Array([0, 1, 2, 255]), '{"MESSAGES"', "null", "[]", "7", '"text"', "true", "{}", "\ufeff{}", ""]) {
    server.send(what);
  }
  await alive(server, chat);
});

scene("a welcome that never comes, and connections that end at once, leave a page that says so", async (t) => {
  const server = await hostile(t);
  const page = await stage.browser.page({ expected: [CUT] });
  const chat = new Chat(page);
  await page.goto(server.url);
  await chat.login("me");
  await server.frame((frame) => "USERNAME" in frame);
  server.hangUp();
  await chat.alert.filter({ hasText: "The server can't be reached" }).or(page.getByText(/connection/)).first().waitFor();
  server.answer = (frame) => ("USERNAME" in frame ? welcome(() => "x", "me") : undefined);
  await chat.input.or(page.getByRole("button", { name: "Try now" })).first().waitFor();
});
