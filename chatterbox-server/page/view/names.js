/** How names look. */

/** How many colours `chat.css` has for names. */
const HUES = 8;

/**
 * The class that gives a name its colour, the same for everybody: by FNV-1a over the name without case. The colour helps; what it says is
 * always said by the name as well.
 *
 * @param {string} name
 */
export function hue(name) {
  let hash = 0x811c9dc5;
  for (const character of name.toLowerCase()) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return `hue${(hash >>> 8) % HUES}`;
}
