//! Outputs for programs: one JSON object a line, in ASCII (`docs/guide/scripting.md`).
//!
//! Texts are as they came, not as they would be shown: JSON's escapes keep them from acting on a terminal.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::json::{self, Object};

use crate::output::{Message, MessageKind, Output, Wire};

impl Output {
    /// The output as one JSON object, without a line break.
    pub fn json(&self) -> String {
        let event = |name| Object::with_capacity(128).string("event", name);
        let object = match self {
            Self::Message(said) => message(event("message"), said),
            Self::Welcome { name, agreed, level } => {
                let words = agreed.iter().map(|capability| json::string(capability.word()));
                let object =
                    event("welcome").string("name", name.as_wire()).list("capabilities", words);
                integer(object, "level", level.map(i64::from))
            }
            Self::Refused { name, reason, code } => {
                let object = event("refused").string("name", name.as_wire());
                text(text(object, "reason", reason.as_ref()), "code", code.as_ref())
            }
            Self::Users { users, more } => event("users")
                .list("users", users.iter().map(|user| json::string(user.as_wire())))
                .integer("more", count(*more)),
            Self::Joined(name) => event("joined").string("name", name.as_wire()),
            Self::Left(name) => event("left").string("name", name.as_wire()),
            Self::Renamed { old, new } => {
                event("renamed").string("old", old.as_wire()).string("new", new.as_wire())
            }
            Self::YouAre(name) => event("you-are").string("name", name.as_wire()),
            Self::Info(info) => event("info").string("text", info.as_wire()),
            Self::Error(error) => event("error").string("text", error.as_wire()),
            Self::Result { command, outcome, .. } => {
                let object = event("result")
                    .string("command", command)
                    .boolean("ok", outcome.ok)
                    .string("code", outcome.code.as_wire())
                    .string("text", outcome.text.as_wire());
                match &outcome.data {
                    Some(data) => object.value("data", data),
                    None => object.json("data", b"null"),
                }
            }
            Self::Prompt { text, secret } => {
                event("prompt").string("text", text.as_wire()).boolean("secret", *secret)
            }
            Self::Page { with, count: messages, more } => event("page")
                .string("with", with.as_wire())
                .integer("count", count(*messages))
                .boolean("more", *more),
            Self::ConnectionLost { why, wait, waiting } => event("lost")
                .string("text", why)
                .integer("wait_ms", i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
                .integer("waiting", count(*waiting)),
            Self::Resumed { missed, complete } => {
                event("back").integer("missed", count(*missed)).boolean("complete", *complete)
            }
            Self::Stored { tag, id } => {
                integer(event("stored").string("tag", tag), "id", Some(signed(*id)))
            }
            Self::Rejected(refused) => event("not-taken")
                .string("tag", refused.tag.as_wire())
                .string("code", refused.code.as_wire())
                .string("text", refused.error.as_wire()),
            Self::Deviation(what) => event("deviation").string("text", what),
            Self::Note(note) => event("note").string("text", note),
        };
        String::from_utf8_lossy(&object.into_value()).into_owned()
    }
}

fn message(object: Object, message: &Message) -> Object {
    let object = object.string("from", message.from.as_wire());
    let object = text(object, "to", message.to.as_ref())
        .integer("time", message.time)
        .string("text", message.text.as_wire());
    let object = integer(object, "id", message.id.map(signed));
    let object = match &message.tag {
        Some(tag) => object.string("tag", tag),
        None => object.json("tag", b"null"),
    };
    object.string(
        "kind",
        match message.kind {
            MessageKind::Live => "live",
            MessageKind::History => "history",
            MessageKind::Missed => "missed",
            MessageKind::Own => "own",
        },
    )
}

fn text(object: Object, key: &str, value: Option<&Wire>) -> Object {
    match value {
        Some(text) => object.string(key, text.as_wire()),
        None => object.json(key, b"null"),
    }
}

fn integer(object: Object, key: &str, value: Option<i64>) -> Object {
    match value {
        Some(number) => object.integer(key, number),
        None => object.json(key, b"null"),
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn signed(id: Id) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
