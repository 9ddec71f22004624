//! The keys that a server's frame may have beyond the base protocol, as the client reads them.
//!
//! They count only where they were offered or agreed; a value of a wrong kind is noted and ignored, like everything else
//! that a server does otherwise than the norm says.

use serde::de::MapAccess;
use serde_json::Value;

use crate::capability::accounts::{self, Account};
use crate::capability::commands::{self, Command, Outcome, Prompt};
use crate::capability::ids::{self, Id, Page, RefusedTag};
use crate::capability::negotiation::{CAPABILITIES, LIMITS, Limits, read_agreed};
use crate::capability::{Capabilities, Capability, ping, rename};
use crate::json::read::{ReadList, ReadShape, Shape};
use crate::json::tree::read_tree;
use crate::limits;
use crate::text::WireText;

/// What stands in a server's frame beside the keys of the base protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerKeys {
    /// `CAPABILITIES`: what is in force.
    pub agreed: Option<Capabilities>,
    /// `LIMITS`.
    pub limits: Option<Limits>,
    /// `IDS`: the number of each message, if it has one.
    pub ids: Option<Vec<Option<Id>>>,
    /// `ACKS`.
    pub acks: Vec<(WireText<'static>, Id)>,
    /// `REFUSED`.
    pub refused: Vec<RefusedTag>,
    /// `HISTORY`.
    pub history: Option<Page>,
    /// `RESUME`: the token of this session.
    pub resume: Option<WireText<'static>>,
    /// `RESUMED`.
    pub resumed: Option<bool>,
    /// `PING`.
    pub ping: Option<i64>,
    /// `PONG`.
    pub pong: Option<i64>,
    /// `USERS_RENAMED`: old and new names.
    pub renamed: Vec<(WireText<'static>, WireText<'static>)>,
    /// `ACCOUNT`.
    pub account: Option<Account>,
    /// `CODE` of a refusal.
    pub code: Option<WireText<'static>>,
    /// `COMMANDS`.
    pub commands: Option<Vec<Command>>,
    /// `PREFIX`.
    pub prefix: Option<WireText<'static>>,
    /// `RESULT`.
    pub result: Option<Outcome>,
    /// `PROMPT`.
    pub prompt: Option<Prompt>,
}

/// The values of one key are no more than this: a page of history and a catalogue are a few thousand.
const VALUES: usize = 64 * 1024;

/// Whether a key counts, and what became of its value.
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
        // Who offered anything is answered with these two.
        let answer = matches!(row.key, CAPABILITIES | LIMITS);
        let counts = known.has(row.of) || (answer && !known.is_empty());
        if !counts {
            return Ok(Read::Unknown);
        }
        let keys = keys.get_or_insert_default();
        let sound = if row.key == ids::IDS {
            keys.ids = read_ids(object)?;
            keys.ids.is_some()
        } else {
            read_tree(object, VALUES)?.and_then(|value| (row.put)(keys, value)).is_some()
        };
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
    ids::IDS, Ids, ids = |_value| None::<Option<Vec<Option<Id>>>>;
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
    commands::RESULT, Commands, result = |value| Outcome::read(&value).map(Some);
    commands::PROMPT, Commands, prompt = |value| Prompt::read(&value).map(Some);
};

fn read_ids<'de, A: MapAccess<'de>>(object: &mut A) -> Result<Option<Vec<Option<Id>>>, A::Error> {
    let within = ReadShape::MEMBER.inner()?;
    let (mut ids, mut sound) = (Vec::new(), true);
    let each = |element: Shape<'_>| match element {
        Shape::Null => ids.push(None),
        Shape::Integer(id) => match Id::try_from(id) {
            Ok(id @ 1..=limits::LARGEST_ID) => ids.push(Some(id)),
            _ => sound = false,
        },
        _ => sound = false,
    };
    let other = object.next_value_seed(ReadList { seed: within, within, each })?;
    Ok((sound && other.is_none()).then_some(ids))
}
