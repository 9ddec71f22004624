//! The lines of control: what is asked and what is answered, as JSON.

use serde::{Deserialize, Serialize};

use crate::accounts::AccountWish;
use crate::moderation::{Ban, Kick, Unban};

/// The version of what is spoken here. A program of another version says so instead of guessing.
pub const VERSION: u32 = 1;

/// The longest line, in bytes, with its end.
pub const LINE: usize = 64 * 1024;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// What the server is like now.
    Status,
    /// Tell everybody.
    Announce {
        /// What.
        text: String,
    },
    /// Read settings and certificates again.
    Reload,
    /// Shut down; the connection stays open until the process has gone.
    Stop {
        /// After so many seconds in all; without it after those of `--grace`.
        #[serde(default)]
        seconds: Option<u64>,
        /// After so many seconds more it is expected back; without it after those of `--back-in`. A server that does not know it is told
        /// nothing of it where it is not asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back: Option<u64>,
    },
    /// Put a user out.
    Kick(Kick),
    /// Keep somebody out.
    Ban(Ban),
    /// Let somebody in again.
    Unban(Unban),
    /// Change accounts: on a node of a cluster nobody but the server does.
    Accounts {
        /// What.
        wish: AccountWish,
    },
    /// An account was changed in the database.
    AccountsChanged {
        /// Its name.
        name: String,
    },
}

impl Act {
    /// Its word, for the log.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Announce { .. } => "announce",
            Self::Reload => "reload",
            Self::Stop { .. } => "stop",
            Self::Kick(_) => "kick",
            Self::Ban(_) => "ban",
            Self::Unban(_) => "unban",
            Self::Accounts { .. } => "accounts",
            Self::AccountsChanged { .. } => "accounts-changed",
        }
    }
}

/// A line to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request(pub Act);

/// Why a line is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is of another version.
    #[error("the program speaks version {0} of control, the server version {VERSION}")]
    Version(u64),
    /// It can't be read.
    #[error("this is no request that the server knows")]
    Unreadable,
}

impl Request {
    /// The line, with its end.
    pub fn to_line(&self) -> String {
        let mut value = serde_json::to_value(&self.0).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.insert("v".to_owned(), VERSION.into());
        }
        format!("{value}\n")
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(line: &[u8]) -> Result<Self, RequestError> {
        let unreadable = |_| RequestError::Unreadable;
        let mut value: serde_json::Value = serde_json::from_slice(line).map_err(unreadable)?;
        let version = value.as_object_mut().and_then(|members| members.remove("v"));
        match version.as_ref().and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(other) => return Err(RequestError::Version(other)),
            None => return Err(RequestError::Unreadable),
        }
        serde_json::from_value(value).map(Self).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_again() {
        let ban = Ban {
            subject: "192.0.2.0/24".into(),
            seconds: Some(7200),
            reason: "spam\nand more".into(),
            silent: true,
            guests: true,
            sure: false,
        };
        let acts = [
            Act::Status,
            Act::Announce { text: "in ten minutes\nwe close".into() },
            Act::Reload,
            Act::Stop { seconds: Some(60), back: None },
            Act::Stop { seconds: None, back: Some(600) },
            Act::Kick(Kick { user: "bob".into(), reason: String::new(), silent: false }),
            Act::Ban(ban),
            Act::Unban(Unban { subject: "17".into() }),
            Act::Accounts { wish: AccountWish::SetLevel { name: "ann".into(), level: 3 } },
            Act::AccountsChanged { name: "ann".into() },
        ];
        for act in acts {
            let line = Request(act.clone()).to_line();
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert!(line.contains(act.word()), "{line}");
            assert_eq!(Request::parse(line.as_bytes()), Ok(Request(act)));
        }
    }

    #[test]
    fn a_stop_says_no_more_than_is_asked_for() {
        let line = Request(Act::Stop { seconds: Some(60), back: None }).to_line();
        assert_eq!(line, "{\"do\":\"stop\",\"seconds\":60,\"v\":1}\n");
    }

    #[test]
    fn another_version_is_told_from_garbage() {
        assert_eq!(Request::parse(br#"{"v": 2, "do": "status"}"#), Err(RequestError::Version(2)));
        for line in [
            &b""[..],
            b"\xff\xfe",
            b"[1]",
            br#"{"do": "status"}"#,
            br#"{"v": "1", "do": "status"}"#,
            br#"{"v": 1}"#,
            br#"{"v": 1, "do": "dance"}"#,
            br#"{"v": 1, "do": "announce"}"#,
            br#"{"v": 1, "do": "stop", "seconds": -1}"#,
            br#"{"v": 1, "do": "stop", "when": 1}"#,
        ] {
            let read = Request::parse(line);
            assert!(matches!(read, Err(RequestError::Unreadable)), "{read:?}");
        }
        let deep = format!("{}{}", r#"{"v": "#, "[".repeat(50_000));
        assert_eq!(Request::parse(deep.as_bytes()), Err(RequestError::Unreadable));
    }
}
