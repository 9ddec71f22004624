/**
 * The shapes that the state of the chat shows to the views, and what goes in and out of it.
 *
 * The state is pure: no clock, no socket, no storage, no DOM. `session.js` owns all of these, puts events in, and carries effects out;
 * the views read, and say what the user wants as events.
 */

/** `ALL` for the lobby, `#name` for a room, `@name` for a user. */
export type Target = string;

/** Whatever is in a text is shown: `screen.js` has spelled out what would act on a screen. */
export type Shown = string;

/** An item is replaced, not changed: two views of the same object are the same. */
export type Item = Message | Moves | Hole | Notice;

export interface Message {
  kind: "message";
  /** Stable while the item is there, unique in its conversation. */
  key: number;
  from: Shown;
  lines: Shown[];
  /** Seconds since 1970 UTC: of the server where it says so, else of the sender. */
  time: number | null;
  id: number | null;
  own: boolean;
  /** It names this user, or is private. */
  mention: boolean;
  /** What it answers. */
  reply: Quote | null;
  /** The file that goes with it. */
  file: Attached | null;
  /** Of own messages, where somebody says. */
  delivery: "on its way" | "stored" | "refused" | null;
  /** Why it was refused. */
  why: Shown | null;
}

/** A file that goes with a message, as the server tells it; its name is made harmless. */
export interface Attached {
  token: string;
  name: Shown;
  size: number;
  /** 64 hexadecimal digits in small letters. */
  sha256: string;
  /** When the server removes it, in seconds since 1970 UTC. */
  until: number | null;
}

/** A file on its way. */
export interface TransferView {
  id: number;
  /** Whether this user sends it. */
  sends: boolean;
  name: Shown;
  size: number;
  done: number;
  /** It waits for its turn, for the server or for the connection. */
  waits: boolean;
  /** Bytes in a second, and the seconds that are left, where that is known. */
  rate: number | null;
  left: number | null;
}

/** What the session is to do with a file; `id` is that of its transfer. */
export type FileWork =
  /** The file that was attached under this handle is that of a transfer: its digest is wanted. */
  | { work: "open"; id: number; handle: number }
  /** The file of a handle is not sent. */
  | { work: "forget"; handle: number }
  /** A piece is wanted, as soon as nothing else waits for the connection. */
  | { work: "read"; id: number; at: number; bytes: number }
  | { work: "create"; id: number }
  | { work: "write"; id: number; data: Uint8Array<ArrayBuffer> }
  /** All of it has come: if the digest is right, it is saved under this name. */
  | { work: "finish"; id: number; name: string; sha256: string }
  /** The transfer is over. */
  | { work: "drop"; id: number };

/** What came of it. */
export type FileNews =
  | { id: number; is: "opened"; sha256: string }
  | { id: number; is: "read"; at: number; bytes: number; data: string }
  | { id: number; is: "saved" }
  | { id: number; is: "failed"; why: string };

/** What a message answers: null where that is not loaded. */
export interface Quote {
  id: number;
  key: number | null;
  from: Shown | null;
  text: Shown | null;
}

/** Comings and goings in a row. */
export interface Moves {
  kind: "moves";
  key: number;
  joined: Shown[];
  left: Shown[];
  moreJoined: number;
  moreLeft: number;
  time: number | null;
}

/** Messages are missing here. */
export interface Hole {
  kind: "hole";
  key: number;
  state: "open" | "asked" | "lost";
}

/** What the server or this page says. */
export interface Notice {
  kind: "notice";
  key: number;
  tone: "info" | "error" | "result";
  lines: Shown[];
  /** The table of a RESULT, where it has one. */
  table: { columns: Shown[]; rows: Shown[][] } | null;
  time: number | null;
}

