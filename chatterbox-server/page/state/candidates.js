// Candidates of a completion: what is one, and in which order.

import { LOBBY, wireOf } from "./target.js";
import { OWN_COMMANDS } from "./own.js";
import { screen } from "../screen.js";
import { usage } from "./catalogue.js";

/**
 * @typedef {import("./types.js").View} View
 * @typedef {import("./types.js").Candidate} Candidate
 * @typedef {import("./types.js").Command} Command
 */

/** At most so many candidates are given. */
const MOST = 50;

/** The most characters of a candidate. */
const WORD = 100;

/** So many of the last items are looked at for who has spoken. */
const SPOKEN = 300;

/** What a word can become, each once and in the order in which they are added. */
export class Candidates {
  constructor() {
    /** @type {Candidate[]} */
    this.all = [];
  }

  /** Adds a candidate, unless it is there or there are enough. A name that would become another text when it is typed, or that can't be
   * shown as it is, is none.
   * @param {Candidate["kind"]} kind @param {string} word @param {string} behind @param {string} [shown] @param {string} [note] */
  add(kind, word, behind, shown = word, note = "") {
    const text = word + behind;
    const isWord = word !== "" && word.length <= WORD && !/\s/.test(word) && screen(word) === word;
    if (!isWord || this.all.length >= MOST || this.all.some((known) => known.text === text)) return;
    this.all.push({ kind, text, shown: screen(shown, WORD), note: screen(note, 200) });
  }
}

/** Whether a name begins with this, without regard to case. @param {string} name @param {string} typed */
export function begins(name, typed) {
  return name.toLowerCase().startsWith(typed.toLowerCase());
}

/** The users whose names begin with this, those who spoke last first; an exact name is the first of all.
 * @param {View} view @param {string} typed @param {string} sign @param {string} behind @param {Candidates} into */
export function addUsers(view, typed, sign, behind, into) {
  const me = view.me.toLowerCase();
  const speakers = spoken(view);
  const here = view.people.filter((person) => begins(person.name, typed) && person.name.toLowerCase() !== me);
  const rank = (/** @type {string} */ name) => (name.toLowerCase() === typed.toLowerCase() ? -1 : (speakers.get(name) ?? SPOKEN));
  const ranked = here.map((person) => ({ person, rank: rank(person.name) }));
  ranked.sort((one, other) => one.rank - other.rank);
  for (const { person } of ranked.slice(0, 2 * MOST)) into.add("user", sign + wireOf(person.target), behind, sign + person.name, away(person));
}

/** @param {import("./types.js").Person} person */
function away({ away: text }) {
  return text === null ? "" : text === "" ? "away" : `away: ${text}`;
}

/** Who has spoken last in the conversation in front: the smaller the number, the later. @param {View} view */
function spoken(view) {
  /** @type {Map<string, number>} */
  const ranks = new Map();
  const items = view.conversations.find((one) => one.target === view.front)?.items ?? [];
  for (let place = items.length - 1; place >= 0 && place >= items.length - SPOKEN; place -= 1) {
    const item = items[place];
    if (item?.kind === "message" && !item.own && !ranks.has(item.from)) ranks.set(item.from, ranks.size);
  }
  return ranks;
}

/** The rooms whose names begin with this, with their sign or without.
 * @param {View} view @param {string} typed @param {string} behind @param {Candidates} into */
export function addRooms(view, typed, behind, into) {
  for (const one of view.conversations) {
    const isMeant = begins(one.target, typed) || begins(one.target.slice(1), typed);
    if (one.kind === "room" && !one.gone && isMeant) into.add("room", one.target, behind, one.title, one.topic);
  }
}

/** The same, and everybody. @param {View} view @param {string} typed @param {string} behind @param {Candidates} into */
export function addRoomsAndAll(view, typed, behind, into) {
  addRooms(view, typed, behind, into);
  if (begins(LOBBY, typed)) into.add("room", LOBBY, behind, LOBBY, "everybody");
}

/** The commands that can follow a prefix; `sign` is what stands before the inserted name.
 * @param {View} view @param {string} prefix @param {string} sign @param {string} typed @param {boolean} blank whether one follows where
 * the command has arguments @param {Candidates} into */
export function addCommands(view, prefix, sign, typed, blank, into) {
  const own = prefix === "/" ? OWN_COMMANDS : [];
  const isOwn = (/** @type {string} */ name) => own.some((one) => one.name === name);
  const mine = own.map((one) => ({ rank: rankOf(one.name, [], typed), name: one.name, usage: one.usage, help: one.help, more: one.usage.includes(" ") }));
  const theirs = view.commands
    .filter((command) => prefix === view.prefix && !isOwn(command.name) && (!command.demo || typed !== ""))
    .map((command) => ({
      rank: rankOf(command.name, command.aliases, typed),
      name: command.name,
      usage: usage(prefix, command),
      help: command.help,
      more: command.arguments.length > 0,
    }));
  const fits = [...mine, ...theirs].filter((fit) => fit.rank !== null);
  fits.sort((one, other) => (one.rank ?? 0) - (other.rank ?? 0) || (one.name < other.name ? -1 : 1));
  for (const fit of fits) into.add("command", sign + fit.name, blank && fit.more ? " " : "", fit.usage, fit.help);
}

/** How well a name fits to what was typed: the smaller, the better; null: not at all.
 * @param {string} name @param {readonly string[]} aliases @param {string} typed */
function rankOf(name, aliases, typed) {
  const wanted = typed.toLowerCase();
  const all = [name, ...aliases].map((one) => one.toLowerCase());
  if (all.includes(wanted)) return 0;
  if (begins(name, typed)) return 1;
  if (all.some((alias) => alias.startsWith(wanted))) return 2;
  // One letter or two are in nearly all of them.
  return typed.length > 2 && name.toLowerCase().includes(wanted) ? 3 : null;
}
