// What the server tells in objects, in words.

import { count, member, name, text } from "./read.js";
import { screen } from "../screen.js";

/** The most characters of what somebody says of being away. */
const AWAY = 200;

/** @param {unknown} told @returns {import("./roster.js").Told} */
export function presenceOf(told) {
  const away = text(member(told, "AWAY"));
  return { away: away === null ? null : screen(away, AWAY), since: count(member(told, "SINCE")) };
}

/** Notices of something that was taken from the user. */
const ALARMS = new Set(["muted", "kicked", "banned", "flood", "shutdown"]);

/** Notices whose INFO says it all; of the others it is the reason. */
const SENTENCES = new Set(["announcement", "shutdown", "invited", "uninvited", "level", "report"]);

/** A notice (NO-1): its words, the room that it is about, and how loud it is.
 * @param {unknown} notice */
export function noticeOf(notice) {
  const code = text(member(notice, "CODE")) ?? "";
  const info = text(member(notice, "INFO")) ?? "";
  const who = name(member(notice, "NAME"));
  const by = name(member(notice, "BY"));
  const room = name(member(notice, "ROOM"));
  const words = [screen(code, 40)];
  if (who !== null) words.push(screen(who, 64));
  if (room !== null) words.push(`in ${screen(room, 40)}`);
  if (by !== null) words.push(`by ${screen(by, 64)}`);
  const sentence = code === "announcement" && by !== null ? `${by}: ${info}` : info;
  const all = info === "" ? words.join(" ") : SENTENCES.has(code) ? sentence : `${words.join(" ")}: ${info}`;
  const lines = all === "" ? [] : all.split("\n", 100).map((line) => screen(line, 2000));
  return { lines, room, tone: ALARMS.has(code) ? /** @type {const} */ ("error") : /** @type {const} */ ("info") };
}
