// How long to wait before a lost connection is tried again: doubled with each try, and spread by chance, so that a server that comes back
// does not get everybody at once.

/** The longest first wait, and the longest of all, in milliseconds. */
const FIRST = 500;
const LONGEST = 30_000;

/** The longest time that a server can ask for, in seconds. Timers of browsers end at once if theirs is longer than 24 days. */
const DAY = 86_400;

/** So often the first wait is doubled at most. */
const TRIES = 16;

export class Backoff {
  /** @param {() => number} random from 0 to 1 */
  constructor(random) {
    this.random = random;
    this.tries = 0;
  }

  /** The wait before the next try; the server does not want to be tried before so many seconds are over (NO-4). It tells all of its
   * clients the same, so they come back within a tenth of it.
   * @param {number} atLeast */
  next(atLeast) {
    const full = Math.min(FIRST * 2 ** this.tries, LONGEST);
    this.tries = Math.min(this.tries + 1, TRIES);
    const wait = (full / 2) * (1 + this.random());
    if (atLeast <= 0) return wait;
    const asked = Math.min(atLeast, DAY) * 1000;
    return Math.max(wait, asked + Math.max(asked / 10, FIRST) * this.random());
  }

  /** The connection has proved to be of use: the next outage starts anew. Until then the tries count on, so that a message that kills each
   * connection can't cause tries without end. */
  reset() {
    this.tries = 0;
  }
}
