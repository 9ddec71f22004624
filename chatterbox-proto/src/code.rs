//! The table of errors, with their texts for the user.
//!
//! A [`Code`] has a stable machine word, the clause that was broken, and the text that goes into `ERROR`. A
//! [`Refusal`] is the same for a name that was not accepted; its text goes into `INFO`. Wording is for people and may
//! change; words and clauses may not.

use std::fmt::{self, Write as _};

use crate::clause::{self, Clause};
use crate::limits;
use crate::name::NameError;
use crate::text::ScreenText;

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
    /// One of the two has blocked the other.
    Blocked,
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
    /// RESUME is malformed.
    BadResume,
    /// TAGS is malformed.
    BadTags,
    /// HISTORY is malformed.
    BadHistory,
    /// PING or PONG is not an integer.
    BadPing,
    /// COMMAND is malformed.
    BadCommand,
    /// ANSWER is malformed.
    BadAnswer,
    /// ANSWER, although no prompt is open.
    AnswerToNothing,
    /// Another connection has resumed this session.
    Resumed,
    /// The account of this connection was removed.
    AccountRemoved,
    /// All other logins of the account of this connection were ended.
    LoggedOut,
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

    const fn row(self) -> (&'static str, Clause, &'static str) {
        match self {
            Self::FrameTooLong => (
                "frame-too-long",
                clause::FR_5,
                "the announced length is above this server's limit",
            ),
            Self::FrameEmpty => {
                ("frame-empty", clause::FR_6, "a frame needs a body, its length was 0")
            }
            Self::NotUtf8 => ("not-utf8", clause::JS_3, "the body is not valid UTF-8"),
            Self::NotJson => ("not-json", clause::JS_1, "the body is not valid JSON"),
            Self::NotObject => ("not-object", clause::JS_1, "the body has to be a JSON object"),
            Self::TooDeep => ("too-deep", clause::JS_5, "the JSON is nested too deep"),
            Self::DuplicateKey => {
                ("duplicate-key", clause::JS_6, "a key occurs twice in the object")
            }
            Self::NoKnownKey => {
                ("no-known-key", clause::IV_4, "the object has none of the keys USERNAME, MESSAGES")
            }
            Self::UsernameNotString => {
                ("username-not-string", clause::NM_1, "USERNAME has to be a string")
            }
            Self::AlreadyJoined => {
                ("already-joined", clause::NM_3, "you have joined already, the name stays as it is")
            }
            Self::NotJoined => {
                ("not-joined", clause::SR_3, "join with USERNAME before you send MESSAGES")
            }
            Self::MessagesNotList => {
                ("messages-not-list", clause::MM_1, "MESSAGES has to be a list of messages")
            }
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
            Self::SourceNotString => {
                ("source-not-string", clause::T4_1, "SRC (element 0) has to be a string")
            }
            Self::DestinationNotString => {
                ("destination-not-string", clause::T4_1, "DEST (element 1) has to be a string")
            }
            Self::TimestampNotInteger => (
                "timestamp-not-integer",
                clause::TS_1,
                "TIMESTAMP (element 2) has to be an integer, seconds since 1970 UTC",
            ),
            Self::ContentNotString => {
                ("content-not-string", clause::T4_1, "CONTENT (element 3) has to be a string")
            }
            Self::SourceNotYou => {
                ("source-not-you", clause::SR_1, "SRC has to be the name you joined with")
            }
            Self::NoSuchUser => ("no-such-user", clause::DE_2, "nobody by that name is here"),
            Self::RecipientBusy => (
                "recipient-busy",
                clause::AS_3,
                "the recipient has too much unread already, try again later",
            ),
            Self::Blocked => {
                ("blocked", clause::BL_1, "there are no private messages between you two")
            }
            Self::NotStored => {
                ("not-stored", clause::IV_1, "the server can't store messages now, it was not sent")
            }
            Self::NotRead => {
                ("not-read", clause::ID_6, "the server can't read its history now, try again later")
            }
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
            Self::JoinTimeout => {
                ("join-timeout", clause::AS_4, "you took too long to join, good bye")
            }
            Self::TooSlow => {
                ("too-slow", clause::AS_3, "you are too far behind in reading, good bye")
            }
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
            Self::BadProof => {
                ("bad-proof", clause::AN_1, "PASSWORD or TOKEN has to be a string, one of the two")
            }
            Self::BadResume => {
                ("bad-resume", clause::ID_7, "RESUME has to be {TOKEN: string, AFTER: id}")
            }
            Self::BadTags => (
                "bad-tags",
                clause::ID_3,
                "TAGS has to be a list as long as MESSAGES, of null and up to 256 strings of 1 to 64 bytes",
            ),
            Self::BadHistory => (
                "bad-history",
                clause::ID_6,
                "HISTORY has to be {WITH: string, BEFORE or AFTER: id, LIMIT: 1 to 500}",
            ),
            Self::BadPing => {
                ("bad-ping", clause::PI_1, "PING and PONG have to be integers of 64 bits")
            }
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
            Self::AnswerToNothing => {
                ("answer-to-nothing", clause::CM_4, "nothing was asked that this ANSWER answers")
            }
            Self::Resumed => {
                ("resumed", clause::ID_7, "another connection goes on with this session")
            }
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
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub code: Code,
    /// The index in MESSAGES; `None` when the whole frame is at fault.
    pub index: Option<usize>,
    /// The name in question, already made safe to show.
    pub name: Option<ScreenText>,
}

impl Fault {
    /// A fault of the frame as a whole.
    pub const fn frame(code: Code) -> Self {
        Self { code, index: None, name: None }
    }

    /// A fault of message number `index` of the frame.
    pub const fn message(index: usize, code: Code) -> Self {
        Self { code, index: Some(index), name: None }
    }

    /// The same fault, saying whose name it is about.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.name = Some(ScreenText::shortened(name, limits::USERNAME_CHARS));
        self
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::frame(code)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "MESSAGES[{index}]: ")?;
        }
        f.write_str(self.code.text())?;
        if let Some(name) = &self.name {
            write!(f, ": {name}")?;
        }
        write!(f, " ({})", self.code.clause())
    }
}

