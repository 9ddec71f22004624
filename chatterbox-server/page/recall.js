/** Recall: the lines that were sent from this page, which the arrow keys bring back. They are in memory only. */

/** So many lines are kept, of so many characters together. */
export const LINES = 200;
export const CHARACTERS = 100_000;

export class Recall {
  /** @type {string[]} */
  #lines = [];
  #characters = 0;
  /** Which line is shown, counted from the newest; -1: none. */
  #place = -1;

  /** Somebody else types here from now on. */
  clear() {
    this.#lines = [];
    this.#characters = 0;
    this.#place = -1;
  }

  /** A line was sent; of a line with a secret only what may be kept. @param {string} line */
  push(line) {
    this.#place = -1;
    if (line.trim() === "" || line.length > CHARACTERS || this.#lines.at(-1) === line) return;
    this.#lines.push(line);
    this.#characters += line.length;
    while (this.#lines.length > LINES || this.#characters > CHARACTERS) {
      this.#characters -= this.#lines.shift()?.length ?? 0;
    }
  }

  /**
   * The line that the arrow key brings in the place of `text`, or null where the key has its usual meaning: in a text of one's own, and at
   * both ends. Below the newest line stands the empty one.
   *
   * @param {"up" | "down"} key
   * @param {string} text
   */
  key(key, text) {
    const shown = this.#at(this.#place);
    if (shown === null || shown !== text) this.#place = -1;
    if (this.#place < 0 && (text !== "" || key === "down")) return null;
    const next = this.#place + (key === "up" ? 1 : -1);
    const line = next < 0 ? "" : this.#at(next);
    if (line === null) return null;
    this.#place = next;
    return line;
  }

  /** @param {number} place */
  #at(place) {
    return place < 0 ? null : (this.#lines.at(-1 - place) ?? null);
  }
}
