// Completion: what the word at the caret can become, and what is known of the argument there.

import { addCommands, addRooms, addRoomsAndAll, addUsers, begins, Candidates } from "./candidates.js";
import { isPassedOver, usageOf } from "./catalogue.js";
import { isNear } from "./near.js";
import { OWN_COMMANDS } from "./own.js";

/**
 * @typedef {import("./types.js").View} View
 * @typedef {import("./types.js").Completion} Completion
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./types.js").Argument} Argument
 */

/** Lengths of time to choose from. */
const DURATIONS = ["10m", "1h", "1d", "7d", "forever"];

/** Texts that are longer than any command are not looked at. */
const LONGEST = 20_000;

/** What the word before the caret can become. It is `asked` for by Tab; else it is offered while the user types, where names are only
 * completed behind their sign. @param {View} view @param {string} text @param {number} caret @param {boolean} asked @returns {Completion} */
export function complete(view, text, caret, asked) {
  const nothing = { from: caret, to: caret, candidates: [], usage: null, about: [], secret: null };
  if (text.length > LONGEST) return nothing;
  const before = text.slice(0, caret);
  const from = wordBefore(before);
  const word = before.slice(from);
  const into = new Candidates();
  /** @type {Pick<Completion, "usage" | "about">} */
  let known = { usage: null, about: [] };
  const prefix = prefixOf(view, before);
  if (prefix === null) namesInText(view, word, from === 0, asked, into);
  else if (from === 0) addCommands(view, prefix, prefix, word.slice(prefix.length), true, into);
  else known = behindCommand(view, prefix, before.slice(prefix.length, from), word, asked, into);
  const isBlankBehind = /^\s/.test(text.slice(caret));
  const candidates = isBlankBehind ? into.all.map((one) => ({ ...one, text: one.text.trimEnd() })) : into.all;
  return { from, to: caret, candidates, ...known, secret: secretOf(view, text) };
}

/** What Tab makes of the word where there are several candidates and none is chosen: the one that it begins, or what all of those have in
 * common that it begins; null: nothing is certain. @param {Completion} completion @param {string} text
 * @returns {{ candidate: import("./types.js").Candidate } | { common: string } | null} */
export function begun({ candidates, from, to }, text) {
  const typed = text.slice(from, to).toLowerCase();
  const [first, ...others] = candidates.filter((one) => one.text.toLowerCase().startsWith(typed));
  if (typed === "" || first === undefined) return null;
  if (others.length === 0) return { candidate: first };
  let end = first.text.trimEnd().length;
  for (const { text: other } of others) {
    while (end > 0 && other.slice(0, end).toLowerCase() !== first.text.slice(0, end).toLowerCase()) end -= 1;
  }
  // Characters are not cut in two.
  if (/[\ud800-\udbff]/.test(first.text[end - 1] ?? "")) end -= 1;
  return end > typed.length ? { common: first.text.slice(0, end) } : null;
}

/** The place where the last word of a text begins. @param {string} text */
function wordBefore(text) {
  return text.length - (/\S*$/.exec(text)?.[0].length ?? 0);
}

/** The prefix that makes a command of a text. Twice the prefix is a text that begins with it. @param {View} view @param {string} text */
function prefixOf(view, text) {
  const isCommand = (/** @type {string} */ prefix) => text.startsWith(prefix) && !text.slice(prefix.length).startsWith(prefix);
  return [view.prefix, "/"].find(isCommand) ?? null;
}

/** The names that a word of a text can become. `isFirst`: nothing is before it, so it can say to whom the text goes.
 * @param {View} view @param {string} word @param {boolean} isFirst @param {boolean} asked @param {Candidates} into */
function namesInText(view, word, isFirst, asked, into) {
  if (word.startsWith("@")) {
    addUsers(view, word.slice(1), "@", " ", into);
    if (isFirst && begins("ALL", word.slice(1))) into.add("user", "@ALL", " ", "@ALL", "everybody");
  } else if (word.startsWith("#")) {
    addRooms(view, word, " ", into);
  } else if (asked && word !== "") {
    addUsers(view, word, "", isFirst ? ": " : " ", into);
  }
}

/** @param {View} view @param {string} name */
function find(view, name) {
  const wanted = name.toLowerCase();
  const is = (/** @type {string} */ one) => one.toLowerCase() === wanted;
  return view.commands.find((command) => is(command.name)) ?? view.commands.find((command) => command.aliases.some(is));
}

/** What the word behind a command and others can become; `typed` is all between the prefix and the word.
 * @param {View} view @param {string} prefix @param {string} typed @param {string} word @param {boolean} asked @param {Candidates} into */
function behindCommand(view, prefix, typed, word, asked, into) {
  const [name = "", ...words] = typed.split(/\s+/).filter(Boolean);
  const own = prefix === "/" ? OWN_COMMANDS.find((one) => one.name === name) : undefined;
  if (own !== undefined) {
    if (words.length === 0) ownArgument(view, own.argument, word, into);
    return { usage: null, about: [own.usage, own.help] };
  }
  const command = find(view, name);
  if (command === undefined) return { usage: null, about: [] };
  const current = argumentAt(view, command, words, word, asked, into);
  const shown = command.arguments.map((argument) => ({ text: usageOf(argument), current: argument === current }));
  return { usage: { name: prefix + command.name, arguments: shown }, about: current === undefined ? [command.help] : aboutArgument(current) };
}

