// The login that is kept in this browser, where the user has asked for it: a name and its token, never a password.

const KEY = "chatterbox.login";

/** The longest token and name that are taken back. */
const LONGEST = 4096;

export class LoginStore {
  /** @param {Storage | null} storage null: nothing is kept */
  constructor(storage) {
    this.storage = storage;
  }

  /** @returns {{ name: string, token: string } | null} */
  load() {
    try {
      const kept = JSON.parse(this.storage?.getItem(KEY) ?? "null");
      const sound = typeof kept?.name === "string" && typeof kept.token === "string" && kept.name.length + kept.token.length < LONGEST;
      return sound ? { name: kept.name, token: kept.token } : null;
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {string} token */
  save(name, token) {
    try {
      this.storage?.setItem(KEY, JSON.stringify({ name, token }));
    } catch {
      // A browser that keeps nothing asks for the password next time.
    }
  }

  /** Forgets the login of a name, or whatever there is. @param {string} [name] */
  forget(name) {
    try {
      if (name === undefined || this.load()?.name === name) this.storage?.removeItem(KEY);
    } catch {
      // There is nothing to forget where nothing is kept.
    }
  }
}
