//! The lines of control that are answered.

use serde::{Deserialize, Serialize};

use crate::accounts::WishDone;
use crate::control::message::{LINE, VERSION};
use crate::control::status::{Room, Status, User};
use crate::moderation::{Done, NotDone};

/// One line of an answer. [`Reply::Users`] and [`Reply::Rooms`] come before the last line, any number of times; all others are
/// the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Some of those who are here.
    Users(Vec<User>),
    /// Some of the rooms.
    Rooms(Vec<Room>),
    /// What the server is like.
    Status(Box<Status>),
    /// All were told.
    Told(Told),
    /// Settings were read.
    Reloaded(Reloaded),
    /// The shutdown has begun, or is going to.
    Stopping(Stopping),
    /// What has become of a wish about accounts, and of those who are logged in.
    Granted(WishDone, Followed),
    /// An account was read again.
    Followed(Followed),
    /// An act against somebody was done.
    Done(Done),
    /// Nothing was done.
    Failed(Failure),
}

/// How many were told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Those who are here.
    pub users: usize,
}

/// What has become of reading settings and certificates again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Settings that are in force now.
    pub changed: Vec<ChangedKey>,
    /// Settings that wait for another start.
    pub waiting: Vec<ChangedKey>,
    /// What could not be read; all of its kind stays as it was.
    pub problems: Vec<String>,
    /// What clients may refuse the certificate for that is in use now.
    #[serde(default)]
    pub certificate: Vec<String>,
}

/// A setting with its value before and after; `None` where the machine decides, or where the value is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// Its name.
    pub setting: String,
    /// The value before.
    pub old: Option<String>,
    /// The value that was read.
    pub new: Option<String>,
}

/// That the server is going to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// In so many seconds at the latest, apart from the last writes; at once when nobody is left.
    pub seconds: u64,
    /// How many are here.
    pub users: usize,
}

/// What has become of those who were logged in with an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The connections that were logged in with it.
    pub connections: usize,
    /// Those of them whose login has ended.
    pub ended: usize,
    /// Those of them that have another level now.
    pub amended: usize,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The reason, for programs.
    pub code: FailureCode,
    /// The reason, for people.
    pub text: String,
}

/// The reasons for which nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// The two programs speak different versions.
    Version,
    /// The request makes no sense.
    BadRequest,
    /// Too many ask at the same time, or it took too long.
    Busy,
    /// There is no such user.
    NoSuchUser,
    /// There is no such ban.
    NoSuchBan,
    /// It would hit others: it has to be asked for with yes.
    HitsOthers,
    /// It would lock out whoever must not be.
    WouldLockOut,
    /// Nobody may do it.
    Forbidden,
    /// The server has failed at it.
    Failed,
    /// It can't be stored.
    NotStored,
    /// The server can't do it.
    Unknown,
}

/// Why a line is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is of another version.
    #[error("the server speaks version {0} of control, this program version {VERSION}")]
    Version(u64),
    /// It can't be read.
    #[error("the server answers what this program can't read")]
    Unreadable,
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    reply: &'a Reply,
}

impl Reply {
    /// The line, with its end.
    pub fn to_line(&self) -> String {
        let line = serde_json::to_string(&Line { v: VERSION, reply: self }).unwrap_or_default();
        debug_assert!(line.len() < LINE, "lists are cut into lines");
        line + "\n"
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn parse(line: &[u8]) -> Result<Self, AnswerError> {
        let unreadable = |_| AnswerError::Unreadable;
        let mut value: serde_json::Value = serde_json::from_slice(line).map_err(unreadable)?;
        match value.get("v").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(other) => return Err(AnswerError::Version(other)),
            None => return Err(AnswerError::Unreadable),
        }
        let reply = value.get_mut("reply").ok_or(AnswerError::Unreadable)?;
        serde_json::from_value(reply.take()).map_err(unreadable)
    }

    /// Whether nothing comes behind it.
    pub const fn is_last(&self) -> bool {
        !matches!(self, Self::Users(_) | Self::Rooms(_))
    }
}

impl Failure {
    pub(crate) fn new(code: FailureCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl From<NotDone> for Failure {
    fn from(reason: NotDone) -> Self {
        let code = match &reason {
            NotDone::NoSuchUser(_) => FailureCode::NoSuchUser,
            NotDone::NoSuchBan(_) => FailureCode::NoSuchBan,
            NotDone::HitsOthers(_) => FailureCode::HitsOthers,
            NotDone::WouldLockOut(_) => FailureCode::WouldLockOut,
            NotDone::BadArguments(_) => FailureCode::BadRequest,
            NotDone::Forbidden(_) => FailureCode::Forbidden,
            NotDone::Failed(_) => FailureCode::Failed,
            NotDone::NotStored => FailureCode::NotStored,
            NotDone::Unknown => FailureCode::Unknown,
        };
        Self::new(code, reason.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let replies = [
            Reply::Users(vec![User {
                name: "\u{1b}[31mann\n".into(),
                account: Some("ann".into()),
                level: 5,
                address: Some("2001:db8::1".into()),
                since: 7,
            }]),
            Reply::Rooms(Vec::new()),
            Reply::Status(Box::default()),
            Reply::Failed(NotDone::HitsOthers(3).into()),
            Reply::Failed(NotDone::Forbidden("no".into()).into()),
            Reply::Failed(NotDone::Failed("not now".into()).into()),
            Reply::Done(Done { number: Some(7), ..Done::default() }),
        ];
        for reply in replies {
            let line = reply.to_line();
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(Reply::parse(line.as_bytes()), Ok(reply));
        }
    }

    #[test]
    fn only_lists_have_lines_behind_them() {
        assert!(!Reply::Users(Vec::new()).is_last() && !Reply::Rooms(Vec::new()).is_last());
        assert!(Reply::Told(Told { users: 1 }).is_last());
    }

    #[test]
    fn another_version_is_told_from_garbage() {
        assert_eq!(Reply::parse(br#"{"v": 2, "reply": {}}"#), Err(AnswerError::Version(2)));
        for line in [&b""[..], b"x", b"[]", br#"{"v": 1}"#, br#"{"v": 1, "reply": {"no": 1}}"#] {
            assert_eq!(Reply::parse(line), Err(AnswerError::Unreadable), "{line:?}");
        }
    }
}
