// The commands of this page: one table for help and completion.

/** @typedef {"command" | "target" | "user"} OwnArgument */

/** @type {readonly { name: string, usage: string, help: string, argument: OwnArgument | null }[]} */
export const OWN_COMMANDS = [
  { name: "help", usage: "/help [NAME]", help: "every command, or how one is used", argument: "command" },
  { name: "room", usage: "/room NAME", help: "goes to #NAME, @NAME or ALL", argument: "target" },
  { name: "reply", usage: "/reply last|@NAME|ID TEXT", help: "answers what was said last here, what NAME said last, or the message of that number", argument: "user" },
  { name: "close", usage: "/close [@NAME]", help: "takes a conversation with a user off the list", argument: "user" },
  { name: "history", usage: "/history", help: "loads older messages of this conversation, above the others", argument: null },
  { name: "quit", usage: "/quit", help: "leaves the chat", argument: null },
];
