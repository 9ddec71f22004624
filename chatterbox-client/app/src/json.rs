//! Outputs for programs: one JSON object a line, in ASCII (`docs/guide/scripting.md`).
//!
//! Texts are as they came, not as they would be shown: JSON's escapes keep them from acting on a terminal.

use chatterbox_proto::WireText;
use chatterbox_proto::capability::ids::Id;
use serde_json::Value;

use crate::output::{Message, MessageKind, Output, Wire};
use crate::words::{Role, Span, Words, whole};

impl Output {
    /// The output as one JSON object, without a line break.
    pub fn into_json(self) -> Vec<Span> {
        let mut object = Object::default();
        object.add(self);
        object.finish()
    }

    /// The same, all at once.
    pub fn json(&self) -> String {
        whole(self.clone().into_json())
    }
}

/// An object that is put together from short pieces of JSON and the texts between them.
#[derive(Default)]
struct Object {
    spans: Vec<Span>,
}

impl Object {
    fn add(&mut self, output: Output) {
        match output {
            Output::Message(said) => {
                self.event("message");
                self.message(said);
            }
            Output::Welcome { name, agreed, level } => {
                self.event("welcome");
                self.text("name", Some(name));
                self.list("capabilities", agreed.iter().map(|capability| capability.word().into()));
                self.integer("level", level.map(i64::from));
            }
            Output::Refused { name, reason, code } => {
                self.event("refused");
                self.text("name", Some(name));
                self.text("reason", reason);
                self.text("code", code);
            }
            Output::Users { users, more } => {
                self.event("users");
                self.list("users", users.into_iter().map(|user| Words::Json(user, 0)));
                self.integer("more", Some(count(more)));
            }
            Output::Joined(name) => self.named("joined", name),
            Output::Left(name) => self.named("left", name),
            Output::YouAre(name) => self.named("you-are", name),
            Output::Renamed { old, new } => {
                self.event("renamed");
                self.text("old", Some(old));
                self.text("new", Some(new));
            }
            Output::Info(text) => self.worded("info", text),
            Output::Error(text) => self.worded("error", text),
            Output::Deviation(what) => self.worded("deviation", WireText::new(what)),
            Output::Note(note) => self.worded("note", WireText::new(note)),
            Output::Result { command, outcome, .. } => {
                self.event("result");
                self.text("command", Some(WireText::new(command)));
                self.boolean("ok", outcome.ok);
                self.text("code", Some(outcome.code));
                self.text("text", Some(outcome.text));
                self.key("data");
                self.value(outcome.data.unwrap_or(Value::Null));
            }
            Output::Prompt { text, secret } => {
                self.worded("prompt", text);
                self.boolean("secret", secret);
            }
            Output::Page { with, count: messages, more } => {
                self.event("page");
                self.text("with", Some(with));
                self.integer("count", Some(count(messages)));
                self.boolean("more", more);
            }
            Output::ConnectionLost { why, wait, waiting } => {
                self.worded("lost", WireText::new(why));
                self.integer("wait_ms", Some(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)));
                self.integer("waiting", Some(count(waiting)));
            }
            Output::Resumed { missed, complete } => {
                self.event("back");
                self.integer("missed", Some(count(missed)));
                self.boolean("complete", complete);
            }
            Output::Stored { tag, id } => {
                self.event("stored");
                self.text("tag", Some(WireText::new(tag)));
                self.integer("id", Some(signed(id)));
            }
            Output::Rejected(refused) => {
                self.event("not-taken");
                self.text("tag", Some(refused.tag));
                self.text("code", Some(refused.code));
                self.text("text", Some(refused.error));
            }
        }
    }

    fn message(&mut self, message: Message) {
        self.text("from", Some(message.from));
        self.text("to", message.to);
        self.integer("time", Some(message.time));
        self.text("text", Some(message.text));
        self.integer("id", message.id.map(signed));
        self.text("tag", message.tag.map(WireText::new));
        self.key("kind");
        self.own(match message.kind {
            MessageKind::Live => "\"live\"",
            MessageKind::History => "\"history\"",
            MessageKind::Missed => "\"missed\"",
            MessageKind::Own => "\"own\"",
        });
    }

    fn named(&mut self, event: &str, name: Wire) {
        self.event(event);
        self.text("name", Some(name));
    }

    fn worded(&mut self, event: &str, words: Wire) {
        self.event(event);
        self.text("text", Some(words));
    }

    fn event(&mut self, name: &str) {
        self.own(&format!("{{\"event\": \"{name}\""));
    }

    fn key(&mut self, key: &str) {
        self.own(&format!(", \"{key}\": "));
    }

    fn text(&mut self, key: &str, value: Option<Wire>) {
        self.key(key);
        match value {
            Some(text) => self.string(Words::Json(text, 0)),
            None => self.own("null"),
        }
    }

    fn integer(&mut self, key: &str, value: Option<i64>) {
        self.key(key);
        match value {
            Some(number) => self.own(&number.to_string()),
            None => self.own("null"),
        }
    }

    fn boolean(&mut self, key: &str, value: bool) {
        self.key(key);
        self.own(if value { "true" } else { "false" });
    }

    fn list(&mut self, key: &str, strings: impl Iterator<Item = Words>) {
        self.key(key);
        self.own("[");
        for (place, string) in strings.enumerate() {
            if place > 0 {
                self.own(", ");
            }
            self.string(string);
        }
        self.own("]");
    }

    /// Any value; those of the protocol's reader are bounded in depth and number.
    fn value(&mut self, value: Value) {
        match value {
            Value::String(text) => self.string(Words::Json(WireText::new(text), 0)),
            Value::Array(elements) => {
                self.own("[");
                for (place, element) in elements.into_iter().enumerate() {
                    if place > 0 {
                        self.own(", ");
                    }
                    self.value(element);
                }
                self.own("]");
            }
            Value::Object(members) => {
                self.own("{");
                for (place, (key, member)) in members.into_iter().enumerate() {
                    if place > 0 {
                        self.own(", ");
                    }
                    self.string(Words::Json(WireText::new(key), 0));
                    self.own(": ");
                    self.value(member);
                }
                self.own("}");
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.own(&value.to_string()),
        }
    }

    fn string(&mut self, words: Words) {
        self.own("\"");
        match words {
            Words::Own(words) => self.own(&words),
            words => self.spans.push(Span { role: Role::Plain, words }),
        }
        self.own("\"");
    }

    /// Appends JSON of this program, to the piece before if that is such JSON as well.
    fn own(&mut self, json: &str) {
        match self.spans.last_mut() {
            Some(Span { words: Words::Own(words), .. }) => words.push_str(json),
            _ => self.spans.push(Span { role: Role::Plain, words: json.into() }),
        }
    }

    fn finish(mut self) -> Vec<Span> {
        self.own("}");
        self.spans
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn signed(id: Id) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
