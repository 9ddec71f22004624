/** The arguments of a command: what is asked for in a form, and what is sent. */

/** @import { Argument, Command } from "./state/types.js" */

/**
 * How an argument is asked for: `flag` is a word that is there or not.
 *
 * @typedef {"text" | "lines" | "user" | "users" | "room" | "integer" | "duration" | "command" | "secret" | "choice" | "flag"} Kind
 */

/** @param {Argument} argument @returns {Kind} */
export function kindOf(argument) {
  if (argument.type === "secret") return "secret";
  if (argument.values.length === 1 && argument.optional) return "flag";
  if (argument.values.length > 0) return "choice";
  switch (argument.type) {
    case "user": case "users": case "room": case "integer": case "duration": case "command":
      return argument.type;
    default:
      return argument.rest ? "lines" : "text";
  }
}

/**
 * The arguments of a call, in their order, without those that were left out: the server tells words by their shape. Secrets have none, so
 * behind one that was left out there is no other: the server asks for both. A list of users is one argument for each. Nothing of a secret
 * is cut off: a blank at its end is a part of it.
 *
 * @param {Command} command
 * @param {readonly (string | null)[]} answers One for each argument; null and "" are left out.
 */
export function collected(command, answers) {
  /** @type {string[]} */
  const collected = [];
  let secrets = true;
  for (const [place, argument] of command.arguments.entries()) {
    const answer = answers[place] ?? "";
    const kind = kindOf(argument);
    if (kind === "secret") {
      secrets &&= answer !== "";
      if (secrets) collected.push(answer);
    } else if (kind === "users") {
      collected.push(...answer.split(/[\s,]+/u).filter((name) => name !== ""));
    } else if (answer.trim() !== "") {
      collected.push(answer.trim());
    }
  }
  return collected;
}

/**
 * Whether an argument is settled by what the form is about. What may be left out is only proposed, unless it is the first one: who mutes
 * somebody from a menu in a room may mean the whole server.
 *
 * @param {Command} command
 * @param {readonly (string | null)[]} given
 * @param {number} place
 */
export function isSettled(command, given, place) {
  return (given[place] ?? null) !== null && (place === 0 || command.arguments[place]?.optional !== true);
}

/**
 * Whether the user has to be asked for anything before the call. What can't be undone is no reason: the server asks before it does such a
 * thing (CM-2), and a question that comes twice is answered without being read.
 *
 * @param {Command} command
 * @param {readonly (string | null)[]} given
 */
export function asks(command, given) {
  return command.arguments.some((_, place) => !isSettled(command, given, place));
}
