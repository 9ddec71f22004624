// Menus: the commands of the catalogue that are about a user, a room or a message.

import { LOBBY, isRoom, isUser, wireOf } from "./target.js";

/**
 * @typedef {import("./types.js").View} View
 * @typedef {import("./types.js").Subject} Subject
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./types.js").Argument} Argument
 * @typedef {import("./types.js").MenuEntry} MenuEntry
 */

/** What a subject says of arguments. @typedef {{ user: string | null, room: string | null, id: string | null }} Given */

/** The entries of the menu of a subject: a command whose first argument is a user stands in the menu of a user, one whose first is a room in
 * that of a room, and one that takes a room and then a user in that of a user in a room, too.
 * @param {View} view @param {Subject} subject @returns {MenuEntry[]} */
export function menuFor(view, subject) {
  const given = givenBy(view, subject);
  const entries = [];
  for (const command of view.commands) {
    if (!command.demo && isAbout(command, subject, given)) entries.push({ command, given: valuesOf(command, given) });
  }
  return entries.sort((one, other) => one.command.level - other.command.level || (one.command.name < other.command.name ? -1 : 1));
}

/** @param {Command} command @param {Subject} subject @param {Given} given */
function isAbout({ arguments: [first, second] }, subject, { user, room }) {
  if (first === undefined) return false;
  if (user !== null && namesUser(first)) return true;
  if (first.type !== "room" || room === null) return false;
  return subject.is === "conversation" || (user !== null && second !== undefined && !second.optional && namesUser(second));
}

/** Whether an argument is a user. What may be an address just as well, as in `ban`, is of type text and says so with its name.
 * @param {Argument} argument */
function namesUser({ type, name }) {
  return type === "user" || type === "users" || (type === "text" && name.toLowerCase() === "user");
}

/** @param {View} view @param {Subject} subject @returns {Given} */
function givenBy(view, subject) {
  if (subject.is === "user") {
    const person = view.people.find((one) => one.name === subject.name);
    return { user: person === undefined ? subject.name : wireOf(person.target), room: subject.room !== null && isRoom(subject.room) ? subject.room : null, id: null };
  }
  const { target } = subject;
  const room = isRoom(target) ? target : null;
  if (subject.is === "conversation") return { user: isUser(target) ? wireOf(target) : null, room: target === LOBBY ? LOBBY : room, id: null };
  const one = view.conversations.find((conversation) => conversation.target === target);
  const item = one?.items.find((known) => known.key === subject.key);
  if (item?.kind !== "message") return { user: null, room, id: null };
  const person = view.people.find((known) => known.name === item.from);
  return { user: item.own ? null : person === undefined ? item.from : wireOf(person.target), room, id: item.id === null ? null : String(item.id) };
}

/** @param {Command} command @param {Given} given */
function valuesOf(command, { user, room, id }) {
  let isNamed = false;
  return command.arguments.map((/** @type {Argument} */ argument) => {
    if (argument.type === "room") return room;
    if (argument.type === "integer" && argument.name.toLowerCase() === "id") return id;
    if (!namesUser(argument) || isNamed) return null;
    isNamed = true;
    return user;
  });
}
