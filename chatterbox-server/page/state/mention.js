// Whether a text names somebody.

/** So much of a text around a name decides whether it stands alone. */
const AROUND = 64;

/** So many places in one text are looked at. */
const PLACES = 100;

const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const LETTER = /[\p{L}\p{N}_]/u;
const ALPHANUMERIC = /[\p{Alphabetic}\p{N}]/u;
const MARK = /[\p{M}\u200c\u200d]/u;
const KATAKANA = /[\p{Script=Katakana}\u30fc\uff70]/u;

/** Scripts in which words are not set apart: by UAX 29 each of these characters is one, while browsers look into dictionaries. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const words = typeof Intl === "object" && "Segmenter" in Intl ? new Intl.Segmenter("en", { granularity: "word" }) : null;

/** Whether a text has a name as a whole: as words are bounded by UAX 29, so `ann` is neither in `anna` nor in `ann_b`. Case is not
 * regarded. Beyond UAX 29, a name may be followed by an apostrophe or a colon (`ann's`, `ann:yes`), and a hyphen or an `@` between letters
 * makes one word of both (`ann-marie`, `ann@example.org`), since names may have a hyphen.
 * @param {string} text @param {string} name */
export function mentions(text, name) {
  const wanted = name.toLowerCase();
  if (wanted === "") return false;
  const said = text.toLowerCase();
  let at = said.indexOf(wanted);
  for (let places = 0; at >= 0 && places < PLACES; places += 1) {
    if (standsAlone(said, at, at + wanted.length)) return true;
    at = said.indexOf(wanted, at + 1);
  }
  return false;
}

/** @param {string} text @param {number} start @param {number} end */
function standsAlone(text, start, end) {
  const before = [...text.slice(Math.max(0, start - AROUND), start)].reverse();
  const behind = [...text.slice(end, end + AROUND)];
  return (edge(before) ?? isBound(text, start)) && (edge(behind) ?? isBound(text, end));
}

/** Whether the characters beside a name set it apart, from the nearest on; null is for UAX 29 to say. Controls of the direction of writing
 * are passed over, since some programs put them around names.
 * @param {string[]} beside @returns {boolean | null} */
function edge(beside) {
  const [nearest, next] = beside;
  if (nearest === undefined) return true;
  if (BIDI.test(nearest)) {
    const other = beside.find((c) => !BIDI.test(c));
    return other === undefined || !(ALPHANUMERIC.test(other) || other === "_");
  }
  if (nearest === "'" || nearest === "’" || nearest === ":") return true;
  if (nearest === "-" || nearest === "@") return next === undefined || !ALPHANUMERIC.test(next);
  return null;
}

/** Whether a word ends or begins at a place. @param {string} text @param {number} at */
function isBound(text, at) {
  const start = Math.max(0, at - AROUND);
  const around = text.slice(start, at + AROUND);
  const before = [...around.slice(0, at - start)].at(-1) ?? "";
  const behind = [...around.slice(at - start)][0] ?? "";
  if (MARK.test(behind)) return false;
  if (KATAKANA.test(before) && KATAKANA.test(behind)) return false;
  if (UNSPACED.test(before) || UNSPACED.test(behind)) return true;
  if (words === null) return !(LETTER.test(before) && LETTER.test(behind));
  return at === start || [...words.segment(around)].some((word) => word.index === at - start);
}
