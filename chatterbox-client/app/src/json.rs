//! Outputs for programs: one JSON object a line, in ASCII (`docs/guide/scripting.md`).
//!
//! Texts are as they came, not as they would be shown: JSON's escapes keep them from acting on a terminal.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::notices::{Closed, Notice, Retry};
use chatterbox_proto::capability::rooms::{Kept, Shown};
use chatterbox_proto::{ScreenText, WireText};
use serde_json::Value;

use crate::files::{TransferState, TransferTold};
use crate::output::{GapState, Lock, Message, MessageKind, Output, RoomView, RoomWhy, Until, Wire};
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
            Output::Message(said) | Output::Behind(said) => {
                self.event("message");
                self.message(said);
            }
            Output::Welcome { name, agreed, level, more } => {
                self.event("welcome");
                self.text("name", Some(name));
                self.list("capabilities", agreed.iter().map(|capability| capability.word().into()));
                self.integer("level", level.map(i64::from));
                self.boolean("more", more);
            }
            Output::Server { name, banner } => {
                self.event("server");
                self.text("name", name);
                self.text("banner", banner);
            }
            Output::Rooms { rooms, front } => {
                self.event("rooms");
                self.names("rooms", rooms);
                self.text("front", front);
            }
            Output::Room(room, why) => self.room(*room, &why),
            Output::Lobby => {
                self.event("front");
                self.text("room", None);
            }
            Output::WithUser(name) => {
                self.event("front");
                self.text("room", None);
                self.text("user", Some(name));
            }
            Output::RoomLeft(left) => {
                self.event("room-left");
                self.text("room", Some(left.room));
                self.integer("number", left.number.map(signed));
                self.text("code", left.code);
                self.text("by", left.by);
                self.text("text", left.info);
            }
            Output::RoomUsers { room, users, joined } => {
                self.event(if joined { "room-users-joined" } else { "room-users-left" });
                self.text("room", Some(room));
                self.names("users", users);
            }
            // For people only.
            Output::Moves { room, joined, left } => {
                self.event("moves");
                self.text("room", room);
                self.names("joined", joined);
                self.names("left", left);
            }
            Output::Earlier(messages) => {
                self.event("earlier");
                self.integer("count", Some(count(messages)));
            }
            Output::Unread(rooms) => {
                self.event("unread");
                self.numbers("rooms", rooms.into_iter().map(|one| (one.room, count(one.count))));
            }
            Output::Marks(marks) => {
                self.event("marks");
                let read = marks.iter().map(|mark| (mark.with.clone(), signed(mark.upto)));
                self.numbers("read", read);
                let unread =
                    marks.iter().filter_map(|mark| Some((mark.with.clone(), count(mark.unread?))));
                self.numbers("unread", unread);
            }
            Output::Gap { room, state } => {
                let (word, messages) = match state {
                    GapState::Fetching => ("fetching", None),
                    GapState::Filled(messages) => ("filled", Some(messages)),
                    GapState::Cut(messages) => ("cut", Some(messages)),
                };
                self.event("gap");
                self.text("room", Some(room));
                self.text("state", Some(WireText::new(word)));
                self.integer("count", messages.map(count));
            }
            Output::Notice(notice, _) => self.notice(notice),
            Output::Closed(closed) => self.closed(closed),
            Output::Refused { name, reason, code, until } => {
                self.event("refused");
                self.text("name", Some(name));
                self.text("reason", reason);
                self.text("code", code);
                self.until(until.as_ref());
            }
            Output::Presence(user) => {
                self.event("presence");
                self.text("name", Some(user.name));
                self.integer("since", user.since);
                self.text("away", user.away);
            }
            Output::Users { users, away, more } => {
                self.event("users");
                self.names("users", users);
                self.names("away", away);
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
            Output::Warning(text) => self.worded("warning", WireText::new(text)),
            Output::Result { command, outcome, .. } => {
                self.event("result");
                self.text("command", Some(WireText::new(command)));
                self.boolean("ok", outcome.ok);
                self.text("code", Some(outcome.code));
                self.text("text", Some(outcome.text));
                self.key("data");
                self.value(outcome.data.unwrap_or(Value::Null));
                self.integer("wait", outcome.wait.map(i64::from));
                self.integer("until", outcome.until);
            }
            Output::Prompt { text, secret } => {
                self.worded("prompt", text);
                self.boolean("secret", secret);
            }
            Output::Page { with, count: messages, more, code } => {
                self.event("page");
                self.text("with", Some(with));
                self.integer("count", Some(count(messages)));
                self.boolean("more", more);
                self.text("code", code);
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
            Output::Transfer(told) => self.transfer(told),
            Output::Rejected { refused, .. } => {
                self.event("not-taken");
                self.text("tag", Some(refused.tag));
                self.text("code", Some(refused.code));
                self.text("text", Some(refused.error));
                self.integer("wait", refused.wait.map(signed));
                self.integer("until", refused.until);
            }
        }
    }

    fn transfer(&mut self, told: TransferTold) {
        self.event("file");
        let left = told.left();
        self.integer("number", Some(signed(told.id)));
        self.text("name", Some(WireText::new(told.name.as_str().to_owned())));
        self.text("direction", Some(WireText::new(if told.sends { "out" } else { "in" })));
        self.integer("size", told.size.map(signed));
        self.integer("done", Some(signed(told.done)));
        let (word, rate, path, why) = match told.state {
            TransferState::Waiting => ("waiting", None, None, None),
            TransferState::Moving { rate } => ("moving", rate, None, None),
            TransferState::Done { path } => ("done", None, path, None),
            TransferState::Failed { why } => ("failed", None, None, Some(why)),
        };
        let wire = |text: ScreenText| WireText::new(text.to_string());
        self.text("state", Some(WireText::new(word)));
        self.integer("rate", rate.map(signed));
        self.integer("left", left.map(signed));
        self.text("path", path.map(wire));
        self.text("text", why.map(wire));
    }

    fn room(&mut self, room: RoomView, why: &RoomWhy) {
        if *why == RoomWhy::Front {
            self.event("front");
            return self.text("room", Some(room.name));
        }
        self.event("room");
        self.text("room", Some(room.name));
        self.integer("number", Some(signed(room.number)));
        let why = match why {
            RoomWhy::Member => "member",
            RoomWhy::Joined => "joined",
            RoomWhy::Changed(_) | RoomWhy::Front => "changed",
        };
        self.text("why", Some(WireText::new(why)));
        self.text("owner", room.owner);
        self.integer("level", Some(room.level.into()));
        self.text("topic", Some(room.topic));
        self.text("description", Some(room.description));
        self.integer("count", Some(signed(room.count)));
        match room.users {
            Some(users) => self.names("users", users),
            None => self.text("users", None),
        }
        self.numbers("staff", room.staff.into_iter().map(|(name, level)| (name, level.into())));
        self.integer("limit", Some(signed(room.limit)));
        self.integer("talk", Some(room.talk.into()));
        self.integer("slow", Some(signed(room.slow)));
        self.integer("length", room.length.map(signed));
        self.key("keep");
        self.own(&match room.keep {
            Some(Kept::Off) => "\"off\"".to_owned(),
            Some(Kept::Newest(messages)) => messages.to_string(),
            Some(Kept::All) => "\"all\"".to_owned(),
            None => "null".to_owned(),
        });
        let show = room.show.map(|show| match show {
            Shown::All => WireText::new("all"),
            Shown::Joined => WireText::new("joined"),
        });
        self.text("show", show);
        self.names("flags", room.flags);
        self.integer("last", Some(signed(room.last)));
        self.integer("floor", Some(signed(room.floor)));
    }

    fn notice(&mut self, notice: Notice) {
        self.event("notice");
        self.text("code", Some(notice.code));
        self.text("text", notice.info);
        self.text("room", notice.room);
        self.text("name", notice.name);
        self.text("by", notice.by);
        self.integer("until", notice.until);
        self.integer("wait", notice.wait.map(signed));
        self.integer("id", notice.id.map(signed));
    }

    fn closed(&mut self, closed: Closed) {
        self.event("closed");
        self.text("code", Some(closed.code));
        self.text("text", closed.info);
        self.integer("until", closed.until);
        self.integer(
            "retry",
            match closed.retry {
                Some(Retry::After(seconds)) => Some(signed(seconds)),
                Some(Retry::Never) | None => None,
            },
        );
    }

    fn until(&mut self, until: Option<&Until>) {
        self.integer("until", until.map(|until| until.time));
    }

    fn names(&mut self, key: &str, names: Vec<Wire>) {
        self.list(key, names.into_iter().map(|name| Words::Json(name, 0)));
    }

    /// An object of names, each with a number.
    fn numbers(&mut self, key: &str, members: impl Iterator<Item = (Wire, i64)>) {
        self.key(key);
        self.own("{");
        for (place, (name, number)) in members.enumerate() {
            if place > 0 {
                self.own(", ");
            }
            self.string(Words::Json(name, 0));
            self.own(&format!(": {number}"));
        }
        self.own("}");
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
        self.integer("taken", message.taken);
        if let Some(quote) = message.quote {
            self.integer("reply", Some(signed(quote.id)));
        }
        if !message.mentions.is_empty() {
            self.names("mentions", message.mentions);
        }
        if let Some(file) = message.file.map(|file| *file) {
            self.key("file");
            self.own("{\"name\": ");
            self.string(Words::Json(file.told.name, 0));
            self.own(&format!(
                ", \"size\": {}, \"sha256\": \"{}\"",
                file.told.size, file.told.sha256
            ));
            self.integer("until", file.told.until);
            self.own("}");
        }
        let lock = match message.lock {
            Lock::Open => return,
            Lock::Encrypted => "\"encrypted\"",
            Lock::Verified => "\"verified\"",
            Lock::Unreadable => "\"unreadable\"",
        };
        self.key("lock");
        self.own(lock);
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