export interface Conversation {
  target: Target;
  kind: "lobby" | "room" | "user";
  /** As it is shown: `lobby`, `#lab`, `bob`. */
  title: Shown;
  topic: Shown;
  /** A room of which the user is no member any more. */
  gone: boolean;
  /** A private conversation whose user is not here. */
  away: boolean;
  unread: number;
  mentions: number;
  /** How many items (all kinds) stand above the marker; null where there is none. */
  marker: number | null;
  older: "unknown" | "more" | "asked" | "beginning";
  items: readonly Item[];
  /** Goes up with every change of any field above. */
  version: number;
  /** Members of a room where they are listed (null: not listed), and how many they are. */
  members: readonly Shown[] | null;
  count: number | null;
  /** The user's level in it, and who has one there. */
  level: number;
  staff: ReadonlyMap<string, number>;
  /** Longest message in characters, where there is such a limit. */
  length: number | null;
  flags: readonly string[];
}

export interface Person {
  name: Shown;
  /** Where one speaks to them alone: by their true name, which may be another than what is shown. */
  target: Target;
  /** Away, with what they said of it; null: here. */
  away: Shown | null;
  /** Seconds since 1970 UTC: here, or away, since then. */
  since: number | null;
}

/** A command of the catalogue (COMMANDS), its texts made safe to show. */
export interface Command {
  name: string;
  aliases: string[];
  help: Shown;
  example: Shown;
  level: number;
  confirm: boolean;
  demo: boolean;
  arguments: Argument[];
}

export interface Argument {
  name: Shown;
  type: string;
  optional: boolean;
  rest: boolean;
  help: Shown;
  values: string[];
}

/** The server asks (PROMPT), or wants a password. As long as it is the same question, it is the same object. */
export interface Question {
  text: Shown;
  secret: boolean;
}

/** Where the session stands. */
export type Phase =
  | { is: "idle" }
  | { is: "joining" }
  /** A name was refused, or a password is needed: `code` is the server's word, `info` its text. Beside those of the server (AN-3) there
   * is `error`: the server said nothing but `info`. It comes to sessions that were lost as well. */
  | { is: "refused"; code: string; info: Shown; wait: number | null; until: number | null; password: boolean }
  | { is: "in" }
  /** The connection is lost; the next try comes at that time (seconds since 1970), or never. */
  | { is: "lost"; why: Shown; retry: number | null }
  /** It is over: CLOSED with a word that says not to come back by itself. */
  | { is: "closed"; code: string; info: Shown; until: number | null };

/** What happens, and what the user wants. */
export type Event =
  /** The password is sent once, and kept nowhere. */
  | { join: { name: string; password?: string | undefined; token?: string | undefined } }
  /** The user leaves; the session is over. */
  | { leave: true }
  | { frame: unknown }
  | { typed: string }
  | { say: string }
  /** Calls a command of the catalogue; `room` is where it was called. */
  | { call: { name: string; arguments: string[] } }
  | { answer: string }
  | { cancel: true }
  | { open: Target }
  | { close: Target }
  | { older: Target }
  | { fill: Target }
  | { seeing: boolean }
  /** It is time to tell the server how far the user has read. */
  | { marks: true }
  /** With `retry`, which is for `session.js` alone, it says when the next try comes. */
  | { lost: string; retry?: number | null }
  | { back: true }
  | { tick: true }
  /** The user gives files; `session.js` keeps them, and puts each in with a handle. */
  | { attach: readonly File[] }
  | { attached: { handle: number; name: string; size: number } }
  /** The user wants the file of a message. */
  | { save: { target: Target; key: number } }
  /** The user gives up a transfer. */
  | { giveUp: number }
  | { file: FileNews };

/** What the session has to do for the state. */
export type Effect =
  | { send: object }
  /** Keep the login token of an account, or forget it. */
  | { token: { name: string; token: string | null } }
  /** This text was not sent: it goes back to where it was typed. */
  | { restore: string }
  /** The server has answered: the connection is of use. */
  | { progress: true }
  | { file: FileWork }
  /** Close this connection and treat it as lost. */
  | { disconnect: string }
  /** Come back after so many seconds (null: by the back-off of the session); never (false). */
  | { redial: number | null | false }
  /** Somebody has named the user, or speaks to them alone, and they do not see it. */
  | { alert: { target: Target; from: Shown; text: Shown; key: number } };

