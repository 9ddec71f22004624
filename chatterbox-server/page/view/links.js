/** The links in a text. Only what `URL` takes for an http or https address becomes one; everything else stays text. */

const CANDIDATE = /https?:\/\/[^\s<>"\\]+/gi;
/** Of a line; more than these stay text. */
const MOST = 50;
const LONGEST = 2000;

const CLOSED = new Map([["(", ")"], ["[", "]"], ["{", "}"]]);

/**
 * The pieces of a line, in order: texts, and addresses with their texts.
 *
 * @param {string} line
 * @returns {(string | { text: string, href: string })[]}
 */
export function pieces(line) {
  /** @type {(string | { text: string, href: string })[]} */
  const found = [];
  let end = 0;
  let links = 0;
  for (const match of line.matchAll(CANDIDATE)) {
    if (links === MOST) break;
    // What is too long is none, whatever it ends with.
    if (match[0].length > LONGEST) continue;
    const text = withoutPunctuation(match[0]);
    const href = address(text);
    if (href === null) continue;
    if (match.index > end) found.push(line.slice(end, match.index));
    found.push({ text, href });
    end = match.index + text.length;
    links += 1;
  }
  if (end < line.length) found.push(line.slice(end));
  return found;
}

/** What ends a sentence is no part of the address, nor is a bracket that is not opened in it. @param {string} text */
function withoutPunctuation(text) {
  /** How many more are opened than closed, of each kind. @type {Map<string, number>} */
  const open = new Map([[")", 0], ["]", 0], ["}", 0]]);
  const add = (/** @type {string} */ kind, /** @type {number} */ count) => open.set(kind, (open.get(kind) ?? 0) + count);
  for (const character of text) {
    const closed = CLOSED.get(character);
    if (closed !== undefined) add(closed, 1);
    else if (open.has(character)) add(character, -1);
  }
  let end = text.length;
  while (end > 0) {
    const last = text[end - 1] ?? "";
    const balance = open.get(last);
    if (balance === undefined ? !".,;:!?'*_~…。，、！？）」』》”’".includes(last) : balance >= 0) break;
    if (balance !== undefined) add(last, 1);
    end -= 1;
  }
  return text.slice(0, end);
}

/** A name and a password in an address make it look like another one (`https://bank.example@evil.example`), so that is no link. @param {string} text */
function address(text) {
  const url = URL.parse ? URL.parse(text) : parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
  return url.username === "" && url.password === "" ? url.href : null;
}

/** @param {string} text */
function parse(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
