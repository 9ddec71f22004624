// The syntax of what is typed: messages, messages to somebody, and the commands of this page.

import { firstWord } from "./catalogue.js";

/**
 * @typedef {{ is: "nothing" }
 *   | { is: "said", text: string }
 *   | { is: "said to", to: string, text: string }
 *   | { is: "no text", to: string }
 *   | { is: "command", name: string, rest: string }} Parsed
 * `said` is for the conversation in front; `said to` is for `ALL`, a room or a user.
 */

/** Parses a text; `rooms` says whether there are any. What is sent keeps its white space (T4-2).
 * @param {string} line @param {boolean} rooms @returns {Parsed} */
export function parse(line, rooms) {
  if (line.trim() === "") return { is: "nothing" };
  const rest = line.slice(1);
  const sign = line.charAt(0);
  // Twice the sign is a text that begins with it once.
  if ((sign === "/" || sign === "@" || (rooms && sign === "#")) && rest.startsWith(sign)) return { is: "said", text: rest };
  if (sign === "/") {
    const [name, behind] = firstWord(rest);
    return { is: "command", name, rest: behind.trim() };
  }
  if (sign === "@") return addressed(line, rest);
  // `# text` is nothing but a text.
  if (rooms && sign === "#" && !/^(\s|$)/.test(rest)) return addressed(line, line);
  return { is: "said", text: line };
}

/** @param {string} line @param {string} behind the name and the text @returns {Parsed} */
function addressed(line, behind) {
  const [to, text] = firstWord(behind);
  if (to === "" || text.trim() === "") return { is: "no text", to: line.trim() };
  return { is: "said to", to, text };
}
