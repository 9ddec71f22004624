// Comings and goings in a row, as one item that is made anew with each of them.

/** @typedef {import("./types.js").Moves} Moves */

/** So many names of each kind are kept; of a crowd the others are only counted. */
const NAMES = 20;

/** @param {number} key @param {number | null} time @returns {Moves} */
export function noMoves(key, time) {
  return { kind: "moves", key, joined: [], left: [], moreJoined: 0, moreLeft: 0, time };
}

/** Of a user who came and went again nothing is left. The time is that of the first: whoever comes later says nothing of them.
 * @param {Moves} moves @param {import("./types.js").Shown} name @param {boolean} came @returns {Moves} */
export function withMove(moves, name, came) {
  const other = came ? moves.left : moves.joined;
  const place = other.indexOf(name);
  if (place >= 0) {
    const without = other.filter((_, at) => at !== place);
    return { ...moves, ...(came ? { left: without } : { joined: without }) };
  }
  const to = came ? moves.joined : moves.left;
  if (to.length < NAMES) return { ...moves, ...(came ? { joined: [...to, name] } : { left: [...to, name] }) };
  return { ...moves, ...(came ? { moreJoined: moves.moreJoined + 1 } : { moreLeft: moves.moreLeft + 1 }) };
}

/** @param {Moves} moves */
export function isNothing(moves) {
  return moves.joined.length + moves.left.length + moves.moreJoined + moves.moreLeft === 0;
}
