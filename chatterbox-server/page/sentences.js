/**
 * What a screen reader is told, and when: one sentence a second at most. Where more has come meanwhile, it is told how much.
 *
 * A region that is told everything at once is read to the end while the next ten messages wait; one that is told nothing makes a chat
 * silent. So the latest single message is read in full, and of several only their number.
 */

/** There is at most one sentence in so many milliseconds. */
export const PAUSE = 1000;

/** The most characters of one sentence. */
const LENGTH = 300;

export class Sentences {
  #last = -Infinity;
  /** @type {string | null} */
  #urgent = null;
  /** @type {string | null} */
  #single = null;
  #count = 0;

  /** Something that is said for itself, and makes what waited pointless: another conversation is in front. @param {string} sentence */
  say(sentence) {
    this.#urgent = sentence.slice(0, LENGTH);
    this.#single = null;
    this.#count = 0;
  }

  /** A message has come. @param {string} sentence */
  message(sentence) {
    this.#single = sentence.slice(0, LENGTH);
    this.#count += 1;
  }

  /** So many messages have come at once. @param {number} count */
  messages(count) {
    this.#single = null;
    this.#count += count;
  }

  /** After how many milliseconds there is something to say; null: there is nothing. @param {number} now */
  wait(now) {
    if (this.#urgent === null && this.#count === 0) return null;
    return Math.max(0, this.#last + PAUSE - now);
  }

  /** What is to be said now, if it is time. @param {number} now */
  take(now) {
    if (this.wait(now) !== 0) return null;
    this.#last = now;
    const urgent = this.#urgent;
    if (urgent !== null) {
      this.#urgent = null;
      return urgent;
    }
    const sentence = this.#count === 1 && this.#single !== null ? this.#single : `${this.#count} new messages`;
    this.#single = null;
    this.#count = 0;
    return sentence;
  }
}