/// The faults of one frame: the first few in full, the rest counted, so that millions cost nothing (IV-5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    listed: Vec<Fault>,
    more: usize,
    #[expect(
        clippy::box_collection,
        reason = "few frames have any, and every connection has a place for faults"
    )]
    refused: Option<Box<Vec<(String, Code)>>>,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are no faults.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Adds a fault, which is only made if it is going to be listed.
    pub fn note(&mut self, fault: impl FnOnce() -> Fault) {
        if self.listed.len() < limits::FAULTS_LISTED {
            self.listed.push(fault());
        } else {
            self.more += 1;
        }
    }

    /// Adds the rejection of a message with an idempotency key (ID-4); a frame has few of them (ID-3).
    pub fn refuse(&mut self, tag: impl Into<String>, code: Code) {
        self.refused.get_or_insert_default().push((tag.into(), code));
    }

    /// The idempotency keys of rejected messages, with the reasons.
    pub fn refused(&self) -> &[(String, Code)] {
        self.refused.as_ref().map_or(&[], |refused| refused.as_slice())
    }

    /// Takes those of the same frame that were found elsewhere; listed is what comes first in the frame.
    pub fn merge(&mut self, others: Self) {
        self.more += others.more;
        if let Some(refused) = others.refused {
            self.refused.get_or_insert_default().extend(*refused);
        }
        self.listed.extend(others.listed);
        self.listed.sort_by_key(|fault| fault.index);
        self.more += self.listed.len().saturating_sub(limits::FAULTS_LISTED);
        self.listed.truncate(limits::FAULTS_LISTED);
    }

    /// How many there are, listed or not.
    pub fn count(&self) -> usize {
        self.listed.len() + self.more
    }

    /// The faults that are listed in full.
    pub fn listed(&self) -> &[Fault] {
        &self.listed
    }

    /// The one ERROR text for all of them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for fault in &self.listed {
            if !text.is_empty() {
                text.push_str("; ");
            }
            // Writing to a String can't fail.
            let _ = write!(text, "{fault}");
        }
        if self.more > 0 {
            let _ = write!(text, "; and {} more", self.more);
        }
        text
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { listed: vec![fault], ..Self::default() }
    }
}

impl From<Code> for Faults {
    fn from(code: Code) -> Self {
        Fault::frame(code).into()
    }
}

/// Why a name was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The text can't be a name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The name is in use (TK-1).
    #[error("This name is already in use.")]
    Taken,
    /// The name looks like one that is in use (NM-2).
    #[error("This name looks like one that is already in use.")]
    LooksTaken,
    /// The name is registered, and the user did not authenticate (AN-5).
    #[error("This name is registered; its owner joins with a password.")]
    Registered,
    /// The password is wrong, or there is no such account (AN-3).
    #[error("The name or the password is wrong.")]
    WrongPassword,
    /// The token is unknown, of another name, or expired (AN-3).
    #[error("This login has ended; log in with the password again.")]
    WrongToken,
    /// The rate limit of failed logins was exceeded (AN-6).
    #[error("Too many failed logins, try again later.")]
    Throttled,
    /// The rate limit of joins or of changes of name was exceeded.
    #[error("Too many joins or changes of name, try again later.")]
    TooOften,
    /// Only registered users may join here.
    #[error("Only registered users may join here.")]
    NoGuests,
    /// The name is reserved for the user who has just left (`--hold-name`).
    #[error("This name is kept for the user who has just left, try again later.")]
    Held,
    /// The server can't decide now.
    #[error("The server is busy, try again later.")]
    Busy,
}

impl Refusal {
    /// The stable machine word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Name(_) => "bad-name",
            Self::Taken => "taken",
            Self::LooksTaken => "looks-taken",
            Self::Registered => "registered",
            Self::WrongPassword => "wrong-password",
            Self::WrongToken => "wrong-token",
            Self::Throttled | Self::TooOften => "throttled",
            Self::NoGuests => "no-guests",
            Self::Held => "held",
            Self::Busy => "busy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_index_subject_and_clause() {
        let fault = Fault::message(3, Code::NoSuchUser).about("bo\u{1b}b");
        assert_eq!(
            fault.to_string(),
            "MESSAGES[3]: nobody by that name is here: bo\\u{1b}b (DE-2)"
        );
        assert_eq!(Fault::frame(Code::NotJson).to_string(), "the body is not valid JSON (JS-1)");
    }

    #[test]
    fn many_faults_make_one_bounded_text() {
        let mut faults = Faults::new();
        for index in 1..1000 {
            faults.note(|| Fault::message(index, Code::SourceNotYou));
        }
        faults.merge(Fault::message(0, Code::NoSuchUser).into());
        let text = faults.text();
        assert!(text.ends_with("; and 992 more"), "{text}");
        assert!(text.contains("MESSAGES[7]") && !text.contains("MESSAGES[8]"));
        assert!(text.starts_with("MESSAGES[0]: nobody"));
        assert!(!Faults::from(Code::NotJson).text().contains("more"));
    }
}