/** @param {View} view @param {import("./own.js").OwnArgument | null} argument @param {string} word @param {Candidates} into */
function ownArgument(view, argument, word, into) {
  const name = word.replace(/^@/, "");
  if (argument === "command") commandByName(view, word, into);
  if (argument === "target") addRoomsAndAll(view, word, "", into);
  if (argument === "target" || argument === "user") addUsers(view, name, "@", "", into);
}

/** Adds what the arguments at the caret can be, and gives the one that is meant.
 * @param {View} view @param {Command} command @param {string[]} words @param {string} word @param {boolean} asked @param {Candidates} into */
function argumentAt(view, command, words, word, asked, into) {
  const all = possible(command, words);
  // Behind a secret nothing is looked for: what is typed may be that secret still.
  const secret = all.findIndex((argument) => argument.type === "secret");
  let named;
  for (const argument of secret < 0 ? all : all.slice(0, secret)) {
    const before = into.all.length;
    addValues(view, argument, argument === command.arguments.at(-1), word, asked, into);
    if (into.all.length > before) named ??= argument;
  }
  if (word === "") return all[0];
  const isMeant = (/** @type {Argument} */ argument) => !isPassedOver(argument, argument === command.arguments.at(-1), word);
  return named ?? all.find(isMeant) ?? all[0];
}

/** The arguments that the next word can be: those that may be left out, and the first that may not.
 * @param {Command} command @param {string[]} words @returns {Argument[]} */
function possible(command, words) {
  const all = command.arguments;
  let place = 0;
  for (const word of words) {
    let argument = all[place];
    while (argument !== undefined && isPassedOver(argument, place + 1 === all.length, word)) {
      place += 1;
      argument = all[place];
    }
    const takesMore = argument === undefined || argument.rest || argument.type === "users";
    place += takesMore ? 0 : 1;
  }
  const rest = all.slice(place);
  const last = rest.findIndex((argument) => !argument.optional);
  return last < 0 ? rest : rest.slice(0, last + 1);
}

/** What an argument can be. @param {View} view @param {Argument} argument @param {boolean} isLast @param {string} word @param {boolean} asked
 * @param {Candidates} into */
function addValues(view, argument, isLast, word, asked, into) {
  const behind = isLast ? "" : " ";
  if (argument.values.length > 0) {
    for (const value of argument.values) if (begins(value, word)) into.add("value", value, behind);
    return;
  }
  const sign = word.startsWith("@") ? "@" : "";
  const name = word.slice(sign.length);
  switch (argument.type) {
    case "user":
      return addUsers(view, name, sign, behind, into);
    case "users":
      return addUsers(view, name, sign, " ", into);
    case "room":
      return addRoomsAndAll(view, word, behind, into);
    case "command":
      return commandByName(view, word, into);
    case "duration":
      return durations(word, behind, into);
    case "text":
      return argument.rest ? namesInText(view, word, false, asked, into) : undefined;
  }
}

/** @param {View} view @param {string} word @param {Candidates} into */
function commandByName(view, word, into) {
  const sign = word.startsWith(view.prefix) ? view.prefix : "";
  addCommands(view, view.prefix, sign, word.slice(sign.length), false, into);
}

/** @param {string} word @param {string} behind @param {Candidates} into */
function durations(word, behind, into) {
  const isNumber = /^[0-9]+$/.test(word);
  const all = isNumber ? ["s", "m", "h", "d"].map((unit) => word + unit) : DURATIONS.filter((one) => begins(one, word));
  for (const duration of all) into.add("value", duration, behind);
}

/** @param {Argument} argument */
function aboutArgument(argument) {
  const help = argument.help === "" && argument.type === "duration" ? "30s, 10m, 2h, 7d or forever" : argument.help;
  const about = help === "" ? [] : [`${argument.name.toUpperCase()}: ${help}`];
  return argument.values.length === 0 ? about : [...about, `one of ${argument.values.join(", ")}`];
}

/** The place from which a text is a secret: an argument of that type, or what may be one behind a command that is mistyped.
 * @param {View} view @param {string} text */
function secretOf(view, text) {
  const prefix = prefixOf(view, text);
  if (prefix === null) return null;
  const [name = ""] = text.slice(prefix.length).split(/\s/, 1);
  const hides = (/** @type {Command} */ command) => command.arguments.some((argument) => argument.type === "secret");
  const near = (/** @type {Command} */ command) => hides(command) && [command.name, ...command.aliases].some((one) => isNear(name, one));
  const command = find(view, name) ?? view.commands.find(near);
  if (command === undefined || !hides(command)) return null;
  const secret = command.arguments.findIndex((argument) => argument.type === "secret");
  // What may be left out before it may be left out: the secret is there then.
  const words = command.arguments.slice(0, secret).filter((argument) => !argument.optional).length;
  const behind = new RegExp(`^\\S*(\\s+\\S+){${words}}\\s+`).exec(text);
  return behind === null ? null : behind[0].length;
}
