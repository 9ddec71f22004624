/** The links in a text. Only what `URL` takes for an http or https address becomes one; everything else stays text. */

const CANDIDATE = /https?:\/\/[^\s<>"\\]+/gi;
/** Of a line; more than these stay text. */
const MOST = 50;
const LONGEST = 2000;

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
  let end = text.length;
  while (end > 0) {
    const last = text[end - 1] ?? "";
    const opened = { ")": "(", "]": "[", "}": "{" }[last];
    if (opened !== undefined && text.slice(0, end).split(opened).length >= text.slice(0, end).split(last).length) break;
    if (opened === undefined && !".,;:!?'*_~…。，、！？）」』》”’".includes(last)) break;
    end -= 1;
  }
  return text.slice(0, end);
}

/** A name and a password in an address make it look like another one (`https://bank.example@evil.example`), so that is no link. @param {string} text */
function address(text) {
  if (text.length > LONGEST) return null;
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
