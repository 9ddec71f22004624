//! The table of errors, with their texts for the user.
//!
//! A [`Code`] has a stable machine word, the clause that was broken, and the text that goes into `ERROR`. Wording is for people
//! and may change; words and clauses may not.

use crate::capability::zstd::BadZstd;
use crate::clause::{self, Clause};

/// What is wrong with something that a client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The announced length is above the limit.
    FrameTooLong,
    /// The length is zero.
    FrameEmpty,
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is not JSON.
    NotJson,
    /// The body is JSON, but not an object.
    NotObject,
    /// The JSON is nested too deep.
    TooDeep,
    /// A key of the protocol occurs twice.
    DuplicateKey,
    /// The object has no key that the protocol knows.
    NoKnownKey,
    /// USERNAME is not a string.
    UsernameNotString,
    /// USERNAME on a joined connection.
    AlreadyJoined,
    /// MESSAGES before joining.
    NotJoined,
    /// MESSAGES is not a list.
    MessagesNotList,
    /// A message is not a list.
    MessageNotList,
    /// A message does not have four elements.
    MessageNotFour,
    /// SRC is not a string.
    SourceNotString,
    /// DEST is not a string.
    DestinationNotString,
    /// TIMESTAMP is not an integer of at most 64 bits.
    TimestampNotInteger,
    /// CONTENT is not a string.
    ContentNotString,
    /// SRC is not the joined name.
    SourceNotYou,
    /// DEST is nobody who is here.
    NoSuchUser,
    /// The recipient has too much waiting already.
    RecipientBusy,
    /// Too much waits for a user who is not here (AN-7).
    MailboxFull,
    /// One of the two has blocked the other.
    Blocked,
    /// DEST is no room, or none that this user may know of.
    NoSuchRoom,
    /// The sender is not a member of the room.
    NotAMember,
    /// The sender's level is below that of those who may write in the room.
    ReadOnly,
    /// The sender has written to the room a moment ago, and may again after so many seconds.
    SlowMode(u32),
    /// The message is longer than the room takes.
    TooLong,
    /// The sender is muted, until then in seconds since 1970 UTC, or for good.
    Muted(Option<i64>),
    /// The sender has said too much to this destination, and may go on after so many seconds.
    Flood(u32),
    /// All together have said too much in the room, which takes more after so many seconds.
    RoomBusy(u32),
    /// The message could not be stored, so it was not delivered.
    NotStored,
    /// The history can't be read now.
    NotRead,
    /// Too many long frames are under way at the same time.
    TooManyLongFrames,
    /// A long frame was begun and not finished in time.
    FrameTimeout,
    /// The connection took too long to join.
    JoinTimeout,
    /// The connection is a slow consumer: it stopped reading.
    TooSlow,
    /// More was waiting for the connection than the server has memory for.
    TooMuchWaiting,
    /// The server has no place for another connection.
    ServerFull,
    /// The server has no place for another connection from this address.
    TooManyConnections,
    /// CAPABILITIES is malformed.
    BadOffer,
    /// CAPABILITIES where it can't be any more, or without USERNAME.
    OfferNotNow,
    /// PASSWORD or TOKEN is not a string, or both are there.
    BadProof,
    /// RECENT is malformed.
    BadRecent,
    /// RESUME is malformed.
    BadResume,
    /// TAGS is malformed.
    BadTags,
    /// META is malformed.
    BadMeta,
    /// REPLY is no message of this conversation that the sender can read.
    NoSuchMessage,
    /// MENTIONS has a name that stands for all, and the sender's level is too low.
    MentionForbidden,
    /// A file or an encrypted text goes with the message, and this server takes none.
    PartRefused,
    /// HISTORY is malformed.
    BadHistory,
    /// READ is malformed.
    BadRead,
    /// KEYS_PUT, KEYS_GET, KEYS_CLAIM or KEYS_DONE is malformed.
    BadKeys,
    /// DEVICE is malformed.
    BadDevice,
    /// What should be an encrypted message is none, or is not where one may be (EE-3).
    BadE2ee,
    /// An encrypted message is not for the devices that there are (EE-3).
    DevicesChanged,
    /// PING or PONG is not an integer.
    BadPing,
    /// COMMAND is malformed.
    BadCommand,
    /// ANSWER is malformed.
    BadAnswer,
    /// FILE_PUT, FILE_CHUNK, FILE_CREDIT, FILE_STOP or FILE_GET is malformed.
    BadFile,
    /// META names a file that this message may not announce.
    FileExpired,
    /// ANSWER, although no prompt is open.
    AnswerToNothing,
    /// Another connection has resumed this session.
    Resumed,
    /// The account of this connection was removed.
    AccountRemoved,
    /// All other logins of the account of this connection were ended.
    LoggedOut,
    /// A compressed frame can't be taken.
    BadZstd(BadZstd),
}

