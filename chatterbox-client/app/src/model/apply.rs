//! The fold: what each output changes in the model.

use chatterbox_proto::{ALL, Capability, SERVER, ScreenText};

use super::alert::Alert;
use super::attention::Attention;
use super::conversation::{Conversation, Older};
use super::item::{Body, Delivery, Item, NAME, Speech};
use super::mention::mentions;
use super::sent::Sent;
use super::state::Model;
use super::timeline::Put;
use crate::output::{GapState, Message, MessageKind, Output, ReadTo, RoomChange, RoomWhy, Wire};
use crate::target::Target;

impl Model {
    /// Takes an output; `me` is the name of this user, `now` is in seconds since 1970.
    pub(crate) fn apply(&mut self, output: &Output, me: &str, now: i64) {
        match output {
            Output::Message(message) => self.message(message, me, false),
            Output::Behind(message) => self.message(message, me, true),
            Output::Stored { tag, id } => self.answered(tag, Delivery::Stored, Some(*id)),
            Output::Rejected { refused, .. } => {
                let why = ScreenText::shortened(refused.error.as_wire(), 500);
                self.answered(refused.tag.as_wire(), Delivery::Refused(why), None);
            }
            Output::Page { with, more, code, .. } => {
                self.paging = None;
                let page_over = |one: &mut Conversation| one.page_over(*more, code.is_some(), now);
                self.list.change(&target_of(with), page_over);
            }
            Output::Welcome { more, agreed, .. } => {
                let told = agreed.has(Capability::Recent);
                self.list.change(&Target::Lobby, |lobby| match lobby.older {
                    Older::Asked => {}
                    _ if *more => lobby.older = Older::More,
                    // A short welcome says whether there is more (RC-1).
                    Older::Unknown if told => lobby.older = Older::Beginning,
                    _ => {}
                });
                self.notice_in_front(output, now);
            }
            Output::Rooms { rooms, .. } => {
                for room in rooms {
                    self.open(&target_of(room));
                }
            }
            Output::Room(room, why) => {
                let target = target_of(&room.name);
                match (&target, why) {
                    (Target::Room(_), _) => {
                        self.room(room.name.as_wire(), room.number, room.topic.as_wire());
                    }
                    _ => {
                        let topic = ScreenText::new(room.topic.as_wire());
                        self.list.change(&target, |lobby| lobby.topic = topic);
                    }
                }
                // Nothing was ever said in it.
                if room.last == 0 && !matches!(target, Target::Lobby) {
                    self.list.change(&target, |one| {
                        if one.older == Older::Unknown {
                            one.older = Older::Beginning;
                        }
                    });
                }
                if let RoomWhy::Changed(changes) = why
                    && changes.contains(&RoomChange::Floor)
                {
                    self.clear(&target, room.floor);
                }
                if matches!(why, RoomWhy::Changed(_) | RoomWhy::Joined) {
                    self.notice(&target, output, now);
                }
            }
            Output::RoomLeft(left) => {
                let target = Target::Room(left.room.as_wire().to_owned());
                // Another room may have its name by now.
                let another = |one: &Conversation| {
                    one.number.zip(left.number).is_some_and(|(one, left)| one != left)
                };
                match self.conversation(&target).is_some_and(another) {
                    true => {}
                    false if target.is(&self.front) => {
                        self.list.change(&target, |room| room.gone = true);
                    }
                    false => self.remove(&target),
                }
                self.notice_in_front(output, now);
            }
            Output::RoomUsers { room, users, joined } => {
                let target = target_of(room);
                for user in users {
                    self.moved(&target, user, *joined, now);
                }
            }
            Output::Joined(name) => self.moved(&Target::Lobby, name, true, now),
            Output::Left(name) => self.moved(&Target::Lobby, name, false, now),
            Output::Renamed { old, new } => self.renamed(old, new, output, now),
            Output::Notice(notice, _) => {
                let target = notice.room.as_ref().map(target_of);
                let target = target.filter(|target| self.conversation(target).is_some());
                self.notice(&target.unwrap_or_else(|| self.front.clone()), output, now);
            }
            Output::Presence(user) => {
                let target = Target::User(user.name.as_wire().to_owned());
                self.notice(&target, output, now);
            }
            Output::Marks(marks) => {
                for mark in marks {
                    self.marked(mark);
                }
            }
            Output::Gap { room, state: GapState::Cut(_) } => self.hole(&target_of(room), now),
            Output::Resumed { complete, .. } => {
                if !complete {
                    let targets: Vec<_> =
                        self.conversations().iter().map(|one| one.target.clone()).collect();
                    for target in targets {
                        self.hole(&target, now);
                    }
                }
                self.notice_in_front(output, now);
            }
            Output::ConnectionLost { .. } => {
                self.list.change_all(Conversation::forget_asked);
                self.lost(output, now);
            }
            // A screen shows, counts and lists these itself.
            Output::Lobby
            | Output::WithUser(_)
            | Output::Gap { .. }
            | Output::Unread(_)
            | Output::Users { .. }
            | Output::Prompt { .. } => {}
            // A screen shows how far they are by itself, and what was sent as a message.
            Output::Transfer(_) if !output.is_line() => {}
            // Those one by one come as well; a timeline has its own way to set apart what was before.
            Output::Moves { .. } | Output::Earlier(_) => {}
            _ => self.notice_in_front(output, now),
        }
    }

