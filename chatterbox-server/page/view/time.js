/** Times as they are shown, in the zone of the browser. A time from the network may be any number, so what is no time of the calendar is none. */

/** @typedef {"24" | "12" | "off"} Times */

const FORMATS = {
  "24": new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  "12": new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit", hourCycle: "h12" }),
};
const DAY = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FULL = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" });
const UNTIL = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

/** 1970 to 9999: every calendar has these. */
const LAST = 253_370_764_800;

/** @param {number | null} seconds */
export function date(seconds) {
  return seconds !== null && seconds >= 0 && seconds < LAST ? new Date(seconds * 1000) : null;
}

/** `08:05`, or nothing. @param {Date | null} time @param {Times} times */
export function clock(time, times) {
  return time === null || times === "off" ? "" : FORMATS[times].format(time);
}

/** @param {Date} time */
export function full(time) {
  return FULL.format(time);
}

/** A number that is the same for all times of a day. @param {Date} time */
export function day(time) {
  return (time.getFullYear() * 12 + time.getMonth()) * 31 + time.getDate();
}

/** `Today`, `Yesterday`, or the date. @param {Date} time @param {Date} now */
export function dayWords(time, now) {
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (day(time) === day(now)) return "Today";
  if (day(time) === day(yesterday)) return "Yesterday";
  return DAY.format(time);
}

/** Until when, for a sentence: `14 Nov 2023, 23:13`. @param {number | null} seconds */
export function untilWords(seconds) {
  const time = date(seconds);
  return time === null ? null : UNTIL.format(time);
}

/** `12 s`, `5 min`, `3 h`, `2 days`. @param {number} seconds */
export function spanWords(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.ceil(seconds / 3600)} h`;
  return `${Math.ceil(seconds / 86_400)} days`;
}
