// Calls of the server's commands: which are open, and what they ask (CM-2 to CM-4).

import { count, member, text } from "./read.js";
import { screen } from "../screen.js";

/** So many calls are open, and questions wait, at most: a command has one question, so a server that asks more is hostile. */
const OPEN = 64;
const QUESTIONS = 16;

/** So much of a question is shown. */
const QUESTION = 500;

/** The most characters of an answer, and of a command. */
const LONGEST = 16 * 1024;

/** `due`: the server is to ask for a secret that was left out, and has not; `owed`: the command is nothing without it.
 * @typedef {{ id: string, name: string, due: boolean, owed: boolean }} Open */

export class Calls {
  constructor() {
    /** @type {Open[]} */
    this.open = [];
    /** The first one is asked. @type {{ id: string, text: string, secret: boolean }[]} */
    this.questions = [];
    this.last = 0;
    /** Whether a call has ended that was to ask for a secret and has not: that secret may have been typed already. */
    this.unasked = false;
  }

  /** The object that calls a command, or why it can't be called.
   * @param {string} name @param {string[]} values @param {boolean} due @param {boolean} owed
   * @returns {{ send: object } | { error: string }} */
  call(name, values, due, owed) {
    if (this.open.length >= OPEN) return { error: "too many commands wait for the server already" };
    if (values.length > 64 || values.join("").length + name.length > LONGEST) return { error: "the command is too long" };
    this.last += 1;
    const id = String(this.last);
    this.open.push({ id, name, due, owed });
    return { send: { COMMAND: { ID: id, NAME: name, ARGS: values } } };
  }

  /** Whether a line may be the secret that a call is to ask for, or has not asked for. It is said once: the user knows then.
   * @param {string} line */
  secretIsDue(line) {
    const due = this.unasked || this.open.some((call) => call.due);
    if (line.trim() === "" || !due) return false;
    this.unasked = false;
    for (const call of this.open) call.due = false;
    return true;
  }

  /** The server asks something. @param {unknown} prompt */
  prompted(prompt) {
    const id = text(member(prompt, "ID"));
    const asked = text(member(prompt, "TEXT"));
    if (id === null || id.length > 64 || asked === null) return;
    for (const call of this.open) if (call.id === id) call.due = false;
    const question = { id, text: screen(asked.trimEnd(), QUESTION), secret: member(prompt, "SECRET") === true };
    // A command asks one thing at a time.
    const known = this.questions.findIndex((one) => one.id === id);
    if (known >= 0) this.questions[known] = question;
    else if (this.questions.length < QUESTIONS) this.questions.push(question);
  }

  /** The object that answers the first question; null cancels the command. @param {string | null} answer */
  answer(answer) {
    const question = this.questions.shift();
    return question && { ANSWER: { ID: question.id, TEXT: answer === null || answer.length > LONGEST ? null : answer } };
  }

  /** The server has answered a call; its question, if there is one, is over. @param {unknown} result */
  answered(result) {
    const id = text(member(result, "ID"));
    this.questions = this.questions.filter((question) => question.id !== id);
    const call = this.open.find((one) => one.id === id);
    this.open = this.open.filter((one) => one !== call);
    if (call?.due && call.owed && member(result, "OK") !== true) this.unasked = true;
    return call?.name ?? "";
  }

  /** The connection is lost, and the answers with it; gives the commands of which it is not known what came of them. */
  forget() {
    const names = this.open.map((call) => call.name);
    this.unasked ||= this.open.some((call) => call.due && call.owed);
    this.open = [];
    this.questions = [];
    return names;
  }
}

/** So much of a table is shown. */
const COLUMNS = 30;
const ROWS = 1000;
const CELL = 500;

/** Columns whose numbers are times, in seconds since 1970. */
const TIMES = new Set(["AT", "SINCE", "UNTIL"]);

/** The table that the DATA of a RESULT has. @param {unknown} data @returns {import("./types.js").Notice["table"]} */
export function tableOf(data) {
  const columns = member(data, "COLUMNS");
  const rows = member(data, "ROWS");
  if (!Array.isArray(columns) || !Array.isArray(rows)) return null;
  const names = columns.slice(0, COLUMNS).map((name) => cell(name, ""));
  const shown = rows.slice(0, ROWS).filter(Array.isArray);
  return { columns: names, rows: shown.map((row) => names.map((name, place) => cell(row[place], name))) };
}

/** @param {unknown} value @param {string} column */
function cell(value, column) {
  const seconds = TIMES.has(column) ? count(value) : null;
  if (seconds !== null && seconds < 8.64e12) return new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, -8);
  if (typeof value === "string") return screen(value, CELL);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return screen(value.slice(0, 50).filter((one) => typeof one === "string").join(", "), CELL);
  return "";
}
