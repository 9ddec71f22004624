// Files: what the user wants of them, what the server says, and what the session is to read and write (FI-1 to FI-7). Nothing here touches a
// file: effects say what is to be done, and events what came of it.

import { safeName } from "./file-name.js";
import { count, isObject, member, text } from "./read.js";
import { sayFile } from "./say.js";
import { LOBBY, isUser, wireOf } from "./target.js";
import { MOST, requestOf, sample } from "./transfers.js";
import { sizeWords } from "./size.js";
import { screen } from "../screen.js";

/**
 * @typedef {import("./core.js").Core} Core
 * @typedef {import("./transfers.js").Transfer} Transfer
 */

/** The bytes of a piece at most (FI-2). */
const CHUNK = 16 * 1024;

/** So many bytes of a file are on their way at most. */
const WINDOW = 128 * 1024;

/** A file is in memory as a whole, to be digested: more than this is not. */
export const LARGEST = 512 * 1024 * 1024;

/** A server that is busy is asked again so often, each time after so many seconds. */
const TRIES = 10;
const AGAIN = 3;

const NONSENSE = "the server has sent what makes no sense";

/** Whether files can be sent now. @param {Core} core */
function hasFiles(core) {
  return core.isJoined() && core.agreed.has("files");
}

/** The user gives a file, for the conversation in front. @param {Core} core @param {{ handle: number, name: string, size: number }} file
 * @param {number} now */
export function attach(core, { handle, name, size }, now) {
  const called = safeName(name);
  const why = whyNot(core, size);
  if (why !== null) {
    core.say([`${called} was not sent: ${why}.`], now, "error");
    core.effects.push({ file: { work: "forget", handle } });
    return;
  }
  const room = core.rooms.find(core.model.front);
  const transfer = core.transfers.begin({ sends: true, name: called, size, step: "opening", to: room?.name ?? wireOf(core.model.front) });
  core.effects.push({ file: { work: "open", id: transfer.id, handle } });
}

/** @param {Core} core @param {number} size */
function whyNot(core, size) {
  const { front } = core.model;
  const most = Math.min(core.limits.file ?? LARGEST, LARGEST);
  if (!hasFiles(core)) return "the server takes no files now";
  const isMember = front === LOBBY || isUser(front) || core.rooms.find(front)?.number === core.frontRoom;
  if (!isMember) return `you are not in ${screen(front, 40)} any more`;
  if (size > most) return `it has ${sizeWords(size)}, and ${sizeWords(most)} are taken`;
  return core.transfers.all.length >= MOST ? "there are too many files on their way already" : null;
}

/** The user wants the file of a message. @param {Core} core @param {{ target: string, key: number }} message @param {number} now */
export function save(core, { target, key }, now) {
  const item = core.model.list.find(target)?.timeline.find(key);
  if (item?.kind !== "message" || item.file === null) return;
  const { token, name, size, sha256 } = item.file;
  const refuse = (/** @type {string} */ why) => core.say([`${name} was not fetched: ${why}.`], now, "error");
  if (core.transfers.ofFile(token) !== undefined) return refuse("it is on its way already");
  if (size > LARGEST) return refuse(`it has ${sizeWords(size)}, and this page takes ${sizeWords(LARGEST)}; the client for the terminal takes more`);
  if (core.transfers.all.length >= MOST) return refuse("there are too many files on their way already");
  const transfer = core.transfers.begin({ sends: false, name, size, token, sha256 });
  core.effects.push({ file: { work: "create", id: transfer.id } });
  start(core, now);
}

/** The user gives a transfer up. @param {Core} core @param {number} id @param {number} now */
export function cancel(core, id, now) {
  const transfer = core.transfers.find(id);
  if (transfer !== undefined) giveUp(core, transfer, "you have given it up", now);
}

/** The session has done something. @param {Core} core @param {import("./types.js").FileNews} news @param {number} now */
export function fileNews(core, news, now) {
  const transfer = core.transfers.find(news.id);
  if (transfer === undefined) return;
  switch (news.is) {
    case "opened":
      transfer.sha256 = news.sha256;
      transfer.step = "waiting";
      return start(core, now);
    case "read":
      return read(core, transfer, news, now);
    case "saved":
      core.say([`${transfer.name} is saved; it is what was announced.`], now);
      return end(core, transfer, now);
    case "failed":
      return giveUp(core, transfer, screen(news.why, 200), now);
  }
}

