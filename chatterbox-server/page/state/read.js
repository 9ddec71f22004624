// Reading what a server sent: whatever is there may be of any type. Each function gives the value where it is one, and else null.

/** The greatest number that every reader of JSON takes for exact: the greatest id of a message (ID-1). */
const LARGEST = Number.MAX_SAFE_INTEGER;

/** The last second that a calendar of this language knows. */
const LAST_SECOND = 8.64e12;

/** The most characters of a name: no server of ours has a longer one. */
const NAME = 1024;

/** The own member of an object; never one that all objects have.
 * @param {unknown} object @param {string} key @returns {unknown} */
export function member(object, key) {
  return isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
export function text(value) {
  return typeof value === "string" ? value : null;
}

/** @param {unknown} value */
export function boolean(value) {
  return typeof value === "boolean" ? value : null;
}

/** A whole number that is not negative.
 * @param {unknown} value */
export function count(value) {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST ? value : null;
}

/** The number of a message.
 * @param {unknown} value */
export function id(value) {
  const number = count(value);
  return number === 0 ? null : number;
}

/** A level.
 * @param {unknown} value */
export function level(value) {
  const number = count(value);
  return number !== null && number <= 255 ? number : null;
}

/** A time that a calendar knows, in whole seconds since 1970.
 * @param {unknown} value */
export function time(value) {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number)) return null;
  const seconds = Math.trunc(number);
  return Math.abs(seconds) <= LAST_SECOND ? seconds : null;
}

/** A list; of a text it is the list with that text, as some servers send names.
 * @param {unknown} value @returns {readonly unknown[] | null} */
export function list(value) {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value : null;
}

/** A name: a text, or an object that has one (servers of the base protocol send both). What is longer than any name is none.
 * @param {unknown} value @returns {string | null} */
export function name(value) {
  if (typeof value === "string") return value.length <= NAME ? value : null;
  if (!isObject(value)) return null;
  const told = Object.keys(value)
    .slice(0, 16)
    .filter((key) => typeof value[key] === "string");
  const telling = told.find((key) => /^(username|name|user)$/i.test(key)) ?? told[0];
  return telling === undefined ? null : name(value[telling]);
}

/** The names of a list, at most so many.
 * @param {unknown} value @param {number} most @returns {string[] | null} */
export function names(value, most) {
  const all = list(value);
  if (all === null) return null;
  const read = [];
  for (const one of all) {
    if (read.length >= most) break;
    const told = name(one);
    if (told !== null) read.push(told);
  }
  return read;
}

/** The members of an object that are kept in a Map, at most so many: names such as `__proto__` are keys like others there.
 * @param {unknown} value @param {number} most @returns {Map<string, unknown> | null} */
export function members(value, most) {
  if (!isObject(value)) return null;
  const read = new Map();
  for (const key in value) {
    if (read.size >= most) break;
    if (Object.hasOwn(value, key) && key.length <= NAME) read.set(key, value[key]);
  }
  return read;
}
