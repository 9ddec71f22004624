//! The lines of the activity log: one JSON object each, in ASCII, so that nothing in it acts on a terminal.

use chatterbox_hub::{Happened, Identity};
use chatterbox_proto::Username;
use chatterbox_proto::json::Object;

/// A longer message is logged by its size.
const MESSAGE: usize = 8 * 1024;

/// A line, and in whose files it stands beside that of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    pub(super) users: Vec<Username>,
}

impl Line {
    /// What is written of something that has happened at `at`, in seconds since 1970 UTC.
    pub(super) fn of(happened: &Happened, at: i64) -> Self {
        let object = |what: &str, name: &Username| {
            let object = Object::with_capacity(128).integer("at", at);
            object.string("what", what).string("name", name.as_str())
        };
        let account = |object: Object, who: &Identity| match who.account() {
            Some(account) => object.string("account", account.as_str()),
            None => object.json("account", b"null"),
        };
        let (object, users) = match happened {
            Happened::Joined(who) => {
                (account(object("joined", &who.name), who), vec![who.name.clone()])
            }
            Happened::Left(who) => {
                (account(object("left", &who.name), who), vec![who.name.clone()])
            }
            Happened::Renamed(old, who) => {
                let object = object("renamed", old).string("new", who.name.as_str());
                (account(object, who), vec![old.clone(), who.name.clone()])
            }
            Happened::Said { by, message } => {
                let object = match message {
                    None => object("active", by),
                    Some(json) if json.len() <= MESSAGE && json.is_ascii() => {
                        object("said", by).json("message", json)
                    }
                    Some(json) => {
                        let bytes = i64::try_from(json.len()).unwrap_or(i64::MAX);
                        object("said", by).integer("bytes", bytes)
                    }
                };
                (object, vec![by.clone()])
            }
        };
        Self { text: object.into_value(), users }
    }

    /// That so many lines are missing.
    pub(super) fn of_dropped(count: u64, at: i64) -> Self {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let object = Object::with_capacity(64).integer("at", at).string("what", "dropped");
        Self { text: object.integer("count", count).into_value(), users: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(happened: &Happened) -> String {
        String::from_utf8(Line::of(happened, 7).text).unwrap()
    }

    #[test]
    fn lines_are_objects_of_ascii_without_private_text() {
        let name = |text: &str| Username::stored(text);
        let who = Box::new(Identity::guest(name("\u{1b}[2J\n\u{202e}")));
        let joined = text(&Happened::Joined(who.clone()));
        assert!(joined.is_ascii() && !joined.contains(['\n', '\u{1b}']), "{joined}");
        assert!(
            joined.starts_with(r#"{"at": 7, "what": "joined", "name": "\u001b[2J\n"#),
            "{joined}"
        );
        let renamed = Line::of(&Happened::Renamed(name("ann"), who), 7);
        assert_eq!(renamed.users.len(), 2, "in both files");
        let said = |message: Option<&'static str>| {
            text(&Happened::Said { by: name("ann"), message: message.map(Into::into) })
        };
        assert_eq!(said(None), r#"{"at": 7, "what": "active", "name": "ann"}"#);
        let message = r#"["ann", "ALL", 1, "a\nb\u202e"]"#;
        let expected =
            format!(r#"{{"at": 7, "what": "said", "name": "ann", "message": {message}}}"#);
        assert_eq!(said(Some(message)), expected);
        let long: &'static str = Box::leak(format!("[{}]", "1".repeat(MESSAGE)).into_boxed_str());
        assert_eq!(said(Some(long)), r#"{"at": 7, "what": "said", "name": "ann", "bytes": 8194}"#);
    }
}