    fn message(&mut self, message: &Message, me: &str, behind: bool) {
        if message.kind != MessageKind::Own && self.unrolled > 0 {
            self.unrolled -= 1;
            return;
        }
        let own = message.own;
        let target = self.place_of(message, own);
        let live = matches!(message.kind, MessageKind::Live | MessageKind::Missed);
        // A private message is one as well, without naming anybody; of any other it is known that it does.
        let is_private = message.to.is_some() && !message.in_room;
        let names = message.mention
            && (!is_private || message.named || mentions(message.text.as_wire(), me));
        let concerns = live && !own && (names || matches!(target, Target::User(_)));
        self.open(&target);
        let speech = Speech::new(message, own, names);
        if own && self.is_known(&target, message, &speech) {
            return;
        }
        let seen = if self.by_line { !behind } else { self.seeing && target.is(&self.front) };
        let unseen = live && !own && !seen;
        if let Some(id) = message.id.filter(|_| seen && !own) {
            self.list.change(&target, |one| one.shown(id));
        }
        let key = self.list.next_key();
        let time = message.taken.unwrap_or(message.time);
        let item = Item { key, time, body: Body::Speech(speech.clone()) };
        let put = self.list.change(&target, |one| {
            (one.speech(item, unseen, concerns), one.serial, one.target.clone())
        });
        let Some((put, serial, target)) = put else { return };
        if put == Put::Known {
            return;
        }
        let told = match self.attention(&target) {
            Attention::All => live && !own,
            Attention::Mentions => concerns,
            Attention::None => false,
        };
        if told {
            self.alerts.push(Alert {
                target: target.clone(),
                from: speech.from.clone(),
                text: ScreenText::shortened(message.text.as_wire(), 200),
                concerns,
            });
        }
        if names {
            self.mentioned.note(serial, key, time, &speech);
        }
        if let Some(tag) = speech.tag.filter(|_| message.id.is_none()) {
            self.unnumbered.push(Sent { serial, key, tag, time: message.time });
        }
        self.trim(&target);
    }

    /// A conversation was read on another device, or before.
    fn marked(&mut self, mark: &ReadTo) {
        let target = target_of(&mark.with);
        let is_private = matches!(target, Target::User(_));
        if is_private && mark.unread.is_some_and(|count| count > 0) {
            self.open(&target);
        }
        let is_front = target.is(&self.front);
        // Where everything is read line by line, private messages are never behind.
        let seen = if self.by_line { is_front || is_private } else { self.seeing && is_front };
        let unread = mark.unread.filter(|_| !seen);
        self.list.change(&target, |one| match unread {
            Some(unread) => one.counted(mark.upto, unread, mark.newest, is_private),
            None => one.read_to(mark.upto),
        });
    }

    /// How far the user has read of which the server does not know: as a destination on the wire, with the number of a message.
    pub(crate) fn take_marks(&mut self) -> Vec<(String, u64)> {
        let targets: Vec<_> = self
            .conversations()
            .iter()
            .filter(|one| one.news().is_some())
            .map(|one| one.target.clone())
            .collect();
        let mut marks = Vec::new();
        for target in targets {
            let news = self.list.change(&target, Conversation::take_news).flatten();
            marks.extend(news.map(|upto| (target.wire().to_owned(), upto)));
        }
        marks
    }

    /// Whether there is any.
    pub(crate) fn has_marks(&self) -> bool {
        self.conversations().iter().any(|one| one.news().is_some())
    }

