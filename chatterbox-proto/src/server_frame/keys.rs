//! The keys of a server's frame beyond the base protocol, as the client reads them.
//!
//! They count only where their capability was offered or negotiated; a malformed value is reported as a deviation and
//! ignored.

use serde::de::MapAccess;
use serde_json::Value;

use crate::capability::accounts::{self, Account};
use crate::capability::commands::{self, Command, Outcome, Prompt};
use crate::capability::e2ee::{self, KeysAnswer, KeysLow};
use crate::capability::files::{self, FileAnswer, FileChunk, FileCredit};
use crate::capability::ids::{self, Id, Page, RefusedTag};
use crate::capability::marks;
use crate::capability::meta::Meta;
use crate::capability::negotiation::{
    CAPABILITIES, LIMITS, Limits, SERVER_INFO, ServerInfo, read_agreed,
};
use crate::capability::notices::{self, Closed, Notice};
use crate::capability::presence::{self, UserPresence};
use crate::capability::rooms::{self, RoomLeft, RoomTold, RoomUsers};
use crate::capability::{Capabilities, Capability, ping, recent, rename};
use crate::json::tree::read_tree;
use crate::text::WireText;

/// The keys of a server's frame beyond the base protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerKeys {
    /// `CAPABILITIES`: the capabilities in force.
    pub agreed: Option<Capabilities>,
    /// `LIMITS`: the limits of the server.
    pub limits: Option<Limits>,
    /// `IDS`: the id of each message, or null. It is as long as MESSAGES, so the lazy reader keeps it elsewhere.
    pub ids: Option<Vec<Option<Id>>>,
    /// `TIMES`: when the server took each message, or null. As long as IDS, and kept elsewhere, too.
    pub times: Option<Vec<Option<i64>>>,
    /// `META`: what goes with each message, or null. As long as MESSAGES, and kept elsewhere, too.
    pub meta: Option<Vec<Option<Box<Meta>>>>,
    /// `ACKS`: idempotency keys of stored messages, and the ids of those.
    pub acks: Vec<(WireText<'static>, Id)>,
    /// `REFUSED`: the messages that were rejected.
    pub refused: Vec<RefusedTag>,
    /// `FILE`: what the server says about a file or a transfer.
    pub file: Option<FileAnswer>,
    /// `FILE_CHUNK`: the next bytes of a file that is fetched.
    pub file_chunk: Option<FileChunk>,
    /// `FILE_CREDIT`: how far an upload may go.
    pub file_credit: Option<FileCredit>,
    /// `FILE_STOP`: the token of a transfer that the server gives up.
    pub file_stop: Option<String>,
    /// `HISTORY`: a page of history.
    pub history: Option<Page>,
    /// `RESUME`: the token of this session.
    pub resume: Option<WireText<'static>>,
    /// `RESUMED`: whether the session was resumed.
    pub resumed: Option<bool>,
    /// `PING`: a liveness check, to be answered with PONG.
    pub ping: Option<i64>,
    /// `PONG`: the answer to a PING of this client.
    pub pong: Option<i64>,
    /// `USERS_RENAMED`: old and new names.
    pub renamed: Vec<(WireText<'static>, WireText<'static>)>,
    /// `ACCOUNT`: the account of this user.
    pub account: Option<Account>,
    /// `KEYS`: the answer of the directory of keys.
    pub directory: Option<KeysAnswer>,
    /// `KEYS_LOW`: few one-time keys of a device are left.
    pub keys_low: Option<KeysLow>,
    /// `CODE`: the machine word of a refusal.
    pub code: Option<WireText<'static>>,
    /// `COMMANDS`: the catalogue.
    pub commands: Option<Vec<Command>>,
    /// `PREFIX`: the prefix of typed commands.
    pub prefix: Option<WireText<'static>>,
    /// `LEVELS`: what the levels are called, the lowest first.
    pub levels: Option<Vec<WireText<'static>>>,
    /// `RESULT`: the result of a command.
    pub result: Option<Outcome>,
    /// `PROMPT`: a question of a running command.
    pub prompt: Option<Prompt>,
    /// `SERVER`: what the server says about itself.
    pub server: Option<ServerInfo>,
    /// `MORE`: whether a short welcome has left messages out.
    pub more: Option<bool>,
    /// `READ`: how far the user has read, by conversation.
    pub read: Vec<(WireText<'static>, Id)>,
    /// `UNREAD`: how much is unread, by conversation; 100 is at least 100.
    pub unread: Vec<(WireText<'static>, u64)>,
    /// `NOTICES`: what the user should know.
    pub notices: Vec<Notice>,
    /// `PRESENCE`: since when users are here, and whether they are away.
    pub presence: Vec<UserPresence>,
    /// `CLOSED`: why the connection ends.
    pub closed: Option<Closed>,
    /// `UNTIL` beside a refused name: until when the refusal holds.
    pub until: Option<i64>,
    /// `ROOMS`: whole rooms, or what has changed of some, and whether all of the list could be read.
    pub rooms: Option<(Vec<RoomTold>, bool)>,
    /// `DEFAULT`: the room that the user set as default, or `ALL`.
    pub default: Option<WireText<'static>>,
    /// `ROOMS_LEFT`: memberships that have ended.
    pub rooms_left: Vec<RoomLeft>,
    /// `ROOM_USERS_JOINED`: new members of rooms.
    pub room_users_joined: RoomUsers,
    /// `ROOM_USERS_LEFT`: members of rooms that are none any more.
    pub room_users_left: RoomUsers,
}

/// The most JSON values that one key may have: a page of history and a catalogue have a few thousand, and the rooms of a user
/// with all their members some ten thousand (RM-10).
const VALUES: usize = 64 * 1024;

/// The result of reading a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    Unknown,
    Sound,
    /// It has the wrong type.
    Wrong(&'static str, Capability),
}

impl ServerKeys {
    /// Reads the value of a key if the key counts.
    pub(crate) fn take<'de, A: MapAccess<'de>>(
        keys: &mut Option<Box<Self>>,
        key: &str,
        known: Capabilities,
        object: &mut A,
    ) -> Result<Read, A::Error> {
        let Some(row) = ROWS.iter().find(|row| row.key == key) else { return Ok(Read::Unknown) };
        // The answer to any offer has these.
        let answer = matches!(row.key, CAPABILITIES | LIMITS | SERVER_INFO);
        // Who reads notices is told by CODE that they are kept out, too (NO-5).
        let excluded = row.key == accounts::CODE && known.has(Capability::Notices);
        let counts = known.has(row.of) || excluded || (answer && !known.is_empty());
        if !counts {
            return Ok(Read::Unknown);
        }
        let keys = keys.get_or_insert_default();
        let sound = read_tree(object, VALUES)?.and_then(|value| (row.put)(keys, value)).is_some();
        Ok(if sound { Read::Sound } else { Read::Wrong(row.key, row.of) })
    }
}

/// One key: to which capability it belongs, and how its value is read.
struct Row {
    key: &'static str,
    of: Capability,
    put: fn(&mut ServerKeys, Value) -> Option<()>,
}

macro_rules! rows {
    ($($key:expr, $of:ident, $field:ident = |$value:ident| $read:expr;)*) => {
        &[$(Row {
            key: $key,
            of: Capability::$of,
            put: |keys, $value| {
                keys.$field = $read?;
                Some(())
            },
        }),*]
    };
}

const ROWS: &[Row] = rows! {
    CAPABILITIES, Ids, agreed = |value| read_agreed(&value).map(Some);
    LIMITS, Ids, limits = |value| Limits::read(&value).map(Some);
    SERVER_INFO, Ids, server = |value| ServerInfo::read(&value).map(Some);
    ids::ACKS, Ids, acks = |value| ids::read_acks(value);
    ids::REFUSED, Ids, refused = |value| ids::read_refused(value);
    ids::HISTORY, Ids, history = |value| Page::read(value).map(Some);
    ids::RESUME, Ids, resume = |value| accounts::read_word(value).map(Some);
    ids::RESUMED, Ids, resumed = |value| value.as_bool().map(Some);
    ping::PING, Ping, ping = |value| value.as_i64().map(Some);
    ping::PONG, Ping, pong = |value| value.as_i64().map(Some);
    rename::USERS_RENAMED, Rename, renamed = |value| rename::read(value);
    accounts::ACCOUNT, Accounts, account = |value| Account::read(&value).map(Some);
    accounts::CODE, Accounts, code = |value| accounts::read_word(value).map(Some);
    commands::COMMANDS, Commands, commands = |value| commands::read_catalogue(&value).map(Some);
    commands::PREFIX, Commands, prefix = |value| accounts::read_word(value).map(Some);
    commands::LEVELS, Commands, levels = |value| commands::read_levels(&value).map(Some);
    commands::RESULT, Commands, result = |value| Outcome::read(&value).map(Some);
    commands::PROMPT, Commands, prompt = |value| Prompt::read(&value).map(Some);
    files::FILE, Files, file = |value| FileAnswer::read(&value).map(Some);
    files::FILE_CHUNK, Files, file_chunk = |value| FileChunk::read(&value).map(Some);
    files::FILE_CREDIT, Files, file_credit = |value| FileCredit::read(&value).map(Some);
    files::FILE_STOP, Files, file_stop = |value| files::read_stop(&value).map(Some);
    e2ee::KEYS, E2ee, directory = |value| KeysAnswer::read(value).map(Some);
    e2ee::KEYS_LOW, E2ee, keys_low = |value| KeysLow::read(&value).map(Some);
    recent::MORE, Recent, more = |value| value.as_bool().map(Some);
    marks::READ, Marks, read = |value| marks::read_numbers(value);
    marks::UNREAD, Marks, unread = |value| marks::read_numbers(value);
    notices::NOTICES, Notices, notices = |value| notices::read(&value);
    presence::PRESENCE, Presence, presence = |value| presence::read(value);
    notices::CLOSED, Notices, closed = |value| Closed::read(&value).map(Some);
    ids::UNTIL, Notices, until = |value| value.as_i64().map(Some);
    rooms::ROOMS, Rooms, rooms = |value| rooms::read_rooms(value).map(Some);
    rooms::DEFAULT, Rooms, default = |value| accounts::read_word(value).map(Some);
    rooms::ROOMS_LEFT, Rooms, rooms_left = |value| rooms::read_left(&value);
    rooms::ROOM_USERS_JOINED, Rooms, room_users_joined = |value| rooms::read_users(value);
    rooms::ROOM_USERS_LEFT, Rooms, room_users_left = |value| rooms::read_users(value);
};
