/**
 * What a server may tell, every key of every frame, with texts as a test makes them.
 */

const TIME = 1_700_000_000;

/** Everything that our server speaks. */
export const CAPABILITIES = "accounts/1 commands/1 devices/1 files/1 ids/1 marks/1 meta/1 notices/1 ping/1 presence/1 recent/1 rename/1 rooms/1 utf8/1";

/** The welcome. @param {(field: string) => string} text */
export function welcome(text, me) {
  const other = text("name");
  return {
    USERNAME_ACCEPTED: true,
    INFO: text("info"),
    USER_LIST: [me, other, "bob"],
    MESSAGES: [
      [other, "ALL", TIME, text("message in the lobby")],
      ["bob", "ALL", TIME + 1, `${me}: ${text("message that names")}`],
      ["bob", "#lab", TIME + 2, text("message in a room")],
      [other, me, TIME + 3, text("private message")],
    ],
    IDS: [1, 2, 3, 4],
    TIMES: [TIME, TIME + 1, TIME + 2, TIME + 3],
    MORE: true,
    CAPABILITIES,
    LIMITS: { FRAME: 65_536, USERNAME: 32, CONTENT: 4000, ROOMS: 50, TOPIC: 400 },
    RESUME: text("resume"),
    ACCOUNT: { LEVEL: 5, TOKEN: text("token") },
    SERVER: { NAME: text("server"), BANNER: text("banner") },
    PRESENCE: { [me]: { SINCE: TIME, AWAY: null }, [other]: { SINCE: TIME, AWAY: text("away") }, bob: { SINCE: TIME, AWAY: null } },
    ROOMS: [
      { ROOM: "ALL", TOPIC: text("topic of the lobby"), TALK: 0, SLOW: 0, FLOOR: 0 },
      room("#lab", text, me, other),
      room(`#${text("room").slice(0, 31)}`, text, me, other),
    ],
    DEFAULT: "ALL",
  };
}

function room(name, text, me, other) {
  return {
    ROOM: name, NUMBER: 12 + name.length, OWNER: other, LEVEL: 4, TOPIC: text("topic"), DESCRIPTION: text("description"),
    ROSTER: true, COUNT: 3, USERS: [me, other, "bob"], STAFF: { [other]: 4 }, LIMIT: 0, LENGTH: 4000, TALK: 0, SLOW: 0,
    KEEP: "all", SHOW: "all", FLAGS: [text("flag")], LAST: 3, FLOOR: 0,
  };
}

/** The catalogue. @param {(field: string) => string} text */
export function catalogue(text) {
  const argument = (type, more = {}) => ({ NAME: text("argument"), TYPE: type, OPTIONAL: false, REST: false, HELP: text("help of an argument"), ...more });
  return {
    COMMANDS: [
      {
        NAME: "kick", ALIASES: [text("alias")], HELP: text("help"), EXAMPLE: text("example"), LEVEL: 2, CONFIRM: true,
        ARGUMENTS: [argument("user"), argument("text", { OPTIONAL: true, REST: true })],
      },
      { NAME: "topic", ALIASES: [], HELP: text("help"), EXAMPLE: "", LEVEL: 2, ARGUMENTS: [argument("room"), argument("text", { REST: true })] },
      { NAME: "report", ALIASES: [], HELP: text("help"), EXAMPLE: "", LEVEL: 0, ARGUMENTS: [argument("user"), argument("integer", { OPTIONAL: true })] },
      {
        NAME: "colour", ALIASES: [], HELP: text("help"), EXAMPLE: "", LEVEL: 0,
        ARGUMENTS: [argument("text", { VALUES: [text("value"), "red"] }), argument(text("type")), argument("secret", { OPTIONAL: true })],
      },
      { NAME: text("command"), ALIASES: [], HELP: text("help"), EXAMPLE: text("example"), LEVEL: 0, ARGUMENTS: [] },
    ],
    PREFIX: "/",
    LEVELS: ["guest", "user", "helper", text("level"), "operator", "admin"],
  };
}