    /// The conversation that a message belongs to.
    fn place_of(&self, message: &Message, own: bool) -> Target {
        let from = message.from.as_wire();
        let paging = self.paging.as_ref().filter(|_| message.kind == MessageKind::History);
        match &message.to {
            Some(room) if message.in_room => Target::Room(room.as_wire().to_owned()),
            // What the server says is read where the user is.
            _ if from == SERVER && message.kind != MessageKind::History => self.front.clone(),
            None => Target::Lobby,
            Some(to) if paging.is_none() && own => Target::User(to.as_wire().to_owned()),
            Some(_) if from == SERVER => Target::Lobby,
            Some(_) => paging.cloned().unwrap_or_else(|| Target::User(from.to_owned())),
        }
    }

    /// Whether an own message with a number is there already, without its number: that is noted then.
    fn is_known(&mut self, target: &Target, message: &Message, speech: &Speech) -> bool {
        let (Some(id), Some(one)) = (message.id, self.conversation(target)) else { return false };
        let is_it = |item: &Item| match &item.body {
            Body::Speech(known) => known.id.is_none() && known.lines == speech.lines,
            _ => false,
        };
        let known = self.unnumbered.sent_at(one.serial, message.time).find(|sent| {
            let item = one.timeline.place(sent.key).and_then(|place| one.timeline.item(place));
            item.is_some_and(is_it)
        });
        let Some(known) = known.cloned() else { return false };
        let has_it =
            |item: &Item| matches!(&item.body, Body::Speech(speech) if speech.id == Some(id));
        // The same text was sent twice, and this is the one that is answered.
        if one.timeline.iter().any(has_it) {
            return false;
        }
        self.delivered(known.serial, known.key, Delivery::Stored, Some(id));
        true
    }

    /// The server has answered an own message.
    fn answered(&mut self, tag: &str, delivery: Delivery, id: Option<u64>) {
        if let Some(sent) = self.unnumbered.take(tag) {
            self.delivered(sent.serial, sent.key, delivery, id);
        }
    }

    /// Shows the words of an output in a conversation.
    fn notice(&mut self, target: &Target, output: &Output, now: i64) {
        if self.conversation(target).is_none() {
            return;
        }
        let item = Item { key: self.list.next_key(), time: now, body: Body::notice(output) };
        self.list.change(target, |one| one.timeline.push(item));
        self.trim(target);
    }

    fn notice_in_front(&mut self, output: &Output, now: i64) {
        self.notice(&self.front.clone(), output, now);
    }

    /// Says that the connection is lost, or again that it is.
    fn lost(&mut self, output: &Output, now: i64) {
        let front = self.front.clone();
        let last = self.conversation(&front).and_then(|one| one.timeline.last_key());
        let Some(key) = self.lost.filter(|key| Some(*key) == last) else {
            self.notice(&front, output, now);
            self.lost = self.conversation(&front).and_then(|one| one.timeline.last_key());
            return;
        };
        self.list.change(&front, |one| {
            one.timeline.change(key, |body| *body = Body::notice(output));
            one.timeline.touch_last(now);
        });
        self.trim(&front);
    }

    fn hole(&mut self, target: &Target, now: i64) {
        let key = self.list.next_key();
        self.list.change(target, |one| one.timeline.push_hole(key, now));
        self.trim(target);
    }

    fn moved(&mut self, target: &Target, user: &Wire, joined: bool, now: i64) {
        let key = self.list.next_key();
        let name = ScreenText::shortened(user.as_wire(), NAME);
        self.list.change(target, |one| one.moves(key, now, |moves| moves.add(name, joined)));
        self.trim(target);
    }

    fn renamed(&mut self, old: &Wire, new: &Wire, output: &Output, now: i64) {
        let name = |wire: &Wire| ScreenText::shortened(wire.as_wire(), NAME);
        let (old_name, new_name) = (name(old), name(new));
        self.list.change_all(|one| one.renamed(&old_name, &new_name));
        let (old, new) = (user(old), user(new));
        self.list.rename(&old, &new);
        self.attentions.renamed(&old, &new);
        if old.is(&self.front) {
            // Where there is a conversation with the new name already, that is in front now.
            self.front = new.clone();
            self.open(&new);
        }
        self.notice(&Target::Lobby, output, now);
        self.notice(&new, output, now);
    }
}

fn user(name: &Wire) -> Target {
    Target::User(name.as_wire().to_owned())
}

/// The target of a name on the wire.
fn target_of(name: &Wire) -> Target {
    match name.as_wire() {
        "" | ALL => Target::Lobby,
        name => Target::parse(name, true),
    }
}