/** Asks the server for the transfers whose turn it is. @param {Core} core @param {number} now */
export function start(core, now) {
  if (!hasFiles(core)) return;
  for (const transfer of core.transfers.running()) {
    if (transfer.step !== "waiting" || now < transfer.notBefore) continue;
    transfer.asked += 1;
    transfer.step = "asked";
    const ID = requestOf(transfer);
    const { to, name, size, token, sha256, done } = transfer;
    if (transfer.sends) {
      core.send({ FILE_PUT: { ID, TO: to, NAME: name, SIZE: size, SHA256: sha256 } });
    } else {
      transfer.credit = Math.min(done + WINDOW, size);
      core.send({ FILE_GET: { ID, FILE: token, AT: done, CREDIT: transfer.credit } });
    }
  }
}

/** There is a connection again. @param {Core} core @param {number} now */
export function resume(core, now) {
  if (hasFiles(core)) return start(core, now);
  for (const transfer of core.transfers.all) failed(core, transfer, "the server takes no files any more", now);
}

/** What a frame says of files, in the order of the protocol (CP-10). @param {Core} core @param {(key: string) => unknown} get @param {number} now */
export function filesTold(core, get, now) {
  credited(core, get("FILE_CREDIT"));
  chunk(core, get("FILE_CHUNK"), now);
  const stopped = core.transfers.ofFile(member(get("FILE_STOP"), "FILE"));
  if (stopped !== undefined) failed(core, stopped, "the server has given it up", now);
  const answer = get("FILE");
  if (isObject(answer)) told(core, answer, now);
}

/** @param {Core} core @param {Record<string, unknown>} answer @param {number} now */
function told(core, answer, now) {
  const request = member(answer, "ID");
  const transfer = request === undefined ? core.transfers.ofFile(member(answer, "FILE")) : core.transfers.ofRequest(request);
  // It was given up meanwhile.
  if (transfer === undefined) return;
  const code = text(member(answer, "CODE"));
  if (code !== null) {
    if (code === "busy" && transfer.busy + 1 < TRIES) {
      Object.assign(transfer, { busy: transfer.busy + 1, notBefore: now + AGAIN, step: "waiting" });
      return;
    }
    return failed(core, transfer, refusal(answer, code), now);
  }
  const isDone = member(answer, "DONE") === true;
  const isSound = isDone ? ended(core, transfer, answer, now) : begun(core, transfer, answer, now);
  if (!isSound) giveUp(core, transfer, NONSENSE, now);
}

/** The server has answered FILE_PUT or FILE_GET. Says whether that makes sense. @param {Core} core @param {Transfer} transfer
 * @param {Record<string, unknown>} answer @param {number} now */
function begun(core, transfer, answer, now) {
  if (transfer.step !== "asked") return true;
  const at = count(member(answer, "AT"));
  transfer.samples = [];
  if (!transfer.sends) {
    // A file of another size than was announced is another file.
    if (at !== transfer.done || count(member(answer, "SIZE")) !== transfer.size) return false;
    transfer.step = "moving";
    whole(core, transfer);
    return true;
  }
  const token = text(member(answer, "FILE"));
  const credit = count(member(answer, "CREDIT"));
  if (token === null || !/^[A-Za-z0-9_-]{1,64}$/.test(token) || at === null || at > transfer.size || credit === null) return false;
  Object.assign(transfer, { token, done: at, credit, step: "moving", reading: false });
  sample(transfer, now);
  next(core, transfer);
  return true;
}

/** The server says that a transfer is over. Says whether that makes sense. @param {Core} core @param {Transfer} transfer
 * @param {Record<string, unknown>} answer @param {number} now */
function ended(core, transfer, answer, now) {
  if (transfer.done !== transfer.size) return false;
  if (!transfer.sends) return true;
  if (transfer.step !== "moving" || transfer.token === null || transfer.sha256 === null) return false;
  const { token, name, size, sha256, to } = transfer;
  const words = transfer.text.trim() === "" ? `[file: ${name}, ${sizeWords(size)}]` : transfer.text;
  end(core, transfer, now);
  sayFile(core, to, words, { token, name, size, sha256, until: count(member(answer, "UNTIL")) }, now);
  return true;
}

/** The next piece of an upload is read, as far as the server takes it. @param {Core} core @param {Transfer} transfer */
function next(core, transfer) {
  if (!transfer.sends || transfer.step !== "moving" || transfer.reading) return;
  const most = Math.max(1, Math.min(core.limits.chunk ?? CHUNK, CHUNK));
  const bytes = Math.min(most, transfer.credit - transfer.done, transfer.size - transfer.done);
  if (bytes <= 0) return;
  transfer.reading = true;
  core.effects.push({ file: { work: "read", id: transfer.id, at: transfer.done, bytes } });
}

