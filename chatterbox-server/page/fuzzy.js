/** Fuzzy search: which of many names somebody means who types some of their letters. */

/** At most so many are found. */
export const FOUND = 50;

/** The most characters of a name, and of what is typed, that are looked at. */
const NAME = 120;
const TYPED = 60;

/** The form in which texts are compared: without regard to case, and to how a character is put together. @param {string} text */
export function folded(text) {
  return text.normalize("NFKC").toLowerCase();
}

/**
 * How well a name fits: the higher, the better; null: not at all. The letters of what is typed have to be there, in this order. Letters in
 * a row and at the beginning of words are worth more, and so is a short name; letters here and there are nothing. Both are folded.
 *
 * @param {string} name
 * @param {string} typed
 */
export function fit(name, typed) {
  const wanted = [...typed.slice(0, TYPED)].filter((letter) => letter.trim() !== "");
  if (wanted.length === 0) return 0;
  const at = name.indexOf(typed);
  if (at === 0) return 1000 - name.length;
  if (at > 0 && startsWord(name, at)) return 800 - name.length;
  let worth = at > 0 ? 300 : 0;
  let place = 0;
  let row = 0;
  for (const letter of wanted) {
    const next = name.indexOf(letter, place);
    if (next < 0) return null;
    row = next === place && place > 0 ? row + 1 : 0;
    worth += row * 5 + (startsWord(name, next) ? 12 : 0) - Math.min(next - place, 5);
    place = next + letter.length;
  }
  worth -= name.length / 10;
  return worth > 0 ? worth : null;
}

/** @param {string} name @param {number} at */
function startsWord(name, at) {
  return at === 0 || !/[\p{L}\p{N}]/u.test(name[at - 1] ?? "");
}

/** The names of what was searched before, in the form in which they are compared. @type {WeakMap<object, readonly string[]>} */
const known = new WeakMap();

/** @param {object} one @param {() => readonly string[]} names */
function foldedNames(one, names) {
  let all = known.get(one);
  if (all === undefined) {
    all = names().map((name) => folded(name.slice(0, NAME)));
    known.set(one, all);
  }
  return all;
}

/**
 * Those that fit best, the best one first; those that fit equally well stay in their order. `names` gives what one is found by, the
 * first of which counts most.
 *
 * @template {object} One
 * @param {readonly One[]} all
 * @param {string} typed
 * @param {(one: One) => readonly string[]} names
 */
export function search(all, typed, names) {
  const wanted = folded(typed.trim());
  if (wanted === "") return all.slice(0, FOUND);
  const found = [];
  for (const one of all) {
    let best = null;
    for (const [place, name] of foldedNames(one, () => names(one)).entries()) {
      const worth = fit(name, wanted);
      // In a long text about it, whole words count, or nearly everything would be found by two letters.
      if (worth === null || (place > 0 && worth < 100)) continue;
      if (best === null || worth - place * 100 > best) best = worth - place * 100;
    }
    if (best !== null) found.push({ one, best });
  }
  return found.sort((a, b) => b.best - a.best).slice(0, FOUND).map(({ one }) => one);
}
