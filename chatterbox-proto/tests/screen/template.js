// Written by `cargo test -p chatterbox-proto --test screen` with UPDATE_SCREEN=1; the test compares. Do not edit it.
//
// The only way from a text of the network to the page: whatever would act on a screen, reorder its neighbours or hide is spelled out, as
// `ScreenText` of chatterbox-proto does it. The tables are what that crate does with each character, so both spell out the same.

/** @typedef {readonly number[]} Table First and last character of each run, one after the other. */

/** Characters that control a screen, reorder text or can't be seen.
 * @type {Table} */
const ACTS_OR_HIDES = [/*ACTS*/];

/** Characters that are drawn with the one before them, whatever that is.
 * @type {Table} */
const MARKS = [/*MARKS*/];

/** Conjoining letters that stand behind another one.
 * @type {Table} */
const FOLLOWS = [/*FOLLOWS*/];

/** Marks that join the letter behind them to the one before.
 * @type {Table} */
const LINKERS = [/*LINKERS*/];

/** Conjoining letters that begin a syllable; several may.
 * @type {Table} */
const LEADING = [/*LEADING*/];

/** Characters that are drawn with the one behind them.
 * @type {Table} */
const PREFIXES = [/*PREFIXES*/];

/** More marks than this on one character are not shown: all of them would be drawn in one place. */
const MOST = /*MOST*/;

const JOINER = 0x200d;
const FIRST_MARK = 0x300;

/** Whether a character is in a table.
 * @param {Table} table @param {number} c */
function isIn(table, c) {
  let low = 0;
  let high = table.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (table[2 * middle + 1]) < c) low = middle + 1;
    else high = middle;
  }
  return low < table.length / 2 && /** @type {number} */ (table[2 * low]) <= c;
}

/** Whether a character controls a screen, reorders text, or can't be seen.
 * @param {number} c */
export function actsOrHides(c) {
  return isIn(ACTS_OR_HIDES, c);
}

/** Joiners and the variation selector of emoji hide, but many scripts and most emoji are made with them; behind a character beyond ASCII
 * they are harmless.
 * @param {number} c */
function isJoiner(c) {
  return c === 0x200c || c === JOINER || c === 0xfe0f;
}

/** Whether a character is a part of what the one before it began.
 * @param {number} before @param {number} c */
function isAttached(before, c) {
  if (c < FIRST_MARK) return false;
  return (
    isIn(MARKS, c) ||
    isIn(FOLLOWS, c) ||
    before === JOINER ||
    (isIn(LEADING, before) && isIn(LEADING, c)) ||
    (isIn(PREFIXES, before) && isIn(PREFIXES, c))
  );
}

/** What of a text needs a look at each character; everything else is shown as it is. */
const ORDINARY = /^[ -~\u00a1-\u00ac\u00ae-\u02ff]*$/;

/** One line that is safe to show, of at most `limit` characters of the text; `…` stands where some were left out.
 * @param {string} text @param {number} [limit]
 * @returns {import("./state/types.js").Shown} */
export function screen(text, limit = Infinity) {
  if (text.length <= limit && ORDINARY.test(text)) return text;
  let line = "";
  let before = 0;
  let joins = false;
  let marks = 0;
  let taken = 0;
  for (const character of text) {
    if (taken >= limit) return `${line}…`;
    taken += 1;
    // Half of a pair is no character; readers of JSON in other languages put this one in its place.
    const code = /** @type {number} */ (character.codePointAt(0));
    const c = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    const attached = isAttached(before, c) || (joins && c >= FIRST_MARK);
    joins = isIn(LINKERS, c) || (joins && isIn(MARKS, c));
    marks = attached ? marks + 1 : 0;
    if (marks === MOST + 1) line += "…";
    if (marks <= MOST) line += spelt(before, c);
    before = c;
  }
  return line;
}

/** @param {number} before @param {number} c */
function spelt(before, c) {
  if (c === 10) return "\\n";
  if (c === 13) return "\\r";
  if (c === 9) return "    ";
  if (isJoiner(c) && before >= 0x80) return String.fromCodePoint(c);
  return actsOrHides(c) ? `\\u{${c.toString(16)}}` : String.fromCodePoint(c);
}
