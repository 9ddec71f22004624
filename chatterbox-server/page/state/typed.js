// What is typed: a message, a command of the server, or one of this page.

import { askOlder } from "./history.js";
import { callLine } from "./calling.js";
import { usage } from "./catalogue.js";
import { OWN_COMMANDS } from "./own.js";
import { parse } from "./parse.js";
import { open, close } from "./opening.js";
import { LOBBY, parseTarget } from "./target.js";
import { answered } from "./reply.js";
import { sayInFront, sayTo } from "./say.js";
import { screen } from "../screen.js";

/** @typedef {import("./core.js").Core} Core */

/** So many commands are listed by `/help`. */
const LISTED = 200;

const SECRET = "it may be the secret that a command was to ask for; send it again if it is none";

/** Takes what is typed, with whatever it begins. @param {Core} core @param {string} text @param {number} now */
export function typed(core, text, now) {
  if (!guard(core, text, now)) return;
  const rooms = core.hasRooms();
  const parsed = parse(text, rooms);
  const { prefix } = core.catalogue;
  // A server's prefix other than the slash comes before this page's own commands.
  if (prefix !== "/" && text.startsWith(prefix)) {
    const behind = text.slice(prefix.length);
    if (behind.startsWith(prefix)) return sayInFront(core, behind, now);
    return command(core, text, () => callLine(core, behind, text, now), now);
  }
  switch (parsed.is) {
    case "nothing":
      return;
    case "said":
      return sayInFront(core, parsed.text, now);
    case "said to":
      return sayTo(core, parsed.to, parsed.text, text, now);
    case "no text":
      return core.notSent(`it takes a text after ${screen(parsed.to, 40)}`, now, text);
    case "command":
      return command(core, text, () => own(core, parsed.name, parsed.rest, text, now), now);
  }
}

/** Says a text of any number of lines to who is in front, whatever it begins with. @param {Core} core @param {string} text @param {number} now */
export function say(core, text, now) {
  if (guard(core, text, now) && text.trim() !== "") sayInFront(core, text, now);
}

/** Whether a text may be said: it could be a secret that was not meant for the chat. @param {Core} core @param {string} text @param {number} now */
function guard(core, text, now) {
  if (core.calls.questions.length > 0) {
    // What may be a secret is not put back to where it can be seen.
    const isSecret = core.calls.questions.some((question) => question.secret);
    core.notSent("the server asks something first, and this may be the answer", now, isSecret ? null : text);
    return false;
  }
  if (core.calls.secretIsDue(text)) {
    core.notSent(SECRET, now);
    return false;
  }
  const lines = text.split("\n", 1000);
  const isHidden = lines.some((line, place) => (place > 0 || lines.length > 1 || /^\s/.test(line)) && core.catalogue.hasSecret(line));
  if (isHidden) core.notSent("a command with a secret is a line of its own, without a blank before it", now, text);
  return !isHidden;
}

/** A command is one line; several lines that only look like one are a text. @param {Core} core @param {string} text @param {() => void} run
 * @param {number} now */
function command(core, text, run, now) {
  if (!text.trimEnd().includes("\n")) return run();
  const name = text.split(/\s/, 1)[0]?.replace(/^\W+/, "") ?? "";
  if (core.catalogue.find(name) === undefined && !OWN.has(name)) return sayInFront(core, text, now);
  core.notSent("a command is one line", now, text);
}

/** A command of this page. @typedef {(core: Core, rest: string, text: string, now: number) => void} Own */

/** Those that the page has beside the server's. @type {ReadonlyMap<string, Own>} */
const OWN = new Map([
  ["help", help],
  ["reply", reply],
  ["room", goTo],
  ["close", closeNamed],
  ["name", rename],
  ["history", older],
  ["quit", leave],
]);

/** @param {Core} core @param {string} name @param {string} rest @param {string} text @param {number} now */
function own(core, name, rest, text, now) {
  const run = OWN.get(name);
  if (run !== undefined) run(core, rest, text, now);
  else callLine(core, text.slice(1), text, now);
}

/** @type {Own} */
function help(core, rest, text, now) {
  const { commands, prefix } = core.catalogue;
  const name = rest.startsWith(prefix) ? rest.slice(prefix.length) : rest;
  const about = core.catalogue.find(name);
  if (about !== undefined) {
    const lines = about.arguments.filter((argument) => argument.help !== "").map((argument) => `  ${argument.name.toUpperCase()}: ${argument.help}`);
    return core.say([usage(prefix, about), `  ${about.help}`, ...lines], now, "result");
  }
  const mine = OWN_COMMANDS.map((one) => ({ usage: one.usage, help: one.help }));
  const names = new Set(OWN_COMMANDS.map((one) => one.name));
  const theirs = commands.filter((one) => !one.demo && !names.has(one.name)).map((one) => ({ usage: usage(prefix, one), help: one.help }));
  const rows = [...mine, ...theirs].slice(0, LISTED).map((one) => [one.usage, one.help]);
  const table = { columns: ["COMMAND", "HELP"], rows };
  core.model.notice(core.model.front, { tone: "result", lines: rest === "" ? [] : [`There is no command ${screen(rest, 40)}.`], table, time: now });
}

/** @type {Own} */
function goTo(core, rest, text, now) {
  if (rest === "" || /\s/.test(rest)) return core.notSent("it takes #NAME, @NAME or ALL", now, text);
  const isNamed = rest.startsWith("@") || rest.startsWith("#") || rest === LOBBY;
  if (rest.toLowerCase() === "lobby" && core.rooms.find("#lobby") === undefined) return open(core, LOBBY, now);
  open(core, isNamed ? parseTarget(rest, core.hasRooms()) : `#${rest}`, now);
}

/** @type {Own} */
function reply(core, rest, text, now) {
  if (!core.agreed.has("meta")) return callLine(core, text.slice(1), text, now);
  const [, which = "", said = ""] = /^(\S+)\s+([^]*)$/.exec(rest) ?? [];
  const id = said.trim() === "" ? undefined : answered(core, which);
  if (id === undefined) return core.notSent("it takes what is answered (last, @NAME or a number), and a text", now, text);
  if (id === null) return core.notSent("what you answer is not loaded here", now, text);
  sayInFront(core, said, now, id);
}

/** @type {Own} */
function closeNamed(core, rest, text, now) {
  const target = rest === "" ? core.model.front : parseTarget(rest, core.hasRooms());
  if (!target.startsWith("@")) return core.notSent("only a conversation with one user is closed", now, text);
  close(core, target, now);
}

/** @type {Own} */
function older(core, rest, text, now) {
  if (rest !== "") return core.notSent("it takes nothing more", now, text);
  const one = core.model.list.find(core.model.front);
  if (one?.older === "beginning") return core.say(["The beginning is here: there is nothing older."], now);
  core.say(["What is older comes above: scroll up, or press Page Up."], now);
  askOlder(core, core.model.front, false, now);
}

/** @type {Own} */
function rename(core, rest, text, now) {
  if (rest === "") return core.say([`You are ${screen(core.me, 64)}.`], now);
  callLine(core, `nick ${rest}`, text, now);
}

/** @type {Own} */
function leave(core) {
  core.leaving = true;
  core.effects.push({ redial: false }, { disconnect: "you have left" });
}