/** What the views read. */
export interface View {
  phase: Phase;
  /** The own name, as it is now. */
  me: Shown;
  /** The account, or null for a guest; and the own level. */
  account: Shown | null;
  level: number;
  levels: readonly Shown[];
  server: { name: Shown; banner: Shown[] };
  front: Target;
  /** None before the first welcome. */
  conversations: readonly Conversation[];
  totals: { unread: number; mentions: number };
  nextUnread: Target | null;
  mentions: readonly { target: Target; from: Shown; line: Shown; key: number }[];
  people: readonly Person[];
  commands: readonly Command[];
  /** What is typed in front of a command. */
  prefix: string;
  question: Question | null;
  /** Messages that no server has confirmed. */
  waiting: number;
  /** Round trip in milliseconds, where it is known. */
  latency: number | null;
  limits: { content: number | null; name: number | null };
  /** Whether messages can be answered. */
  replies: boolean;
  /** Whether files can be sent. */
  files: boolean;
  transfers: readonly TransferView[];
}

/**
 * What the word at the caret can become: `complete(view, text, caret, asked)` of `complete.js`. Places are in UTF-16 units, as in a textarea.
 * It is `asked` for by Tab; else it is offered while the user types, where names are only completed behind their sign (`@`, `#`).
 */
export interface Completion {
  /** The part of the text that a candidate replaces. */
  from: number;
  to: number;
  candidates: readonly Candidate[];
  /** Of a command whose arguments are typed: how it is used, with what is at the caret marked; and what is known of that. */
  usage: { name: Shown; arguments: readonly { text: Shown; current: boolean }[] } | null;
  about: readonly Shown[];
  /** The place from which the text is a secret (an argument of type `secret`, or what may be one); null: nothing of it is. */
  secret: number | null;
}

export interface Candidate {
  kind: "command" | "user" | "room" | "value";
  /** What is put in the place of the word, a blank behind it where another word follows. */
  text: string;
  shown: Shown;
  /** What it means. */
  note: Shown;
}

/** What a menu is of. `room` is the room where it was opened, if it was one. */
export type Subject =
  | { is: "user"; name: Shown; room: Target | null }
  | { is: "conversation"; target: Target }
  | { is: "message"; target: Target; key: number };

/**
 * A command of the catalogue in a menu: `menuFor(view, subject)` of `menu.js`. `given` has for each argument what the subject says of it
 * (a name, a room, the id of a message), or null. Where an argument is null, or the command has CONFIRM, the user is asked.
 */
export interface MenuEntry {
  command: Command;
  given: readonly (string | null)[];
}

/** What `session.js` is for the page: `new Session({ changed, alert })` with the two below. */
export interface SessionSeam {
  /** The view of the moment; another object after each change. */
  readonly view: View;
  /** What the login offers at first: the name that was used last, and whether the user stays logged in (only then it is known). */
  readonly remembered: { name: string; stay: boolean };
  /** Tries to join with a token that was kept, where there is one; is called once. */
  start(): void;
  /** Whatever the user wants, but for these: */
  send(event: Event): void;
  /** Joins with a name, and a password where it is not empty. */
  join(credentials: { name: string; password: string; stay: boolean }): void;
  /** Does not wait for the next try; and joins again after CLOSED. */
  again(): void;
  /** Back to the login: closes the connection, forgets the token, and is idle. */
  leave(): void;
}

/** `changed` is called after each change of the view, `alert` with what the user should be told who looks elsewhere. */
export interface SessionCalls {
  changed(): void;
  alert(alert: Extract<Effect, { alert: unknown }>["alert"]): void;
}
