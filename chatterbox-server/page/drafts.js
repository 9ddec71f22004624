/**
 * Drafts: what is typed in each conversation and not sent. They are kept in `sessionStorage`, so that they outlive a reload of this tab and
 * nothing else; without storage, they live as long as the page. What is stored may be less than what the page remembers.
 */

const KEY = "chatterbox.drafts";

/** At most so many drafts are kept, those that were changed last; and of each so many characters. */
export const DRAFTS = 100;
export const CHARACTERS = 20_000;

/** @typedef {import("./state/types.js").Target} Target */

export class Drafts {
  #storage;
  #owner = "";
  /** @type {Map<string, { text: string, stored: string }>} */
  #texts = new Map();

  /**
   * `storage` gives the storage, or throws where it is forbidden.
   *
   * @param {() => Storage} storage
   */
  constructor(storage) {
    this.#storage = storage;
    try {
      const kept = JSON.parse(storage().getItem(KEY) ?? "null");
      if (typeof kept?.owner !== "string" || !Array.isArray(kept.texts)) return;
      this.#owner = kept.owner;
      for (const [target, text] of kept.texts.slice(-DRAFTS)) {
        if (typeof target === "string" && typeof text === "string") this.#remember(target, text, text);
      }
    } catch {
      // What is no list of drafts is none.
      this.#texts.clear();
    }
  }

  /** Whose drafts these are. Somebody else who joins in the same tab does not see them; says whether that is so. @param {string} name */
  belongTo(name) {
    const owner = name.toLowerCase();
    const before = this.#owner;
    if (owner === before) return false;
    if (before !== "") this.#texts.clear();
    this.#owner = owner;
    this.#save();
    return before !== "";
  }

  /** The owner has another name. @param {string} name */
  renamed(name) {
    this.#owner = name.toLowerCase();
    this.#save();
  }

  /** @param {Target} target */
  get(target) {
    return this.#texts.get(target.toLowerCase())?.text ?? "";
  }

  /**
   * @param {Target} target
   * @param {string} text
   * @param {string} stored the part of it that may be where others could read it
   */
  set(target, text, stored = text) {
    const key = target.toLowerCase();
    if (this.get(key) === text) return;
    this.#texts.delete(key);
    if (text !== "") this.#remember(key, text, stored);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= DRAFTS) break;
      this.#texts.delete(oldest);
    }
    this.#save();
  }

  /** @param {string} key @param {string} text @param {string} stored */
  #remember(key, text, stored) {
    this.#texts.set(key, { text: text.slice(0, CHARACTERS), stored: stored.slice(0, CHARACTERS) });
  }

  #save() {
    const texts = [...this.#texts].map(([target, { stored }]) => [target, stored]);
    try {
      this.#storage().setItem(KEY, JSON.stringify({ owner: this.#owner, texts }));
    } catch {
      // They are still in memory.
    }
  }
}

/**
 * The part of a text that may be kept, as a draft or as an earlier line: nothing from the first secret on. While the commands of the
 * server are not known, any argument of any command may be one; and so it is for what is stored, since a name may be mistyped, stand behind
 * an address, or take its secret as an ordinary text.
 *
 * @param {string} text
 * @param {{secret: number | null, prefix: string, known: boolean}} what
 */
export function keepable(text, { secret, prefix, known }) {
  if (secret !== null) return text.slice(0, secret);
  if (known) return text;
  const lines = text.split("\n");
  const isCommand = (/** @type {string} */ text) => text.startsWith("/") || (prefix !== "" && text.startsWith(prefix));
  const place = lines.findIndex((line) => isCommand(line.trimStart()) || isCommand(line.slice(addressed(line))));
  if (place < 0) return text;
  const line = lines[place] ?? "";
  const start = isCommand(line.trimStart()) ? 0 : addressed(line);
  const name = /^\s*\S*\s?/u.exec(line.slice(start))?.[0] ?? "";
  return [...lines.slice(0, place), line.slice(0, start) + name].join("\n");
}

/** How long the address is with which a line begins. @param {string} line */
function addressed(line) {
  return /^\s*[@#]\S+\s+/u.exec(line)?.[0].length ?? 0;
}