/// The rows of the table. Whatever is made of all of them follows from the same lines, and the compiler asks for a row of each code.
macro_rules! rows {
    ($($code:pat => ($word:literal, $clause:expr, $text:expr $(,)?),)*) => {
        /// The machine words of all codes, each once.
        pub const WORDS: &'static [&'static str] = &[$($word),*];

        const fn row(self) -> (&'static str, Clause, &'static str) {
            match self { $($code => ($word, $clause, $text),)* }
        }
    };
}

impl Code {
    /// The stable machine word.
    pub const fn word(self) -> &'static str {
        self.row().0
    }

    /// The clause of the norm behind it.
    pub const fn clause(self) -> Clause {
        self.row().1
    }

    /// The text for the user.
    pub const fn text(self) -> &'static str {
        self.row().2
    }

    /// After how many seconds trying again makes sense, if that is known (CP-12).
    pub const fn wait(self) -> Option<u32> {
        match self {
            Self::SlowMode(wait) | Self::Flood(wait) | Self::RoomBusy(wait) => Some(wait),
            _ => None,
        }
    }

    /// When what stands against it ends, in seconds since 1970 UTC, if that is known (CP-12).
    pub const fn until(self) -> Option<i64> {
        match self {
            Self::Muted(until) => until,
            _ => None,
        }
    }

    rows! {
        Self::FrameTooLong => (
            "frame-too-long",
            clause::FR_5,
            "the announced length is above this server's limit",
        ),
        Self::FrameEmpty => ("frame-empty", clause::FR_6, "a frame needs a body, its length was 0"),
        Self::NotUtf8 => ("not-utf8", clause::JS_3, "the body is not valid UTF-8"),
        Self::NotJson => ("not-json", clause::JS_1, "the body is not valid JSON"),
        Self::NotObject => ("not-object", clause::JS_1, "the body has to be a JSON object"),
        Self::TooDeep => ("too-deep", clause::JS_5, "the JSON is nested too deep"),
        Self::DuplicateKey => ("duplicate-key", clause::JS_6, "a key occurs twice in the object"),
        Self::NoKnownKey => (
            "no-known-key",
            clause::IV_4,
            "the object has none of the keys USERNAME, MESSAGES",
        ),
        Self::UsernameNotString => (
            "username-not-string",
            clause::NM_1,
            "USERNAME has to be a string",
        ),
        Self::AlreadyJoined => (
            "already-joined",
            clause::NM_3,
            "you have joined already, the name stays as it is",
        ),
        Self::NotJoined => (
            "not-joined",
            clause::SR_3,
            "join with USERNAME before you send MESSAGES",
        ),
        Self::MessagesNotList => (
            "messages-not-list",
            clause::MM_1,
            "MESSAGES has to be a list of messages",
        ),
        Self::MessageNotList => (
            "message-not-list",
            clause::T4_1,
            "a message has to be a list [SRC, DEST, TIMESTAMP, CONTENT]",
        ),
        Self::MessageNotFour => (
            "message-not-four",
            clause::T4_1,
            "a message has exactly four elements: SRC, DEST, TIMESTAMP, CONTENT",
        ),
        Self::SourceNotString => (
            "source-not-string",
            clause::T4_1,
            "SRC (element 0) has to be a string",
        ),
        Self::DestinationNotString => (
            "destination-not-string",
            clause::T4_1,
            "DEST (element 1) has to be a string",
        ),
        Self::TimestampNotInteger => (
            "timestamp-not-integer",
            clause::TS_1,
            "TIMESTAMP (element 2) has to be an integer, seconds since 1970 UTC",
        ),
        Self::ContentNotString => (
            "content-not-string",
            clause::T4_1,
            "CONTENT (element 3) has to be a string",
        ),
        Self::SourceNotYou => (
            "source-not-you",
            clause::SR_1,
            "SRC has to be the name you joined with",
        ),
        Self::NoSuchUser => ("no-such-user", clause::DE_2, "nobody by that name is here"),
        Self::RecipientBusy => (
            "recipient-busy",
            clause::AS_3,
            "the recipient has too much unread already, try again later",
        ),
        Self::MailboxFull => (
            "busy",
            clause::AN_7,
            "too much waits for this user already, who is not here",
        ),
        Self::Blocked => ("blocked", clause::BL_1, "there are no private messages between you two"),
        Self::NoSuchRoom => ("no-such-room", clause::RM_15, "there is no room of that name"),
        Self::NotAMember => ("not-a-member", clause::RM_15, "join the room before you write to it"),
        Self::ReadOnly => (
            "read-only",
            clause::RM_15,
            "your level is too low for writing to this room",
        ),
        Self::SlowMode(_) => (
            "slow-mode",
            clause::RM_15,
            "the room is in slow mode, and you have just written to it; wait a little",
        ),
        Self::TooLong => ("too-long", clause::RM_15, "the message is longer than the room takes"),
        Self::Muted(_) => ("muted", clause::MO_3, "you are muted here"),
        Self::Flood(_) => (
            "flood",
            clause::FL_2,
            "you have said too much in a short time, wait a little",
        ),
        Self::RoomBusy(_) => (
            "room-busy",
            clause::FL_3,
            "too much is said here at the moment, wait a little",
        ),
        Self::NotStored => (
            "not-stored",
            clause::IV_1,
            "the server can't store messages now, it was not sent",
        ),
        Self::NotRead => (
            "not-read",
            clause::ID_6,
            "the server can't read its history now, try again later",
        ),
        Self::TooManyLongFrames => (
            "too-many-long-frames",
            clause::LG_3,
            "the server receives too many long frames at the moment, try again later",
        ),
        Self::FrameTimeout => (
            "frame-timeout",
            clause::LG_3,
            "you took too long to finish a long frame, good bye",
        ),
        Self::JoinTimeout => ("join-timeout", clause::AS_4, "you took too long to join, good bye"),
        Self::TooSlow => ("too-slow", clause::AS_3, "you are too far behind in reading, good bye"),
        Self::TooMuchWaiting => (
            "too-much-waiting",
            clause::AS_3,
            "too much is waiting for you that you do not read, and the server needs the memory, good bye",
        ),
        Self::ServerFull => (
            "server-full",
            clause::IV_1,
            "the server has no place for another connection, try again later",
        ),
        Self::TooManyConnections => (
            "too-many-connections",
            clause::IV_1,
            "there are too many connections from your address, close one or try again later",
        ),
        Self::BadOffer => (
            "bad-offer",
            clause::CP_3,
            "CAPABILITIES has to be a string of words name/version, each name once",
        ),
        Self::OfferNotNow => (
            "offer-not-now",
            clause::CP_4,
            "CAPABILITIES belongs beside the USERNAME of a connection that has not joined",
        ),
        Self::BadProof => (
            "bad-proof",
            clause::AN_1,
            "PASSWORD or TOKEN has to be a string, one of the two",
        ),
        Self::BadRecent => (
            "bad-recent",
            clause::RC_1,
            "RECENT has to be an integer from 0 to 1000",
        ),
        Self::BadResume => (
            "bad-resume",
            clause::ID_7,
            "RESUME has to be {TOKEN: string, AFTER: id}",
        ),
        Self::BadTags => (
            "bad-tags",
            clause::ID_3,
            "TAGS has to be a list as long as MESSAGES, of null and up to 256 strings of 1 to 64 bytes",
        ),
        Self::BadMeta => (
            "bad-meta",
            clause::MT_2,
            "META has to be a list as long as MESSAGES, of null and up to 256 objects {REPLY, MENTIONS, FILE, E2EE} of 2 KiB",
        ),
        Self::NoSuchMessage => (
            "no-such-message",
            clause::MT_3,
            "what you answer is no message of this conversation that you can read",
        ),
        Self::MentionForbidden => (
            "forbidden",
            clause::MT_4,
            "your level is too low for a mention of everybody",
        ),
        Self::PartRefused => (
            "refused",
            clause::MT_2,
            "this server takes no files and no encrypted texts with messages",
        ),
        Self::BadHistory => (
            "bad-history",
            clause::ID_6,
            "HISTORY has to be {WITH: string, BEFORE or AFTER: id, LIMIT: 1 to 500}",
        ),
        Self::BadRead => ("bad-read", clause::MK_1, "READ has to be {WITH: string, UPTO: id}"),
        Self::BadKeys => (
            "bad-keys",
            clause::EE_1,
            "KEYS_PUT, KEYS_GET, KEYS_CLAIM or KEYS_DONE is not what it has to be",
        ),
        Self::BadDevice => (
            "bad-device",
            clause::EE_4,
            "DEVICE has to be a string of 1 to 32 letters, digits, - and _",
        ),
        Self::BadE2ee => (
            "bad-e2ee",
            clause::EE_3,
            "an encrypted message is a private one, with the fixed sentence and E2EE for each device",
        ),
        Self::DevicesChanged => (
            "devices-changed",
            clause::EE_3,
            "the devices of one of you are others now, so the message was not delivered",
        ),
        Self::BadPing => ("bad-ping", clause::PI_1, "PING and PONG have to be integers of 64 bits"),
        Self::BadCommand => (
            "bad-command",
            clause::CM_2,
            "COMMAND has to be {ID, NAME, ARGS: [text...]} of 16 KiB",
        ),
        Self::BadAnswer => (
            "bad-answer",
            clause::CM_4,
            "ANSWER has to be {ID, TEXT: string or null} of 16 KiB",
        ),
        Self::BadFile => (
            "bad-file",
            clause::FI_2,
            "FILE_PUT, FILE_CHUNK, FILE_CREDIT, FILE_STOP and FILE_GET have to be objects with all of their keys",
        ),
        Self::FileExpired => (
            "expired",
            clause::FI_3,
            "the file is not there, or not for this message, so it was not sent",
        ),
        Self::AnswerToNothing => (
            "answer-to-nothing",
            clause::CM_4,
            "nothing was asked that this ANSWER answers",
        ),
        Self::Resumed => ("resumed", clause::ID_7, "another connection goes on with this session"),
        Self::AccountRemoved => (
            "account-removed",
            clause::AN_1,
            "the account that you were logged in with has been removed",
        ),
        Self::LoggedOut => (
            "logged-out",
            clause::AN_1,
            "the password was changed or all logins were ended, so you have to log in again",
        ),
        Self::BadZstd(why) => ("bad-zstd", clause::ZS_2, why.text()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_codes_have_the_same_word() {
        let distinct: BTreeSet<_> = Code::WORDS.iter().collect();
        assert_eq!(distinct.len(), Code::WORDS.len());
        assert!(Code::WORDS.contains(&Code::BadZstd(BadZstd::NoSize).word()));
    }
}
