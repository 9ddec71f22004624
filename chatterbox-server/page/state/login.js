// The login: which name is asked for, what proves that it is the user's, and what follows a refusal (AN-1 to AN-3).

import { OFFER, RECENT } from "./offer.js";
import { count, member, text, time } from "./read.js";
import { screen } from "../screen.js";
import { same, shownName } from "./text.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {{ PASSWORD: string } | { TOKEN: string } | {}} Proof
 */

/** The name may be free again in a moment: its last user, perhaps this very session, is still leaving. */
const FOR_NOW = new Set(["", "taken", "looks-taken", "held", "busy", "throttled"]);

/** What a password can answer. */
const ASKS = new Set(["registered", "wrong-password", "wrong-token"]);

/** What its user can change, and the server says nothing of it: when it is tried again is for them to say, and the session waits. */
const USERS = new Set(["too-many"]);

/** The longest token that is kept. */
const TOKEN = 4096;

/** Asks for a name. The password is in this one frame and nowhere else.
 * @param {Core} core @param {{ name: string, password?: string | undefined, token?: string | undefined }} wish */
export function join(core, { name, password, token }) {
  core.isLoginUnknown = false;
  core.me = name;
  core.token = password ? null : (token ?? null);
  core.standing = "asked";
  core.phase = { is: "joining" };
  core.send(frame(core, proof(password, core.token)));
}

/** Asks the server to go on with the session, on a new connection. @param {Core} core @param {string} [password] */
export function rejoin(core, password) {
  if (!core.isDown()) return;
  core.standing = "again";
  // The proof is the account's. Under another name, taken since, only the session's own token counts.
  const renamed = core.account !== null && core.account !== core.me;
  core.send(frame(core, proof(password, renamed ? null : core.token)));
}

/** @param {string | undefined} password @param {string | null} token @returns {Proof} */
function proof(password, token) {
  if (password) return { PASSWORD: password };
  return token === null ? {} : { TOKEN: token };
}

/** @param {Core} core @param {Proof} proven */
function frame(core, proven) {
  const resume = core.isDown() && core.resume !== null ? { RESUME: { TOKEN: core.resume, AFTER: core.seen.last } } : {};
  return { USERNAME: core.me, CAPABILITIES: OFFER, RECENT, ...proven, ...resume };
}

/** The server has refused the name. @param {Core} core @param {unknown} told */
export function refused(core, told) {
  const code = text(member(told, "CODE"))?.slice(0, 64) ?? "";
  const info = screen(text(member(told, "INFO")) ?? "", 500);
  const down = core.isDown();
  if (down) core.standing = "lost";
  else core.standing = "nameless";
  if (code === "wrong-token" && core.token !== null) {
    core.effects.push({ token: { name: core.account ?? core.me, token: null } });
    core.token = null;
    // A guest's name needs no proof, and an account asks for its password.
    if (down) return rejoin(core);
    core.standing = "asked";
    core.isLoginUnknown = true;
    return core.send(frame(core, {}));
  }
  if (down && FOR_NOW.has(code)) {
    core.effects.push({ disconnect: `${shownName(core.me)} can't come back yet${info === "" ? "" : `: ${info}`}` });
    return;
  }
  const until = time(member(told, "UNTIL"));
  if (down && !ASKS.has(code) && !USERS.has(code)) {
    core.standing = "nameless";
    core.phase = { is: "closed", code, info, until };
    core.effects.push({ redial: false }, { disconnect: info });
    return;
  }
  core.phase = { is: "refused", code, info, wait: count(member(told, "WAIT")), until, password: ASKS.has(code) };
}

/** The server answers with an ERROR before there is a name. Some say nothing else of a name that they refuse.
 * @param {Core} core @param {import("./types.js").Shown} info */
export function failed(core, info) {
  if (core.standing !== "asked") return;
  core.standing = "nameless";
  core.phase = { is: "refused", code: "error", info, wait: null, until: null, password: false };
}

/** The server has described the user's account; a token in it is for the next login.
 * @param {Core} core @param {unknown} account @param {number} now */
export function accountTold(core, account, now) {
  const level = count(member(account, "LEVEL"));
  core.level = level ?? 0;
  if (level === null) return;
  if (level > 0) core.account ??= core.me;
  else if (core.account !== null && core.isJoined()) becameGuest(core, now);
  tokenIssued(core, text(member(account, "TOKEN")));
}

/** The user was logged in and is a guest now: the account was removed, or a server that has forgotten the session treats a changed name
 * as anybody's. @param {Core} core @param {number} now */
function becameGuest(core, now) {
  const account = shownName(core.account ?? "");
  const isGone = core.account === core.me;
  core.account = null;
  if (isGone) core.token = null;
  core.say([isGone ? `You are a guest now: ${account} is nobody's account any more.` : `You are a guest now. Join as ${account} to be logged in again.`], now, "error");
}

/** @param {Core} core @param {string | null} token */
export function tokenIssued(core, token) {
  if (token === null || token.length > TOKEN) return;
  core.account ??= core.me;
  core.token = token;
  core.effects.push({ token: { name: core.account, token } });
}

/** The server has ended the login: its token is of no more use. @param {Core} core */
export function loggedOut(core) {
  core.effects.push({ token: { name: core.account ?? core.me, token: null } });
  core.token = core.account = null;
  core.leaving = true;
}

/** Whether a name is this user's. @param {Core} core @param {string} name */
export function isMe(core, name) {
  return core.me !== "" && same(core.me, name);
}
