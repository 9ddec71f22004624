// Words that somebody may have meant.

/** Longer words are not looked at. */
const LONGEST = 64;

/** Whether a word is near to another one: a letter too many, too few, another one, or two in the wrong order, for each three letters.
 * @param {string} typed @param {string} word */
export function isNear(typed, word) {
  if (typed.length < 2 || typed.length > LONGEST || word.length > LONGEST) return false;
  return distance(typed.toLowerCase(), word.toLowerCase()) <= Math.max(1, Math.floor(word.length / 3));
}

/** The nearest of words that are near; the first of several. @param {string} typed @param {readonly string[]} words */
export function nearest(typed, words) {
  const far = words.filter((word) => isNear(typed, word)).map((word) => ({ word, far: distance(typed.toLowerCase(), word.toLowerCase()) }));
  return far.sort((one, other) => one.far - other.far)[0]?.word;
}

/** @param {string} one @param {string} other */
function distance(one, other) {
  /** @type {number[]} */
  let before = [];
  let row = Array.from({ length: other.length + 1 }, (_, place) => place);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const same = one[at - 1] === other[to - 1];
      let least = Math.min((row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1, (row[to - 1] ?? 0) + (same ? 0 : 1));
      const isSwapped = at > 1 && to > 1 && one[at - 1] === other[to - 2] && one[at - 2] === other[to - 1];
      if (isSwapped) least = Math.min(least, (before[to - 2] ?? 0) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[other.length] ?? 0;
}
