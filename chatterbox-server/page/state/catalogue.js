// The server's catalogue of commands (CM-1): finds a command, and parses its arguments.

import { boolean, level, list, member, text } from "./read.js";
import { screen } from "../screen.js";
import { LOBBY } from "./target.js";

/**
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./types.js").Argument} Argument
 */

/** A line that is a call; `asked`: a secret was left out, which the server will ask for; `owed`: the command is nothing without it, while a
 * room may well have no password.
 * @typedef {{ command: Command, arguments: string[], asked: boolean, owed: boolean }} Call */

/** What is typed before a command of this page, and of most servers. */
export const SLASH = "/";

/** The most commands, arguments and words that are kept. */
const COMMANDS = 1000;
const ARGUMENTS = 64;
const WORDS = 100;

/** The most characters of a name of a command or an argument, and of a text about it. */
const NAME = 64;
const TEXT = 1000;

export class Catalogue {
  constructor() {
    /** @type {readonly Command[]} */
    this.commands = [];
    this.prefix = SLASH;
    /** Whether the server has sent it. */
    this.isThere = false;
  }

  /** Applies what the server has sent: new commands, a new prefix, or both. @param {unknown} commands @param {unknown} prefix */
  update(commands, prefix) {
    const all = list(commands);
    if (all !== null) {
      this.commands = all.slice(0, COMMANDS).map(readCommand).filter((command) => command !== null);
      this.isThere = true;
    }
    const typed = text(prefix);
    // A prefix that ordinary text could begin with would swallow it.
    if (typed !== null && /^[^\s\p{L}\p{N}@#][^\s\p{L}\p{N}]{0,7}$/u.test(typed) && screen(typed) === typed) this.prefix = typed;
  }

  /** The command of this name or alias, without regard to case (CM-2). @param {string} name */
  find(name) {
    const wanted = name.toLowerCase();
    return (
      this.commands.find((command) => command.name.toLowerCase() === wanted) ??
      this.commands.find((command) => command.aliases.some((alias) => alias.toLowerCase() === wanted))
    );
  }

  /** Parses a line without its prefix, or says why it is no call. A room that is left out is the one in front.
   * @param {string} line @param {string} front @returns {Call | { error: string }} */
  read(line, front) {
    const [name, behind] = firstWord(line);
    const command = this.find(name);
    if (command === undefined) return { error: `there is no command ${this.prefix}${screen(name, 40)}` };
    let rest = behind;
    let asked = false;
    let passedOver = 0;
    /** @type {string[]} */
    const values = [];
    for (const [place, argument] of command.arguments.entries()) {
      rest = rest.trimStart();
      const isLast = place + 1 === command.arguments.length;
      if (argument.type === "room" && argument.optional && values.length + passedOver === place && !namesRoom(rest, isLast)) {
        // Behind other arguments, no room at all has a meaning of its own: the server as a whole.
        if (place === 0 || front !== LOBBY) values.push(front);
        continue;
      }
      if (argument.optional && !isLast && !hasShape(argument, firstWord(rest)[0])) {
        passedOver += 1;
        continue;
      }
      if (rest === "") {
        // Secrets may be left out even where they are required: the server asks for them, off the screen.
        if (argument.type === "secret") asked = true;
        else if (!argument.optional) return { error: `${argument.name.toUpperCase()} is missing: ${usage(this.prefix, command)}` };
        continue;
      }
      if (argument.type === "users") {
        values.push(...rest.split(/\s+/).filter(Boolean).map(withoutSign));
        rest = "";
      } else if (argument.rest) {
        values.push(rest.trimEnd());
        rest = "";
      } else {
        const [word, next] = firstWord(rest);
        rest = next;
        if (argument.type === "integer" && !isInteger(word)) {
          return { error: `${argument.name.toUpperCase()} has to be a whole number: ${usage(this.prefix, command)}` };
        }
        values.push(this.valueOf(argument, word));
      }
    }
    // Surplus arguments are sent as well: the server knows more about its commands than the catalogue says.
    values.push(...rest.split(/\s+/).filter(Boolean));
    const owed = asked && !command.arguments.some((argument) => argument.type === "room");
    return { command, arguments: values, asked, owed };
  }

  /** @private @param {Argument} argument @param {string} word */
  valueOf(argument, word) {
    if (argument.type === "user") return withoutSign(word);
    return argument.type === "command" && word.startsWith(this.prefix) ? word.slice(this.prefix.length) : word;
  }

  /** Whether a line is a command that may have a secret behind it. @param {string} line */
  hasSecret(line) {
    const [first] = firstWord(line.trimStart());
    const prefix = [this.prefix, SLASH].find((sign) => first.startsWith(sign));
    const command = prefix === undefined ? undefined : this.find(first.slice(prefix.length));
    return command?.arguments.some((argument) => argument.type === "secret") ?? false;
  }
}

/** `/msg USER TEXT...`, with brackets around what may be left out. @param {string} prefix @param {Command} command */
export function usage(prefix, command) {
  return [`${prefix}${command.name}`, ...command.arguments.map(usageOf)].join(" ");
}

/** @param {Argument} argument */
export function usageOf(argument) {
  const name = argument.name.startsWith("-") ? argument.name : argument.name.toUpperCase();
  const shown = argument.rest ? `${name}...` : name;
  return argument.optional ? `[${shown}]` : shown;
}

/** Whether this argument, which may be left out, is left out where this word stands in its place.
 * @param {Argument} argument @param {boolean} isLast @param {string} word */
export function isPassedOver(argument, isLast, word) {
  const fits = argument.type === "room" ? namesRoom(word, isLast) : isLast || hasShape(argument, word);
  return argument.optional && !fits;
}

/** Whether the rest of a line begins with a room, where one may be left out: a word that is the last argument is one without its sign as
 * well. @param {string} rest @param {boolean} isLast */
function namesRoom(rest, isLast) {
  const [word] = firstWord(rest);
  return word.startsWith("#") || word === LOBBY || (isLast && word !== "");
}

/** Whether a word can be this argument: a number, a duration and a fixed word are told by what they look like, so any of them may be left
 * out before others. @param {Argument} argument @param {string} word */
function hasShape(argument, word) {
  if (argument.type === "integer") return isInteger(word);
  if (argument.type === "duration") return /^(forever|[0-9]+[smhd])$/i.test(word);
  return argument.values.length === 0 || argument.values.includes(word);
}

/** @param {string} word */
function isInteger(word) {
  return /^[+-]?[0-9]{1,18}$/.test(word);
}

/** @param {string} line @returns {[string, string]} */
export function firstWord(line) {
  const blank = line.search(/\s/);
  return blank < 0 ? [line, ""] : [line.slice(0, blank), line.slice(blank + 1)];
}

/** Takes the `@` off `@bob`. @param {string} word */
function withoutSign(word) {
  return word.length > 1 && word.startsWith("@") ? word.slice(1) : word;
}

/** A word that can be typed and shown as it is. @param {unknown} value */
function word(value) {
  const read = text(value);
  return read !== null && read !== "" && read.length <= NAME && !/\s/.test(read) && screen(read) === read ? read : null;
}

/** @param {unknown} value @param {number} most */
function words(value, most) {
  return (list(value) ?? []).slice(0, most).map(word).filter((one) => one !== null);
}

/** @param {unknown} value @returns {Command | null} */
function readCommand(value) {
  const name = word(member(value, "NAME"));
  if (name === null) return null;
  return {
    name,
    aliases: words(member(value, "ALIASES"), WORDS),
    help: screen(text(member(value, "HELP")) ?? "", TEXT),
    example: screen(text(member(value, "EXAMPLE")) ?? "", TEXT),
    level: level(member(value, "LEVEL")) ?? 0,
    confirm: member(value, "CONFIRM") === true,
    demo: member(value, "DEMO") === true,
    arguments: (list(member(value, "ARGUMENTS")) ?? []).slice(0, ARGUMENTS).map(readArgument),
  };
}

/** @param {unknown} value @returns {Argument} */
function readArgument(value) {
  return {
    name: screen(text(member(value, "NAME")) ?? "", NAME),
    type: word(member(value, "TYPE")) ?? "text",
    optional: boolean(member(value, "OPTIONAL")) ?? false,
    rest: boolean(member(value, "REST")) ?? false,
    help: screen(text(member(value, "HELP")) ?? "", TEXT),
    values: words(member(value, "VALUES"), WORDS),
  };
}
