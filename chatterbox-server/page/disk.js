// The files of this page: those that the user gives are read piece by piece, and what is fetched is put together, checked, and handed to the
// browser as a download. Nothing is ever opened or shown.

/**
 * @typedef {import("./state/types.js").FileWork} FileWork
 * @typedef {import("./state/types.js").FileNews} FileNews
 *
 * @typedef {object} Options
 * @property {(news: FileNews) => void} news
 * @property {() => number} waiting how many bytes wait for the connection
 * @property {(blob: Blob, name: string) => void} [save]
 * @property {Pick<SubtleCrypto, "digest"> | undefined} [subtle] missing where the page is not on a secure connection
 */

/** A piece is read when no more bytes wait for the connection than one of them has on the wire: a message waits for one piece at most. */
const WAITING = 22 * 1024;

/** It is looked at again so many milliseconds later. */
const AGAIN = 4;

const NO_DIGEST = "this browser can check no file on a connection that is not secure";

export class Disk {
  /** @param {Options} options */
  constructor({ news, waiting, save = download, subtle = globalThis.crypto?.subtle }) {
    this.news = news;
    this.waiting = waiting;
    this.save = save;
    this.subtle = subtle;
    this.handles = 0;
    /** What the user has given and no transfer has yet. @type {Map<number, File>} */
    this.given = new Map();
    /** @type {Map<number, File>} */
    this.sent = new Map();
    /** What has come. @type {Map<number, Uint8Array<ArrayBuffer>[]>} */
    this.fetched = new Map();
    /** One piece is read at a time. @type {Promise<void>} */
    this.reading = Promise.resolve();
  }

  /** The user gives a file. @param {File} file */
  give(file) {
    this.handles += 1;
    this.given.set(this.handles, file);
    return { handle: this.handles, name: file.name, size: file.size };
  }

  /** @param {FileWork} work */
  perform(work) {
    switch (work.work) {
      case "forget":
        this.given.delete(work.handle);
        return;
      case "open":
        return this.open(work.id, work.handle);
      case "read":
        this.reading = this.reading.then(() => this.read(work));
        return;
      case "create":
        this.fetched.set(work.id, []);
        return;
      case "write":
        this.fetched.get(work.id)?.push(work.data);
        return;
      case "finish":
        return this.finish(work);
      case "drop":
        this.sent.delete(work.id);
        this.fetched.delete(work.id);
        return;
    }
  }

  /** @private @param {number} id @param {number} handle */
  open(id, handle) {
    const file = this.given.get(handle);
    this.given.delete(handle);
    if (file === undefined) return;
    this.sent.set(id, file);
    const opened = this.digest(file).then((sha256) => this.news({ id, is: "opened", sha256 }));
    // A folder, for example, or a file that is gone.
    opened.catch((error) => this.failed(id, error, "it can't be read"));
  }

  /** @private @param {Extract<FileWork, { work: "read" }>} work */
  async read({ id, at, bytes }) {
    while (this.sent.has(id) && this.waiting() > WAITING) await new Promise((resolve) => setTimeout(resolve, AGAIN));
    const file = this.sent.get(id);
    if (file === undefined) return;
    try {
      const piece = new Uint8Array(await file.slice(at, at + bytes).arrayBuffer());
      this.news({ id, is: "read", at, bytes: piece.length, data: encoded(piece) });
    } catch (error) {
      this.failed(id, error, "it can't be read any more");
    }
  }

  /** @private @param {Extract<FileWork, { work: "finish" }>} work */
  finish({ id, name, sha256 }) {
    const pieces = this.fetched.get(id);
    if (pieces === undefined) return;
    // A type that no browser shows in place of saving it.
    const blob = new Blob(pieces, { type: "application/octet-stream" });
    const checked = this.digest(blob).then((digest) => {
      // It may have been given up meanwhile.
      if (!this.fetched.has(id)) return;
      if (digest !== sha256) throw new Broken();
      this.save(blob, name);
      this.news({ id, is: "saved" });
    });
    checked.catch((error) => this.failed(id, error, "it can't be saved"));
  }

  /** @private @param {Blob} blob */
  async digest(blob) {
    if (this.subtle === undefined) throw new Error(NO_DIGEST);
    const bytes = new Uint8Array(await this.subtle.digest("SHA-256", await blob.arrayBuffer()));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** @private @param {number} id @param {unknown} error @param {string} otherwise */
  failed(id, error, otherwise) {
    const isOwn = error instanceof Broken || (error instanceof Error && error.message === NO_DIGEST);
    this.news({ id, is: "failed", why: isOwn ? error.message : otherwise });
  }
}

class Broken extends Error {
  constructor() {
    super("what has come is not what was announced (its digest is another one), so it was dropped");
  }
}

/** The bytes in base64. @param {Uint8Array} bytes */
function encoded(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** How long the address of what is saved stays: a browser may ask its user first where to. */
const KEPT = 60_000;

/** Hands it to the browser as a download. @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.rel = "noopener";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}
