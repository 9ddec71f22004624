//! What this node does with marks of its members (MK-1).
//!
//! It notes them, hands them out to be written about once a second, and tells those that were news to the other devices of the
//! account. Nobody else hears of them.
//!
//! READ is in no bucket of flood control, so nothing of it may cost much under the lock: [`ReadIn::parse`] comes before it.

use chatterbox_proto::capability::marks::{READ, ReadUpTo, numbers};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{ALL, Capability, LookupKey, NameKey as _, Username, limits};

use crate::asked_marks::AskedMark;
use crate::event::Event;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::mark::{Marked, ReadMark};
use crate::record::{Record, Sequence};
use crate::replica::rooms::definition::AccountRef;
use crate::room::reader::Reader;
use crate::wake::Wake;

/// So many private messages are looked at for the marks that wait, until one has been judged with which it is more: a few
/// milliseconds under the lock.
const LOOKED_AT_ONCE: usize = 16 * 1024;

/// A conversation as a member names it, judged as far as that is possible without the hub.
#[derive(Debug)]
pub enum ReadIn {
    /// What is said to all.
    Lobby,
    /// The room of this name, if there is one.
    Room(LookupKey),
    /// The private messages between the member and whoever has, or had, this name.
    User(Username),
}

impl ReadIn {
    /// The conversation that was read; `None` where nothing can be called so. Whatever is longer than the longest name is not looked
    /// at.
    pub fn parse(read: &ReadUpTo) -> Option<Self> {
        if read.is_public() {
            return Some(Self::Lobby);
        }
        let with = read.with.as_wire();
        if read.is_of_room() {
            return LookupKey::of(with, 1 + limits::ROOM_NAME_CHARS).map(Self::Room);
        }
        Username::parse_within(with, limits::USERNAME_CHARS_MOST).ok().map(Self::User)
    }
}

impl Hub {
    /// Notes how far a member has read, as it says, but not behind the newest message that is there (MK-1). Of who has no account,
    /// and of conversations that a member does not have, nothing is noted.
    ///
    /// Members say so as often as they like. What is known costs a look-up, and which private conversations there are is found out
    /// by [`Hub::take_marks`].
    pub fn read_up_to(&mut self, member: MemberId, with: ReadIn, upto: Sequence) {
        let Some(identity) = self.identity(member) else { return };
        let Some(account) = identity.login.as_ref().map(AccountRef::from) else { return };
        let Some((with, newest)) = self.marked(member, with) else { return };
        if self.marks.known(&(account.id, with.clone())) >= upto {
            return;
        }
        match (with, newest) {
            (with, Some(newest)) => self.note_mark(member, with, upto.min(newest)),
            (Marked::User(with), None) => {
                let (by, reader) = (member, Reader::of(identity));
                self.asked_marks.ask(AskedMark { account, by, reader, with, upto });
            }
            (Marked::Lobby | Marked::Room(_), None) => {}
        }
    }

    /// A conversation of a member, and the number of the newest message in it, where that is known.
    fn marked(&self, member: MemberId, with: ReadIn) -> Option<(Marked, Option<Sequence>)> {
        match with {
            ReadIn::Lobby => Some((Marked::Lobby, Some(self.history.newest_public()))),
            ReadIn::Room(name) if self.speaks_rooms(member) => {
                let room = self.replica.rooms.named(name.name_key())?;
                self.replica.membership(member, room)?;
                Some((Marked::Room(room.definition.number), Some(room.last)))
            }
            ReadIn::Room(_) => None,
            ReadIn::User(name) => Some((Marked::User(name), None)),
        }
    }

    /// Judges the marks of private conversations that wait, a bounded part of them at a time: it notes those of conversations that
    /// are there.
    fn judge_asked_marks(&mut self) {
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_ONCE
            && let Some(asked) = self.asked_marks.take_next()
        {
            let AskedMark { account, by, reader, with, upto } = asked;
            let (newest, many) = self.history.newest_with(&reader, &with);
            looked_at += 1 + many;
            if let Some(newest) = newest {
                let with = Marked::User(with);
                self.marks.note(ReadMark { account, by, with, upto: upto.min(newest) });
            }
        }
    }

    /// Notes that a message of a member's own was stored: it has read up to there.
    pub(crate) fn note_own_message(&mut self, member: MemberId, number: Sequence, record: &Record) {
        let with = match &record.destination {
            Destination::All => Marked::Lobby,
            Destination::Room(room) => Marked::Room(room.number),
            Destination::User(name) => Marked::User(name.clone()),
        };
        self.note_mark(member, with, number);
    }

    /// Whether what a member says moves a mark: it is one of this node, and speaks of marks.
    pub(crate) fn is_marking(&self, member: MemberId) -> bool {
        self.members.get(&member).is_some_and(|member| member.is_marking)
    }

    fn note_mark(&mut self, by: MemberId, with: Marked, upto: Sequence) {
        let Some(login) = self.identity(by).and_then(|identity| identity.login.as_ref()) else {
            return;
        };
        if upto > 0 {
            let account = AccountRef::from(login);
            self.marks.note(ReadMark { account, by, with, upto });
        }
    }

    /// Takes the marks that are to be written down, about once a second.
    pub fn take_marks(&mut self) -> Vec<ReadMark> {
        self.judge_asked_marks();
        self.marks.take(self.now)
    }

    /// Gives those back that could not be written now.
    pub fn give_back_marks(&mut self, marks: Vec<ReadMark>) {
        self.marks.give_back(marks);
    }

    /// Tells the other devices of this node how far their users have read. One that has no room for it is told nothing: it does
    /// not read.
    pub fn tell_marks(&mut self, marks: &[ReadMark], wakes: &mut Vec<Wake>) {
        for mark in marks {
            self.marks.remember(mark, self.now);
            let others: Vec<_> = self
                .replica
                .sessions_of(&mark.account)
                .filter(|(id, who)| {
                    let agreed = who.agreed.unwrap_or_default();
                    *id != mark.by
                        && self.members.contains_key(id)
                        && agreed.has(Capability::Marks)
                        && (agreed.has(Capability::Rooms) || !matches!(mark.with, Marked::Room(_)))
                })
                .map(|(id, _)| id)
                .collect();
            let Some(with) = self.name_of_marked(&mark.with) else { continue };
            let event = Event::own(numbers(READ, [(with.as_str(), mark.upto)]));
            for id in others {
                if self.has_room(id, event.size()) {
                    wakes.push(self.tell(id, event.clone()));
                }
            }
        }
    }

    /// What a conversation is called, if it is there.
    pub(crate) fn name_of_marked(&self, with: &Marked) -> Option<String> {
        match with {
            Marked::Lobby => Some(ALL.to_owned()),
            Marked::Room(number) => {
                Some(self.replica.rooms.get(*number)?.definition.name.as_str().to_owned())
            }
            Marked::User(name) => Some(name.as_str().to_owned()),
        }
    }
}
