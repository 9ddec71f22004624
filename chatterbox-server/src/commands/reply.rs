//! The result of a command: done, or rejected with a code and a text.

use std::time::Duration;

use chatterbox_hub::Denied;
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::{Code, Refusal};
use serde_json::Value;

use crate::accounts::{DirectoryError, Refused, SecretError};
use crate::moderation::ModerationError;

pub(super) type Reply = Result<Done, Rejection>;

/// A command that was done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    /// [`OutcomeCode::Ok`], or that there was nothing to do.
    pub(super) code: OutcomeCode,
    /// A text for people.
    pub(super) info: String,
    pub(super) data: Option<Value>,
    /// The connection is closed afterwards.
    pub(super) closes: bool,
}

impl Done {
    pub(super) fn new(info: impl Into<String>) -> Self {
        Self { code: OutcomeCode::Ok, info: info.into(), data: None, closes: false }
    }

    /// It was so already.
    pub(super) fn already(info: impl Into<String>) -> Self {
        Self { code: OutcomeCode::Already, ..Self::new(info) }
    }

    /// The same with `DATA` for programs.
    #[must_use]
    pub(super) fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The same with a table as `DATA`, which clients can draw.
    #[must_use]
    pub(super) fn with_table(self, columns: &[&str], rows: Vec<Value>) -> Self {
        let mut table = serde_json::Map::new();
        table.insert("COLUMNS".to_owned(), columns.into());
        table.insert("ROWS".to_owned(), Value::Array(rows));
        self.with_data(Value::Object(table))
    }

    /// The same with `MORE` in its table: whether there is another page of it.
    #[must_use]
    pub(super) fn with_more(mut self, more: bool) -> Self {
        if let Some(Value::Object(table)) = &mut self.data {
            table.insert("MORE".to_owned(), more.into());
        }
        self
    }
}

/// A command that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) code: OutcomeCode,
    pub(super) text: String,
    /// After how many seconds trying again makes sense (CP-12).
    pub(super) wait: Option<u32>,
    /// When what stands against it ends, in seconds since 1970 UTC (CP-12).
    pub(super) until: Option<i64>,
}

impl Rejection {
    pub(super) fn new(code: OutcomeCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), wait: None, until: None }
    }

    /// Too many commands were given.
    pub(super) fn flood(wait: Duration) -> Self {
        Self { code: OutcomeCode::Flood, ..Self::throttled(wait) }
    }

    /// It was too often.
    pub(super) fn throttled(wait: Duration) -> Self {
        // A part of a second is rounded up: who comes back then is not refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let text = format!("This was too often, wait {seconds} s.");
        Self { wait: Some(seconds), ..Self::new(OutcomeCode::Throttled, text) }
    }

    /// An argument is missing although the parser checked for it.
    pub(super) fn missing() -> Self {
        Self::new(OutcomeCode::BadArguments, "An argument is missing.")
    }
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        Self::new(OutcomeCode::Forbidden, denied.to_string())
    }
}

impl From<DirectoryError> for Rejection {
    fn from(error: DirectoryError) -> Self {
        tracing::error!(%error, "a command could not read or write accounts");
        Self::new(OutcomeCode::NotStored, "The server can't read or store this now.")
    }
}

impl From<ModerationError> for Rejection {
    fn from(error: ModerationError) -> Self {
        if matches!(error, ModerationError::TooMany) {
            let text = "There are too many of them already: nothing was done.";
            return Self::new(OutcomeCode::TooMany, text);
        }
        tracing::error!(%error, "an act of moderation could not be stored");
        Self::new(OutcomeCode::NotStored, "The server can't store this now: nothing was done.")
    }
}

impl From<SecretError> for Rejection {
    fn from(error: SecretError) -> Self {
        Self::new(OutcomeCode::BadArguments, error.to_string())
    }
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Store(error) => return error.into(),
            Refused::WrongPassword => OutcomeCode::WrongPassword,
            Refused::Throttled(wait) => {
                return Self { text: refused.to_string(), ..Self::throttled(wait) };
            }
            Refused::Registered(_) => OutcomeCode::Registered,
            Refused::NoAccount => OutcomeCode::NoSuchUser,
            Refused::Hash(_) => OutcomeCode::Busy,
            Refused::NoAdminPassword | Refused::Full => OutcomeCode::Failed,
        };
        Self::new(code, refused.to_string())
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Name(_) => OutcomeCode::BadName,
            Refusal::Taken | Refusal::LooksTaken | Refusal::Held => OutcomeCode::Taken,
            Refusal::Registered => OutcomeCode::Registered,
            Refusal::Throttled | Refusal::TooOften => OutcomeCode::Throttled,
            Refusal::Busy => OutcomeCode::Busy,
            Refusal::Banned(_) | Refusal::Kicked(_) => OutcomeCode::Banned,
            _ => OutcomeCode::Failed,
        };
        Self { until: refusal.until(), ..Self::new(code, refusal.to_string()) }
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        let word = OutcomeCode::of(code.word()).unwrap_or(match code {
            Code::RecipientBusy => OutcomeCode::Busy,
            _ => OutcomeCode::Failed,
        });
        let mut text = code.text().to_owned();
        // The texts of codes are written for the middle of a sentence.
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self { wait: code.wait(), until: code.until(), ..Self::new(word, text + ".") }
    }
}
