// Sessions that nobody has thought of: what a server could send and a user do, made up from a number. The application of the client says
// which states result, and those of the page have to be the same. `.ci/made-up` runs both.
//
//   node made-up.mjs make FOLDER COUNT [FIRST]     node made-up.mjs compare FOLDER

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run } from "./run.mjs";
import { ALL, NOW, World, room } from "./world.mjs";

const [what, folder, count = "200", first = String(Math.floor(Math.random() * 1e9))] = process.argv.slice(2);

if (what === "make") {
  console.log(`${count} sessions are made up, from number ${first} on`);
  for (let number = 0; number < Number(count); number += 1) {
    writeFileSync(join(folder, `${Number(first) + number}.json`), JSON.stringify(new Session(Number(first) + number).fixture()));
  }
} else if (what === "compare") {
  const names = readdirSync(folder);
  assert.ok(names.length > 0, "there are none");
  for (const name of names) {
    const fixture = JSON.parse(readFileSync(join(folder, name), "utf8"));
    try {
      run(fixture, withoutWhatIsOfEach);
    } catch (error) {
      console.error(`The page and the client differ in session ${name}, which is kept in ${folder}:`);
      throw error;
    }
  }
  console.log(`the page and the client agree about ${names.length} sessions that were made up`);
} else {
  throw new Error("make or compare?");
}

/** Notices are each program's own, and stand between comings and goings; so does what the marker counts. */
function withoutWhatIsOfEach(state) {
  const conversations = state.conversations.map(({ marker, ...one }) => ({ ...one, items: one.items.filter((item) => item.joined === undefined) }));
  return { ...state, conversations };
}

