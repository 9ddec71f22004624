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
  // Inside of a text each quote has a backslash before it, so this is a key.
  const [, digits] = /"PING"\s*:\s*(-?[0-9]{1,19})(?![0-9.eE])/.exec(data) ?? [];
  return { ...frame, PING: digits === undefined ? null : BigInt(digits) };
}

/** The message of an object. @param {object} frame */
export function writeFrame(frame) {
  if ("PONG" in frame && typeof frame.PONG === "bigint") return `{"PONG":${frame.PONG}}`;
  return JSON.stringify(frame);
}
