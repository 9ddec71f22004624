// Files on their way, in the order in which they were begun: how far each is, and whose turn it is. As many run as the server takes (FI-5).

/**
 * @typedef {import("./types.js").Shown} Shown
 * @typedef {import("./types.js").Attached} Attached
 *
 * @typedef {object} Transfer
 * @property {number} id
 * @property {boolean} sends whether this user sends it
 * @property {Shown} name
 * @property {number} size
 * @property {number} done how many bytes are sent, or have come
 * @property {"opening" | "waiting" | "asked" | "moving" | "finishing"} step what is waited for: the digest; its turn or the connection; the
 * answer of the server; the next bytes; the digest of what has come
 * @property {string | null} token
 * @property {string | null} sha256
 * @property {string} to where it is announced
 * @property {string} text what is said with it
 * @property {number} credit the place up to which may be sent
 * @property {boolean} reading whether a piece is being read
 * @property {number} asked how often the server was asked
 * @property {number} busy how often it was busy
 * @property {number} notBefore it is not asked before this time
 * @property {[number, number][]} samples when it was where, lately
 */

/** So many run at a time. */
const AT_ONCE = 2;

/** So many are under way or wait at most. */
export const MOST = 20;

/** What was so many seconds ago says nothing of how fast it is now. */
const LATELY = 8;

export class Transfers {
  constructor(count = 0) {
    /** @type {Transfer[]} */
    this.all = [];
    /** How many there ever were. */
    this.count = count;
  }

  /** @param {Pick<Transfer, "sends" | "name" | "size"> & Partial<Transfer>} of */
  begin(of) {
    this.count += 1;
    /** @type {Transfer} */
    const transfer = {
      id: this.count, done: 0, step: "waiting", token: null, sha256: null, to: "", text: "", credit: 0, reading: false, asked: 0, busy: 0, notBefore: 0,
      samples: [], ...of,
    };
    this.all.push(transfer);
    return transfer;
  }

  /** @param {number} id */
  find(id) {
    return this.all.find((one) => one.id === id);
  }

  /** @param {unknown} token */
  ofFile(token) {
    return this.all.find((one) => one.token !== null && one.token === token);
  }

  /** The one that a request was for; an answer to an earlier one is late. @param {unknown} request */
  ofRequest(request) {
    return this.all.find((one) => requestOf(one) === request);
  }

  /** Those that run, or are going to. */
  running() {
    return this.all.slice(0, AT_ONCE);
  }

  /** @param {Transfer} transfer */
  end(transfer) {
    this.all = this.all.filter((one) => one !== transfer);
  }

  /** The connection is lost: what has not come whole is asked for again. */
  lost() {
    for (const one of this.all) {
      if (one.step === "asked" || one.step === "moving") one.step = "waiting";
      Object.assign(one, { reading: false, notBefore: 0, busy: 0, samples: [] });
    }
  }
}

/** @param {Transfer} transfer */
export function requestOf({ id, asked }) {
  return `f${id}.${asked}`;
}

/** Notes how far a transfer is. @param {Transfer} transfer @param {number} now */
export function sample(transfer, now) {
  const last = transfer.samples.at(-1);
  if (last !== undefined && last[0] === now) last[1] = transfer.done;
  else transfer.samples.push([now, transfer.done]);
  while (transfer.samples.length > 2 && now - (transfer.samples[0]?.[0] ?? now) > LATELY) transfer.samples.shift();
}

/** How a transfer is, for the views. @param {Transfer} transfer @returns {import("./types.js").TransferView} */
export function shownTransfer({ id, sends, name, size, done, step, samples }) {
  const first = samples[0];
  const last = samples.at(-1);
  const seconds = first === undefined || last === undefined ? 0 : last[0] - first[0];
  const rate = step === "moving" && seconds > 0 && first !== undefined && last !== undefined ? (last[1] - first[1]) / seconds : null;
  const left = rate !== null && rate > 0 ? Math.ceil((size - done) / rate) : null;
  return { id, sends, name, size, done, waits: step !== "moving" && step !== "finishing", rate, left };
}
