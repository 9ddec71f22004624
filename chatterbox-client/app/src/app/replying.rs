//! Replies and mentions: what goes with a message that this user says, and what goes with those of others.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{FileTold, Meta, NewMeta};
use chatterbox_proto::{ALL, Capability, WireText, limits, session};

use super::App;
use crate::effect::Effect;
use crate::mentioning::{mention, named};
use crate::quotes::Said;
use crate::target::Target;

/// From this level on everybody may be mentioned at once.
const MODERATOR: u8 = 3;

const USAGE: &str = "/reply last TEXT answers what was said last, /reply @NAME TEXT what NAME said last, /reply ID TEXT the \
                     message of that number";

/// What goes with a message beside whom it mentions.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The message that is answered.
    pub(super) reply: Option<Id>,
    /// The file that is announced.
    pub(super) file: Option<FileTold>,
}

impl App {
    pub(super) fn has_meta(&self) -> bool {
        self.session.agreed().has(Capability::Meta)
    }

    /// Carries out `/reply WHICH TEXT`.
    pub(super) fn reply(&mut self, rest: &str, now: i64) -> Vec<Effect> {
        let (which, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if which.is_empty() || text.trim().is_empty() {
            return self.not_sent(USAGE);
        }
        let at = self.front.at().target();
        let id = match which.strip_prefix('@') {
            Some(name) => self.quotes.newest(&at, Some(name)),
            None if which == "last" => self.quotes.newest(&at, None),
            None => match which.parse::<Id>() {
                Ok(id) if (1..=limits::LARGEST_ID).contains(&id) => Some(id),
                // The server refuses the whole frame for any other number and answers no tag of it: the message would be sent
                // again on every connection, and everything else that waits with it.
                _ => return self.not_sent(USAGE),
            },
        };
        match id {
            Some(id) => self.say_in_front(text, Some(id), now),
            None => self.not_sent("what you answer is not loaded here"),
        }
    }

    /// What goes with a text that is said to somebody: what it answers, the file, and whom it mentions.
    pub(super) fn meta_of(
        &self,
        to: Option<&str>,
        text: &str,
        beside: &Beside,
    ) -> Option<Box<NewMeta>> {
        if !self.has_meta() {
            return None;
        }
        let file = beside.file.as_ref().map(|file| file.token.clone());
        let mut meta = NewMeta { reply: beside.reply, file, ..NewMeta::default() };
        mention(&mut meta, named(text, |name| self.is_there(to, name)));
        (!meta.is_empty()).then(|| Box::new(meta))
    }

    /// The name of somebody who is where a text is said, in their spelling.
    fn is_there(&self, to: Option<&str>, name: &str) -> Option<String> {
        let room = to.filter(|to| self.is_room(to)).and_then(|to| self.session.room(to));
        let level = room.map_or(self.level, |room| room.level.max(self.level));
        let is_private = to.is_some() && room.is_none();
        if name == ALL && level >= MODERATOR && !is_private {
            return Some(ALL.to_owned());
        }
        let folded = name.to_lowercase();
        let is_it = |other: &WireText<'_>| other.as_wire().to_lowercase() == folded;
        let found = match room.and_then(session::Room::users) {
            Some(mut users) => users.find(is_it).map(WireText::into_owned),
            None if is_private => {
                let two = [to, self.session.me()].into_iter().flatten().map(WireText::new);
                two.into_iter().find(is_it).map(WireText::into_owned)
            }
            None => self.session.users().find(is_it).map(WireText::into_owned),
        };
        found.map(|name| name.as_wire().to_owned())
    }

    /// Whether MENTIONS of a message has this user, by name or as one of all.
    pub(super) fn is_named(&self, meta: &Meta, room: Option<&str>) -> bool {
        let Some(me) = self.me().map(str::to_lowercase) else { return false };
        let is_me = |name: &WireText<'_>| {
            let name = name.as_wire();
            name == ALL || name.to_lowercase() == me || room == Some(name)
        };
        meta.mentions.iter().any(is_me)
    }

    /// Notes an own message that is on its way, so that it can be answered when it has a number.
    pub(super) fn note_sent(&mut self, to: Option<&str>, text: &str, tag: Option<&str>) {
        let (Some(tag), Some(me)) = (tag, self.session.me()) else { return };
        let said = Said::new(&self.target_to(to), me, text, true);
        self.quotes.sent(tag, said);
    }

    /// Notes a message, so that it can be quoted and answered, and its file be fetched; `own`: this user has said it.
    pub(super) fn note_said(&mut self, message: &session::Message, own: bool) {
        self.note_file(message, own);
        let Some(id) = message.id else { return };
        let from = message.source.as_wire();
        let at = self.target_of(message, own);
        self.quotes.note(id, Said::new(&at, from, message.content.as_wire(), own));
    }

    /// The conversation that a message is said in by this user.
    pub(super) fn target_to(&self, to: Option<&str>) -> Target {
        match to {
            None | Some(ALL) => Target::Lobby,
            Some(room) if self.is_room(room) => Target::Room(room.to_owned()),
            Some(user) => Target::User(user.to_owned()),
        }
    }

    /// Whether this user has said a message. A private one they may have said under a name that they had before: only the two who
    /// talk are told of it.
    pub(super) fn is_own(&self, message: &session::Message) -> bool {
        let from = message.source.as_wire();
        if self.me() == Some(from) {
            return true;
        }
        let to = message.recipient.as_ref().map(WireText::as_wire);
        let Some(to) = to.filter(|to| !self.is_room(to)) else { return false };
        // On a page of what was said with somebody the other one of the two is this user.
        let with = self.paging.as_ref().map(|with| with.wire().to_lowercase());
        let is_with = |name: &str| with.as_ref().is_some_and(|with| *with == name.to_lowercase());
        match (is_with(from), is_with(to)) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => self.names.has(from) && !self.names.has(to),
        }
    }

    /// The conversation that a received message belongs to; `own`: this user has said it. On a page of what was said with a user, both
    /// may have had other names.
    pub(super) fn target_of(&self, message: &session::Message, own: bool) -> Target {
        let from = message.source.as_wire();
        let to = message.recipient.as_ref().map(WireText::as_wire);
        match (self.target_to(to), &self.paging) {
            (Target::User(_), Some(with @ Target::User(_))) => with.clone(),
            (Target::User(_), _) if !own => Target::User(from.to_owned()),
            (target, _) => target,
        }
    }
}