/** @param {Core} core @param {Transfer} transfer @param {{ at: number, bytes: number, data: string }} piece @param {number} now */
function read(core, transfer, { at, bytes, data }, now) {
  // It may have been read for another connection.
  if (transfer.step !== "moving" || !transfer.reading || at !== transfer.done) return;
  transfer.reading = false;
  if (bytes === 0) return giveUp(core, transfer, "it has changed while it was sent", now);
  core.send({ FILE_CHUNK: { FILE: transfer.token, AT: at, DATA: data } });
  transfer.done += bytes;
  sample(transfer, now);
  next(core, transfer);
}

/** @param {Core} core @param {unknown} value */
function credited(core, value) {
  const transfer = core.transfers.ofFile(member(value, "FILE"));
  if (transfer === undefined || !transfer.sends) return;
  transfer.credit = Math.max(transfer.credit, count(member(value, "UPTO")) ?? 0);
  next(core, transfer);
}

/** A piece has come. It has to be the next one, within the credit: so no server makes this page take more than was announced.
 * @param {Core} core @param {unknown} value @param {number} now */
function chunk(core, value, now) {
  const transfer = core.transfers.ofFile(member(value, "FILE"));
  if (transfer === undefined || transfer.sends || transfer.step !== "moving") return;
  const data = decoded(member(value, "DATA"));
  const { done, credit, size } = transfer;
  if (data === null || data.length === 0 || member(value, "AT") !== done || done + data.length > credit) return giveUp(core, transfer, NONSENSE, now);
  transfer.done += data.length;
  sample(transfer, now);
  core.effects.push({ file: { work: "write", id: transfer.id, data } });
  const granted = Math.min(transfer.done + WINDOW, size);
  if (granted - credit >= WINDOW / 2 || (granted === size && granted > credit)) {
    transfer.credit = granted;
    core.send({ FILE_CREDIT: { FILE: transfer.token, UPTO: granted } });
  }
  whole(core, transfer);
}

/** What has come whole is checked. @param {Core} core @param {Transfer} transfer */
function whole(core, transfer) {
  if (transfer.done !== transfer.size) return;
  transfer.step = "finishing";
  core.effects.push({ file: { work: "finish", id: transfer.id, name: transfer.name, sha256: transfer.sha256 ?? "" } });
}

/** The bytes of a text in base64; null where it is none, or too long for a piece. @param {unknown} value */
function decoded(value) {
  const data = text(value);
  if (data === null || data.length > Math.ceil(CHUNK / 3) * 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data) || data.length % 4 !== 0) return null;
  try {
    const raw = atob(data);
    const bytes = new Uint8Array(raw.length);
    for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
    return bytes;
  } catch {
    return null;
  }
}

/** Why the server does not do it, with its numbers where it names some. @param {Record<string, unknown>} answer @param {string} code */
function refusal(answer, code) {
  const info = screen(text(member(answer, "INFO")) ?? "", 200).replace(/\.$/, "");
  const why = info !== "" ? info : code === "expired" ? "it is not there any more, or not for you" : `the server refuses it (${screen(code, 40)})`;
  const space = member(answer, "SPACE");
  const [left, most] = [count(member(space, "LEFT")), count(member(space, "MOST"))];
  const numbers = left === null || most === null ? "" : ` (${sizeWords(left)} left of ${sizeWords(most)})`;
  const wait = count(member(answer, "WAIT"));
  return `${why}${numbers}${wait === null ? "" : `; in ${wait} s it may be tried again`}`;
}

/** Tells the server as well, where it knows of it. @param {Core} core @param {Transfer} transfer @param {string} why @param {number} now */
function giveUp(core, transfer, why, now) {
  const isKnown = transfer.sends ? transfer.token !== null : transfer.step === "asked" || transfer.step === "moving";
  if (isKnown && hasFiles(core)) core.send({ FILE_STOP: { FILE: transfer.token } });
  failed(core, transfer, why, now);
}

/** @param {Core} core @param {Transfer} transfer @param {string} why @param {number} now */
function failed(core, transfer, why, now) {
  core.say([`${transfer.name} was not ${transfer.sends ? "sent" : "fetched"}: ${why}.`], now, "error");
  end(core, transfer, now);
}

/** @param {Core} core @param {Transfer} transfer @param {number} now */
function end(core, transfer, now) {
  core.transfers.end(transfer);
  core.effects.push({ file: { work: "drop", id: transfer.id } });
  start(core, now);
}

/** Nothing is on its way any more: the session lets all files go. @param {Core} core */
export function dropAll(core) {
  for (const { id } of core.transfers.all) core.effects.push({ file: { work: "drop", id } });
  core.transfers.all = [];
}
