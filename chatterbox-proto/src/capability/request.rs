//! Everything that a joined client can ask for beyond the base protocol.
//!
//! A [`Request`] goes unchanged from the frame to its handler. A new one is a variant and a row of [`KEYS`]: the reader of
//! frames and the session take both from here.

use serde_json::Value;

use super::commands::{ANSWER, Answer, COMMAND, Call, CommandRequest};
use super::e2ee::{
    KEYS_CLAIM, KEYS_DONE, KEYS_GET, KEYS_PUT, KeysClaim, KeysDone, KeysGet, KeysPut, KeysRequest,
};
use super::files::{self, FileChunk, FileCredit, FileGet, FilePut, FileRequest};
use super::ids::{HISTORY, Query};
use super::marks::{READ, ReadUpTo};
use super::ping::{PING, PONG};
use super::set::Capabilities;
use super::table::Capability;
use crate::code::Code;

/// One request of a joined client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A page of history (ID-6).
    History(Query),
    /// How far the user has read (MK-1).
    Read(ReadUpTo),
    /// An upload or a download (FI-1, FI-2, FI-4).
    File(FileRequest),
    /// A request to the directory of keys (EE-1, EE-2, EE-4).
    Keys(KeysRequest),
    /// A command, or the answer to a prompt of one (CM-2, CM-4).
    Command(CommandRequest),
    /// The answer to a PING of the server (PI-1).
    Pong(i64),
    /// A PING, which is answered with PONG and the same number (PI-1).
    Ping(i64),
}

/// One key that is a request of its own.
pub(crate) struct RequestKey {
    key: &'static str,
    capability: Capability,
    read: fn(&Value) -> Option<Request>,
    /// The fault of a value that can't be read.
    invalid: Code,
}

/// The requests of one frame are handled in this order. PING is last, since its PONG says that everything before it is
/// done.
const KEYS: &[RequestKey] = &[
    RequestKey {
        key: HISTORY,
        capability: Capability::Ids,
        read: |value| Query::read(value).map(Request::History),
        invalid: Code::BadHistory,
    },
    RequestKey {
        key: READ,
        capability: Capability::Marks,
        read: |value| ReadUpTo::read(value).map(Request::Read),
        invalid: Code::BadRead,
    },
    RequestKey {
        key: files::FILE_CHUNK,
        capability: Capability::Files,
        read: |value| FileChunk::read(value).map(FileRequest::Chunk).map(Request::File),
        invalid: Code::BadFile,
    },
    RequestKey {
        key: files::FILE_CREDIT,
        capability: Capability::Files,
        read: |value| FileCredit::read(value).map(FileRequest::Credit).map(Request::File),
        invalid: Code::BadFile,
    },
    RequestKey {
        key: files::FILE_STOP,
        capability: Capability::Files,
        read: |value| files::read_stop(value).map(FileRequest::Stop).map(Request::File),
        invalid: Code::BadFile,
    },
    RequestKey {
        key: files::FILE_PUT,
        capability: Capability::Files,
        read: |value| FilePut::read(value).map(FileRequest::Put).map(Request::File),
        invalid: Code::BadFile,
    },
    RequestKey {
        key: files::FILE_GET,
        capability: Capability::Files,
        read: |value| FileGet::read(value).map(FileRequest::Get).map(Request::File),
        invalid: Code::BadFile,
    },
    RequestKey {
        key: KEYS_PUT,
        capability: Capability::E2ee,
        read: |value| KeysPut::read(value).map(Box::new).map(KeysRequest::Put).map(Request::Keys),
        invalid: Code::BadKeys,
    },
    RequestKey {
        key: KEYS_GET,
        capability: Capability::E2ee,
        read: |value| KeysGet::read(value).map(KeysRequest::Get).map(Request::Keys),
        invalid: Code::BadKeys,
    },
    RequestKey {
        key: KEYS_CLAIM,
        capability: Capability::E2ee,
        read: |value| KeysClaim::read(value).map(KeysRequest::Claim).map(Request::Keys),
        invalid: Code::BadKeys,
    },
    RequestKey {
        key: KEYS_DONE,
        capability: Capability::E2ee,
        read: |value| KeysDone::read(value).map(KeysRequest::Done).map(Request::Keys),
        invalid: Code::BadKeys,
    },
    RequestKey {
        key: COMMAND,
        capability: Capability::Commands,
        read: |value| Call::read(value).map(CommandRequest::Call).map(Request::Command),
        invalid: Code::BadCommand,
    },
    RequestKey {
        key: ANSWER,
        capability: Capability::Commands,
        read: |value| Answer::read(value).map(CommandRequest::Answer).map(Request::Command),
        invalid: Code::BadAnswer,
    },
    RequestKey {
        key: PONG,
        capability: Capability::Ping,
        read: |value| value.as_i64().map(Request::Pong),
        invalid: Code::BadPing,
    },
    RequestKey {
        key: PING,
        capability: Capability::Ping,
        read: |value| value.as_i64().map(Request::Ping),
        invalid: Code::BadPing,
    },
];

impl RequestKey {
    /// The row of a key that counts where `agreed` is in force, and its place in the table.
    pub(crate) fn find(key: &str, agreed: Capabilities) -> Option<(usize, &'static Self)> {
        let (place, row) = KEYS.iter().enumerate().find(|(_, row)| row.key == key)?;
        agreed.has(row.capability).then_some((place, row))
    }

    /// Reads the value of the key.
    pub(crate) fn read(&self, value: Option<&Value>) -> Result<Request, Code> {
        value.and_then(self.read).ok_or(self.invalid)
    }
}
