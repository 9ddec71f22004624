/** What the words mean with which a server refuses a name or ends a connection, and what the user can do about it. */

import { spanWords, untilWords } from "./time.js";

/** @import { Phase } from "../state/types.js" */

/** @typedef {Extract<Phase, {is: "refused"}>} Refused */
/** @typedef {Extract<Phase, {is: "closed"}>} Closed */

/**
 * `field` is where the user changes something. What the server says in its own words is shown besides, where `info` is true: the reason of
 * somebody, or a word that this page does not know.
 *
 * @type {Record<string, { title: string, advice: string, field: "name" | "password" | null, info?: true }>}
 */
export const REFUSALS = {
  taken: { title: "This name is taken.", advice: "Somebody is here under it. If that is you, leave there; else choose another one.", field: "name" },
  "looks-taken": { title: "This name looks like one that is taken.", advice: "Choose one that can't be mistaken for it.", field: "name" },
  registered: { title: "This name is registered.", advice: "If it is yours, enter its password. Else choose another name.", field: "password" },
  "wrong-password": { title: "The name or the password is wrong.", advice: "Try again. To be a guest, leave the password empty.", field: "password" },
  "wrong-token": { title: "You are not logged in any more.", advice: "Enter your password again.", field: "password" },
  throttled: { title: "Too many tries.", advice: "Wait a little, then try again.", field: null },
  "bad-name": { title: "This can't be a name.", advice: "", field: "name", info: true },
  "no-guests": { title: "Only registered users come in here.", advice: "Enter the password of your account, or ask whoever runs this chat for one.", field: "password" },
  held: { title: "This name is kept for somebody who has just left.", advice: "Try again in a moment, or choose another name.", field: "name" },
  busy: { title: "The server is busy.", advice: "Try again in a moment.", field: null },
  "too-many": { title: "You are here on five devices already.", advice: "Leave on one of them, then try again.", field: null },
  banned: { title: "You are banned here.", advice: "If that is a mistake, ask whoever runs this chat.", field: null, info: true },
  kicked: { title: "You were put out.", advice: "You can come back in a moment.", field: null, info: true },
  "server-full": { title: "The server is full.", advice: "Try again later.", field: null },
  "too-many-connections": { title: "Too many connections from your address.", advice: "Close another page or client, or try again later.", field: null },
};

/** @param {Refused} phase */
export function refusalWords(phase) {
  const known = Object.hasOwn(REFUSALS, phase.code) ? REFUSALS[phase.code] : undefined;
  const words = known ?? { title: "The server does not let you in.", advice: "", field: phase.password ? "password" : "name", info: true };
  const until = untilWords(phase.until);
  const when = until !== null ? `It ends on ${until}.` : phase.wait !== null && phase.wait > 0 ? `Try again in ${spanWords(phase.wait)}.` : "";
  return { title: words.title, advice: words.advice, when, info: words.info === true ? phase.info : "", field: phase.password ? "password" : words.field };
}

/** `back`: whether to join again at once makes sense. @type {Record<string, { title: string, advice: string, back: boolean }>} */
export const CLOSINGS = {
  kicked: { title: "You were put out.", advice: "You can join again in a moment.", back: true },
  banned: { title: "You are banned here.", advice: "If that is a mistake, ask whoever runs this chat.", back: false },
  replaced: { title: "You are here in another window.", advice: "It goes on there. To have it here, join again.", back: true },
  logout: { title: "You are logged out.", advice: "", back: false },
  slow: { title: "The connection was too slow.", advice: "Join again.", back: true },
  idle: { title: "Nothing was heard from you for long.", advice: "Join again.", back: true },
  protocol: { title: "This page and the server do not understand each other.", advice: "Reload the page; if that does not help, tell whoever runs this chat.", back: true },
  shutdown: { title: "The server was stopped.", advice: "Join again when it is back.", back: true },
};

/** @param {Closed} phase */
export function closedWords(phase) {
  const known = Object.hasOwn(CLOSINGS, phase.code) ? CLOSINGS[phase.code] : undefined;
  // Whoever comes back may be refused as whoever comes.
  const refusal = Object.hasOwn(REFUSALS, phase.code) ? REFUSALS[phase.code] : undefined;
  const back = refusal === undefined ? undefined : { title: refusal.title, advice: refusal.advice, back: true };
  const words = known ?? back ?? { title: "The server has ended the connection.", advice: "", back: true };
  const until = untilWords(phase.until);
  return { ...words, advice: until === null ? words.advice : `${words.advice} It ends on ${until}.` };
}
