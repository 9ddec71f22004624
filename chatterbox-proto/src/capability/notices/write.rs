//! What a server writes of `notices`.

use super::{CLOSED, NOTICES};
use crate::capability::ids::{UNTIL, WAIT};
use crate::json::Object;

const CODE: &str = "CODE";
const INFO: &str = "INFO";
const RETRY: &str = "RETRY";

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The stable machine word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// The CODE of a notice (NO-1).
    NoticeCode {
        /// Something that all should know.
        Announcement = "announcement",
        /// The user may not write.
        Muted = "muted",
        /// The user may write again.
        Unmuted = "unmuted",
        /// The user was put out.
        Kicked = "kicked",
        /// The user was put out and may not come back.
        Banned = "banned",
        /// The user has to wait between two messages.
        SlowMode = "slow-mode",
        /// The user has another level.
        Level = "level",
        /// The user is invited into a room.
        Invited = "invited",
        /// The invitation was taken back.
        Uninvited = "uninvited",
        /// Somebody has reported something.
        Report = "report",
        /// The user has written too much.
        Flood = "flood",
        /// The server shuts down; WAIT is in how many seconds.
        Shutdown = "shutdown",
    }
}

words! {
    /// The CODE of an end of the connection (NO-3).
    ClosedCode {
        /// The user was put out.
        Kicked = "kicked",
        /// The user was put out and may not come back.
        Banned = "banned",
        /// Another connection goes on with the session.
        Replaced = "replaced",
        /// The login has ended.
        Logout = "logout",
        /// The client does not read, or writes, fast enough.
        Slow = "slow",
        /// The client has said nothing for too long.
        Idle = "idle",
        /// The client has sent what ends a connection.
        Protocol = "protocol",
        /// The server shuts down.
        Shutdown = "shutdown",
    }
}

impl ClosedCode {
    /// After how many seconds a client may come back by itself, if it may (NO-4).
    pub const fn retry(self) -> Option<u32> {
        match self {
            Self::Slow | Self::Idle => Some(1),
            Self::Shutdown => Some(5),
            Self::Kicked => Some(30),
            Self::Banned | Self::Replaced | Self::Logout | Self::Protocol => None,
        }
    }
}

/// What one user should know and did not ask for (NO-1). What does not apply is left out.
#[derive(Debug, Clone, Copy)]
pub struct NewNotice<'a> {
    /// What it is about.
    pub code: NoticeCode,
    /// The same for a person.
    pub info: &'a str,
    /// The room that it concerns.
    pub room: Option<&'a str>,
    /// The user whom it is about, if that is another one.
    pub name: Option<&'a str>,
    /// Who has done it.
    pub by: Option<&'a str>,
    /// Until when, in seconds since 1970 UTC.
    pub until: Option<i64>,
    /// For how many seconds, or in how many.
    pub wait: Option<u32>,
    /// The message that it is about.
    pub id: Option<u64>,
}

impl<'a> NewNotice<'a> {
    /// A notice with nothing but these two.
    pub const fn new(code: NoticeCode, info: &'a str) -> Self {
        Self { code, info, room: None, name: None, by: None, until: None, wait: None, id: None }
    }

    /// The element of NOTICES, as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut object = Object::with_capacity(96 + self.info.len())
            .string(CODE, self.code.word())
            .string(INFO, self.info);
        for (key, text) in [("ROOM", self.room), ("NAME", self.name), ("BY", self.by)] {
            if let Some(text) = text {
                object = object.string(key, text);
            }
        }
        let id = self.id.and_then(|id| i64::try_from(id).ok());
        for (key, number) in [(UNTIL, self.until), (WAIT, self.wait.map(i64::from)), ("ID", id)] {
            if let Some(number) = number {
                object = object.integer(key, number);
            }
        }
        object.into_value()
    }
}

/// `NOTICES` with one of them, for one user.
pub fn one(notice: &NewNotice<'_>) -> Object {
    let json = notice.to_json();
    Object::with_capacity(json.len() + 16).list(NOTICES, [json])
}

/// `ERROR` and `CLOSED`, the last frame of a connection (NO-3). `retry` is [`ClosedCode::retry`] where nothing else is known.
pub fn closed(
    error: &str,
    info: &str,
    code: ClosedCode,
    until: Option<i64>,
    retry: Option<u32>,
) -> Object {
    let null_or = |object: Object, key, number: Option<i64>| match number {
        Some(number) => object.integer(key, number),
        None => object.json(key, b"null"),
    };
    let closed =
        Object::with_capacity(96 + info.len()).string(CODE, code.word()).string(INFO, info);
    let closed = null_or(closed, UNTIL, until);
    let closed = null_or(closed, RETRY, retry.map(i64::from)).into_value();
    Object::with_capacity(closed.len() + error.len() + 32)
        .string("ERROR", error)
        .json(CLOSED, &closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(object: Object) -> String {
        String::from_utf8(object.into_value()).unwrap()
    }

    #[test]
    fn only_what_applies_is_in_a_notice() {
        let notice = NewNotice::new(NoticeCode::Shutdown, "soon");
        assert_eq!(text(one(&notice)), r#"{"NOTICES": [{"CODE": "shutdown", "INFO": "soon"}]}"#);
        let all = NewNotice {
            room: Some("#lab"),
            name: Some("ann"),
            by: Some("pr\u{f6}f"),
            until: Some(-1),
            wait: Some(7),
            id: Some(8),
            ..NewNotice::new(NoticeCode::Invited, "\"")
        };
        let json = br##"{"CODE": "invited", "INFO": "\"", "ROOM": "#lab", "NAME": "ann", "BY": "pr\u00f6f", "UNTIL": -1, "WAIT": 7, "ID": 8}"##;
        assert_eq!(all.to_json(), json);
    }

    #[test]
    fn the_last_frame_says_why_and_whether_to_come_back() {
        assert_eq!(
            text(closed("You are slow.", "slow", ClosedCode::Slow, None, Some(1))),
            r#"{"ERROR": "You are slow.", "CLOSED": {"CODE": "slow", "INFO": "slow", "UNTIL": null, "RETRY": 1}}"#
        );
        assert_eq!(
            text(closed("x", "y", ClosedCode::Banned, Some(9), None)),
            r#"{"ERROR": "x", "CLOSED": {"CODE": "banned", "INFO": "y", "UNTIL": 9, "RETRY": null}}"#
        );
    }
}