/** One session: it is played to the page while it is made up, so that what the user does makes sense. */
function Session(seed) {
  let state = seed >>> 0;
  const next = (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = (all) => all[next(all.length)];
  const chance = (of) => next(of) === 0;

  const world = new World();
  world.apply({ join: { name: "ann" } });
  world.take();
  const steps = [];
  /** Everything that was said, in its order. */
  const history = [];
  const rooms = new Map([["#lab", { number: 12, last: 0 }], ["#talk", { number: 3, last: 0 }]]);
  let users = ["bob", "ann", "cyd"];
  let lastId = 20;
  /** Messages of the user that are not answered, and pages that are asked for. */
  let unanswered = [];
  let asked = [];
  let isLost = false;

  const step = (one) => {
    steps.push(one);
    if ("wait" in one) world.now += one.wait;
    else world.apply("back" in one ? { back: true } : one);
    for (const frame of world.take()) {
      frame.TAGS?.forEach((tag, place) => {
        if (!unanswered.some((known) => known.tag === tag)) unanswered.push({ tag, message: frame.MESSAGES[place] });
      });
      if (frame.HISTORY) asked.push(frame.HISTORY);
    }
  };
  const compared = () => steps.push({ sent: [] }, { state: {} });
  const store = (from, to, text, time) => {
    lastId += 1 + next(3);
    const message = { id: lastId, from, to, text, time };
    history.push(message);
    if (rooms.has(to)) rooms.get(to).last = lastId;
    return message;
  };
  const texts = ["hi", "ann?", "one\ntwo", "hello anna", "x", "Ann: y"];
  const said = () => store(pick(["bob", "cyd", "bob", "ann"]), pick(["ALL", "ALL", "ann", ...rooms.keys()]), `${pick(texts)}${lastId}`, NOW + next(5));
  const listed = (messages) => ({ MESSAGES: messages.map(({ from, to, time, text }) => [from, to, time, text]), IDS: messages.map(({ id }) => id) });
  const several = (most) => [...Array(next(most + 1))].map(said);
  const told = () => [...rooms].map(([name, { number, last, topic = "" }]) => room(name, number, { LAST: last, TOPIC: topic }));
  const welcome = (more) => {
    step({ frame: { USERNAME_ACCEPTED: true, USER_LIST: users, CAPABILITIES: ALL, RESUME: "token", ROOMS: told(), DEFAULT: "ALL", ...more } });
    step({ frame: { COMMANDS: [], PREFIX: "/" } });
  };
  const between = (name) => ({ from, to }) => {
    if (name === "ALL" || name.startsWith("#")) return to === name;
    return (from === name && to === "ann") || (from === "ann" && to === name);
  };

  /** The client gives a page to whoever has the name now, the page to the conversation that it was asked for: both may. */
  const isQuiet = () => asked.length === 0;

  const acts = [
    [9, () => step({ frame: listed([said(), ...several(2)]) })],
    [4, () => step(pick([{ typed: `mine ${steps.length}` }, { typed: `@bob psst ${steps.length}` }, { typed: `#lab here ${steps.length}` }, { say: `/say\n${steps.length}` }]))],
    [3, answer],
    [3, () => step({ open: pick(["ALL", "@bob", "@CYD", ...rooms.keys()]) })],
    [1, () => isQuiet() && step({ close: pick(["@bob", "@cyd"]) })],
    [2, () => step({ seeing: chance(2) })],
    [2, askForPage],
    [3, page],
    [1, comeOrGo],
    [2, changeRoom],
    [1, rename],
    [1, () => step({ wait: next(20) })],
    [1, () => { step({ lost: "gone" }); isLost = true; }],
  ].flatMap(([weight, act]) => Array(weight).fill(act));

  function answer() {
    if (unanswered.length === 0) return;
    const [{ tag, message }] = unanswered.splice(next(unanswered.length), 1);
    if (chance(4)) return step({ frame: { REFUSED: { [tag]: { CODE: "muted", ERROR: "no" } }, ERROR: "no" } });
    const [, to, time, text] = message;
    const stored = store("ann", to, text, time);
    const comesBack = chance(2) && (to === "ALL" || rooms.has(to));
    step({ frame: { ...(comesBack ? listed([stored]) : {}), ACKS: { [tag]: stored.id } } });
  }

  function askForPage() {
    const one = pick(world.view.conversations);
    const hasHole = one.items.some((item) => item.kind === "hole");
    step(hasHole && chance(2) ? { fill: one.target } : { older: one.target });
  }

  function page() {
    const query = asked.shift();
    if (query === undefined) return;
    if (chance(8)) return step({ frame: { HISTORY: { WITH: query.WITH, MESSAGES: [], IDS: [], MORE: true, CODE: "busy" } } });
    const all = history.filter(between(query.WITH)).filter(({ id }) => id < (query.BEFORE ?? Infinity));
    const some = all.slice(-1 - next(5));
    step({ frame: { HISTORY: { WITH: query.WITH, ...listed(some), MORE: chance(4) || some.length < all.length } } });
  }

  function comeOrGo() {
    const user = pick(["eve", "dan", "bob"]);
    const isHere = users.includes(user);
    users = isHere ? users.filter((known) => known !== user) : [...users, user];
    step({ frame: { [isHere ? "USERS_LEFT" : "USERS_JOINED"]: [user] } });
  }

  function changeRoom() {
    const name = pick(["#lab", "#talk", "#new"]);
    const known = rooms.get(name);
    if (known === undefined) {
      rooms.set(name, { number: 100 + steps.length, last: 0 });
      return step({ frame: { ROOMS: [room(name, 100 + steps.length)] } });
    }
    if (isQuiet() && chance(3)) {
      rooms.delete(name);
      return step({ frame: { ROOMS_LEFT: [{ ROOM: name, NUMBER: known.number, CODE: pick(["left", "kicked"]) }] } });
    }
    if (chance(2)) known.topic = `topic ${steps.length}`;
    step({ frame: { ROOMS: [{ ROOM: name, NUMBER: known.number, ...(chance(2) ? { TOPIC: known.topic ?? "" } : { FLOOR: next(lastId) }) }] } });
  }

  function rename() {
    const old = pick(["bob", "cyd"]);
    if (!users.includes(old) || !isQuiet()) return;
    const now = old === "bob" ? "Robert" : "cyd2";
    users = users.map((user) => (user === old ? now : user));
    step({ frame: { USERS_RENAMED: { [old]: now } } });
  }

  function whileLost() {
    if (!chance(3)) return step(pick([{ typed: `while lost ${steps.length}` }, { open: pick(["ALL", "@bob"]) }, { seeing: chance(2) }, { lost: "again" }]));
    step({ back: "" });
    const resumed = chance(2);
    const missed = [...several(3).filter(({ from }) => from !== "ann"), ...unanswered.filter(() => chance(2)).map(({ message: [, to, time, text] }) => store("ann", to, text, time))];
    if (chance(3) && !resumed) for (const name of [...rooms.keys()]) if (chance(3)) rooms.delete(name);
    const recent = history.filter(({ to }) => to === "ALL" || to === "ann").slice(-next(12) - 1);
    welcome({ ...listed(resumed ? missed : recent), RESUMED: resumed, MORE: !resumed });
    isLost = false;
    asked = [];
  }

  this.fixture = () => {
    welcome({ ...listed(several(3).filter(({ to }) => to === "ALL" || to === "ann")), DEFAULT: pick(["ALL", "#lab", "#nope"]), MORE: chance(2) });
    for (let left = 30 + next(40); left > 0; left -= 1) {
      if (isLost) whileLost();
      else pick(acts)();
      if (chance(6)) compared();
    }
    compared();
    return { about: `made up from ${seed}`, steps };
  };
}