/** What comes later. @param {(field: string) => string} text */
export function later(text, me) {
  const other = text("name");
  return [
    { USERS_JOINED: [text("who joins")] },
    { MESSAGES: [[other, "ALL", TIME + 10, text("message")]], IDS: [10], TIMES: [TIME + 10] },
    { MESSAGES: [[other, me, TIME + 11, text("private")]], IDS: [11], TIMES: [TIME + 11] },
    { MESSAGES: [["SERVER", "ALL", TIME + 12, text("of the server")]], IDS: [null], TIMES: [null] },
    { MESSAGES: [["bob", "#lab", TIME + 13, `${me} ${text("mention")}`]], IDS: [13], TIMES: [TIME + 13] },
    {
      MESSAGES: [[other, "ALL", TIME + 14, text("message with a file")]], IDS: [15], TIMES: [TIME + 14],
      META: [{ FILE: { FILE: "Qx7", NAME: text("name of a file").slice(0, 128), SIZE: 6, SHA256: "07".repeat(32), UNTIL: TIME + 60 } }],
    },
    { FILE: { ID: "f1.1", FILE: "Qx7", AT: 0, SIZE: 6 } },
    { FILE_CHUNK: { FILE: "Qx7", AT: 0, DATA: "YWJj" } },
    { FILE_CREDIT: { FILE: "Qx7", UPTO: 5 } },
    { FILE: { FILE: "Qx7", CODE: text("code"), INFO: text("why a file is refused") } },
    { USERS_RENAMED: { bob: text("new name") } },
    { PRESENCE: { [other]: { SINCE: TIME, AWAY: text("away again") } } },
    { ROOM_USERS_JOINED: { "#lab": [text("who joins a room")] } },
    { ROOMS: [{ ROOM: "#lab", NUMBER: 16, TOPIC: text("new topic"), FLAGS: [text("new flag")] }] },
    { ROOM_USERS_LEFT: { "#lab": [other] } },
    {
      NOTICES: ["announcement", "muted", "invited", "report", "level", text("code")].map((code) => (
        { CODE: code, INFO: text("notice"), ROOM: "#lab", NAME: text("of whom"), BY: text("by whom"), UNTIL: TIME + 60, WAIT: 5, ID: 3 })),
    },
    { HISTORY: { WITH: "ALL", MESSAGES: [[other, "ALL", TIME - 5, text("older")]], IDS: [0], TIMES: [TIME - 5], MORE: false } },
    { RESULT: { ID: "1", OK: true, CODE: "ok", INFO: text("result"), DATA: { COLUMNS: [text("column"), "B"], ROWS: [[text("cell"), 1], [null, true]] } } },
    { RESULT: { ID: "2", OK: false, CODE: text("code"), ERROR: text("error of a command") } },
    { REFUSED: { t1: { CODE: "flood", ERROR: text("refused"), WAIT: 1, UNTIL: TIME + 60 } }, ERROR: text("error") },
    { ACKS: { t2: 14 } },
    { ERROR: text("error") },
    { PONG: 7 },
    { PING: 8 },
    { ROOMS_LEFT: [{ ROOM: "#lab", NUMBER: 16, CODE: "kicked", BY: text("by whom"), INFO: text("why") }] },
    { USERS_LEFT: [text("who leaves")] },
  ];
}

/** The command of the page asks back. */
export function prompt(text, id) {
  return { PROMPT: { ID: id, TEXT: text("question"), SECRET: false } };
}

/** Every way to put another value into a place of a value: `[path, value with it]`. */
export function* mutations(value, others, path = "") {
  for (const other of others) yield [path, other];
  if (Array.isArray(value)) {
    for (const [place, inner] of value.entries()) {
      for (const [at, other] of mutations(inner, others, `${path}[${place}]`)) yield [at, value.map((one, i) => (i === place ? other : one))];
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      for (const [at, other] of mutations(inner, others, `${path}.${key}`)) yield [at, { ...value, [key]: other }];
    }
  }
}
