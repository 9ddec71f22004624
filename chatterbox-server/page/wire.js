// Frames on the wire of a browser: one text message of a WebSocket is one object.

/** The longest message that is read, in characters: more than the welcome that the page asks for can have. */
const LONGEST = 64 * 1024 * 1024;

/** The object of a message; undefined where it is none that can be read.
 * @param {unknown} data @returns {unknown} */
export function readFrame(data) {
  if (typeof data !== "string" || data.length > LONGEST) return undefined;
  try {
    const frame = JSON.parse(data);
    return withWholePing(frame, data);
  } catch {
    return undefined;
  }
}

/** The number of a PING has 64 bits, and goes back as it came; numbers of this language have 53.
 * @param {unknown} frame @param {string} data */
function withWholePing(frame, data) {
  if (typeof frame !== "object" || frame === null || !("PING" in frame)) return frame;
  const number = frame.PING;
  if (typeof number !== "number" || Number.isSafeInteger(number)) return frame;
  const digits = digitsOf("PING", data);
  return { ...frame, PING: digits === undefined ? null : BigInt(digits) };
}

/** The whole number that is the value of a key of an object, as it stands in its JSON: the last one, as for the parser. Values inside of others
 * may have the same key.
 * @param {string} name @param {string} data */
function digitsOf(name, data) {
  let depth = 0;
  let digits;
  for (const { 0: token, index } of data.matchAll(/[{}[\]]|"[^"\\]*(?:\\.[^"\\]*)*"/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    // Each letter may be written as an escape of six characters.
    else if (depth === 1 && token.length <= 6 * name.length + 2 && JSON.parse(token) === name) {
      const value = /\s*:\s*(?:(-?[0-9]{1,19})(?![0-9.eE]))?/y;
      value.lastIndex = index + token.length;
      const found = value.exec(data);
      // A text that is a value has no colon behind it.
      if (found !== null) digits = found[1];
    }
  }
  return digits;
}

/** The message of an object. @param {object} frame */
export function writeFrame(frame) {
  if ("PONG" in frame && typeof frame.PONG === "bigint") return `{"PONG":${frame.PONG}}`;
  return JSON.stringify(frame);
}
