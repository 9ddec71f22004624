// The messages of a frame, each with its number and the time at which the server took it.

import { LOBBY } from "./target.js";
import { safeName } from "./file-name.js";
import { count, id, isObject, member, names, text, time } from "./read.js";

/** @typedef {import("./types.js").Attached} Attached */

/**
 * @typedef {object} Entry A message as it was sent.
 * @property {string} from
 * @property {string} to `ALL`, a room or a user
 * @property {number | null} time by the clock of its sender
 * @property {string} text
 * @property {number | null} id
 * @property {number | null} taken when the server took it
 * @property {Meta} meta what goes with it (MT-1)
 */

/**
 * @typedef {object} Meta
 * @property {number | null} reply the message that it answers
 * @property {readonly string[]} mentions whom it mentions
 * @property {Attached | null} file the file that goes with it
 */

/** The most names that a message mentions. */
const MENTIONS = 20;

/** The longest name of a file. */
const NAME = 128;

/** What goes with most messages. @type {Meta} */
export const NOTHING = Object.freeze({ reply: null, mentions: Object.freeze([]), file: null });

/** Of one frame the newest messages are read, so many: more are not kept of all conversations together. */
const MOST = 50_000;

/** The messages that a value has. IDS, TIMES and META count where they are sound and as long as the messages (ID-1, ID-9, MT-1).
 * @param {unknown} messages @param {unknown} ids @param {unknown} times @param {boolean} numbered @param {unknown} [metas]
 * @returns {Entry[]} */
export function entries(messages, ids, times, numbered, metas) {
  const all = Array.isArray(messages) ? messages : [];
  const idOf = numbered ? numbers(ids, all.length, id) : () => null;
  const takenAt = numbered ? numbers(times, all.length, time) : () => null;
  const metaOf = Array.isArray(metas) && metas.length === all.length ? (/** @type {number} */ place) => readMeta(metas[place]) : () => NOTHING;
  const read = [];
  for (let place = Math.max(0, all.length - MOST); place < all.length; place += 1) {
    const entry = readMessage(all[place]);
    if (entry !== null) read.push({ ...entry, id: idOf(place), taken: takenAt(place), meta: metaOf(place) });
  }
  return read;
}

/** A list beside the messages, each a number or null.
 * @param {unknown} value @param {number} length @param {(value: unknown) => number | null} read
 * @returns {(place: number) => number | null} */
function numbers(value, length, read) {
  if (!Array.isArray(value) || value.length !== length) return () => null;
  if (value.some((one) => one !== null && read(one) === null)) return () => null;
  return (place) => read(value[place]);
}

/** @param {unknown} value */
function readMessage(value) {
  if (!Array.isArray(value) || value.length < 4) return null;
  const [from, to, at, said] = value;
  const sound = text(from) !== null && text(to) !== null && text(said) !== null;
  return sound ? { from, to, time: time(at), text: said } : null;
}

/** @param {unknown} value @returns {Meta} */
function readMeta(value) {
  if (!isObject(value)) return NOTHING;
  const all = member(value, "MENTIONS");
  return { reply: id(member(value, "REPLY")), mentions: Array.isArray(all) ? (names(all, MENTIONS) ?? []) : [], file: readFile(member(value, "FILE")) };
}

/** A file, under a name that is harmless here. @param {unknown} value @returns {Attached | null} */
function readFile(value) {
  const [token, called, sha256] = [text(member(value, "FILE")), text(member(value, "NAME")), text(member(value, "SHA256"))];
  const size = count(member(value, "SIZE"));
  if (token === null || called === null || sha256 === null || size === null || called.length > NAME) return null;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(token) || !/^[0-9a-fA-F]{64}$/.test(sha256)) return null;
  return { token, name: safeName(called), size, sha256: sha256.toLowerCase(), until: time(member(value, "UNTIL")) };
}

/** Whether it is for everybody.
 * @param {Entry} entry */
export function isPublic(entry) {
  return entry.to === LOBBY;
}

/** What tells messages with the same number apart: after a restart without its store a server counts from 1 again.
 * @param {Entry} entry */
export function digest({ from, to, time: at, text: said }) {
  let hash = 0;
  const whole = JSON.stringify([from, to, at, said]);
  // Of long texts the length and a part tell enough; whoever makes others alike hides only what they could leave out as well.
  for (let place = 0; place < whole.length && place < 4096; place += 1) {
    hash = (Math.imul(hash, 31) + whole.charCodeAt(place)) | 0;
  }
  return `${hash}/${whole.length}`;
}

