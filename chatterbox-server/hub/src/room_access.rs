//! What a member may know of rooms, read there and say there: every way of asking comes through here (RM-12, RH-1).

use std::sync::Arc;

use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Code, NameKey, Username};

use crate::conversation::Conversation;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::RoomRef;
use crate::record::Sequence;
use crate::replica::effect::Said;
use crate::replica::proposal::Incarnation;
use crate::replica::rooms::definition::{
    AccountRef, RoomDefinition, RoomKeep, RoomMember, RoomShow,
};
use crate::replica::rooms::judge::Judged;
use crate::replica::rooms::room::{Room, Who};
use crate::replica::rooms::wish::{RoomMemberView, RoomRefusal, RoomView, RoomWish};

impl Hub {
    /// Says what follows from a wish that has this number of the log; see [`RoomRecord`](crate::RoomRecord).
    ///
    /// # Errors
    /// [`RoomRefusal`].
    pub fn judge_room(&self, wish: &RoomWish, number: Sequence) -> Result<Judged, RoomRefusal> {
        self.replica.judge_wish(wish, number)
    }

    /// A room that a member is in or may be told of; nothing when there is none, or none for them (RM-12). An invitation counts
    /// at `now`, in seconds since 1970 UTC.
    pub fn room_named(&self, member: MemberId, name: &impl NameKey, now: i64) -> Option<RoomView> {
        let room = self.replica.rooms.named(name.name_key())?;
        self.view(member, room, now).filter(RoomView::is_known)
    }

    /// A room that a member wants to join, also one that they are not told of: knowing its name, and its password if it has one,
    /// is enough (RM-12).
    pub fn room_to_join(
        &self,
        member: MemberId,
        name: &impl NameKey,
        now: i64,
    ) -> Option<RoomView> {
        self.view(member, self.replica.rooms.named(name.name_key())?, now)
    }

    /// All rooms that a member may be told of.
    pub fn rooms_seen(&self, member: MemberId, now: i64) -> Vec<RoomView> {
        let all = self.replica.rooms.iter();
        all.filter_map(|(_, room)| self.view(member, room, now))
            .filter(RoomView::is_known)
            .collect()
    }

    fn view(&self, member: MemberId, room: &Room, now: i64) -> Option<RoomView> {
        let who = Who::from(&self.replica.room_member(member)?);
        Some(RoomView {
            definition: Arc::clone(&room.definition),
            count: room.count(),
            is_member: room.has(who),
            level: self.replica.level_in(member, room),
            is_invited: room.invitation(who, now).is_some(),
        })
    }

    /// The members of a room behind a name, by folded name, at most `limit`.
    ///
    /// # Errors
    /// [`OutcomeCode::NoSuchRoom`], [`OutcomeCode::NotAMember`]; [`OutcomeCode::Forbidden`] where they are not listed (RM-10).
    pub fn members_of(
        &self,
        member: MemberId,
        number: RoomNumber,
        after: Option<&Username>,
        limit: usize,
    ) -> Result<Vec<RoomMemberView>, OutcomeCode> {
        let room = self.replica.rooms.get(number).ok_or(OutcomeCode::NoSuchRoom)?;
        let level = self.replica.level_in(member, room);
        if self.replica.membership(member, room).is_none() && level < Level::ADMIN {
            return Err(not_there(room));
        }
        if !room.definition.settings.roster && level < Level::MODERATOR {
            return Err(OutcomeCode::Forbidden);
        }
        let accounts = room.accounts().flat_map(|account| {
            let names = self.replica.roster_names(&RoomMember::Account(account.clone()));
            names.into_iter().map(move |name| (name, Some(account)))
        });
        let guests = room.guests().flat_map(|id| {
            let names = self.replica.roster_names(&RoomMember::Guest(id));
            names.into_iter().map(|name| (name, None))
        });
        let is_behind = |name: &Username| after.is_none_or(|after| name.key() > after.key());
        let mut all: Vec<_> = accounts.chain(guests).filter(|(name, _)| is_behind(name)).collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.key().cmp(other.key()));
        // Only those that are told of are looked at more closely: there may be thousands, and this is under a lock.
        let view = |(name, account): (Username, Option<&AccountRef>)| match account {
            Some(account) => RoomMemberView {
                name,
                online: self.replica.sessions_of(account).next().is_some(),
                level: self.replica.level_of_account_in(room, account).max(Level::USER),
            },
            None => RoomMemberView { name, online: true, level: Level::GUEST },
        };
        Ok(all.into_iter().take(limit).map(view).collect())
    }

    /// Whether somebody is a member of rooms as a guest, whatever account they have now.
    pub fn guest_has_rooms(&self, member: MemberId) -> bool {
        self.replica.rooms.count_of(Who::Guest(member)) > 0
    }

    /// The level of an account in a room, as far as the room and those who are here know.
    pub fn level_of_account_in(&self, room: RoomNumber, account: &AccountRef) -> Level {
        let room = self.replica.rooms.get(room);
        room.map(|room| self.replica.level_of_account_in(room, account)).unwrap_or_default()
    }

    /// The room that a member has set as its default.
    pub fn default_room(&self, member: MemberId) -> Option<RoomRef> {
        let who = Who::from(&self.replica.room_member(member)?);
        self.replica.rooms.default_of(who).map(|room| room.definition.to_ref())
    }

    /// What the lobby has of a room: topic, floor, who may write.
    pub fn lobby(&self) -> &Arc<RoomDefinition> {
        self.replica.rooms.lobby()
    }

    /// The rooms that are there because the configuration names them.
    pub fn configured_rooms(&self) -> Vec<RoomRef> {
        let rooms = self.replica.rooms.iter().map(|(_, room)| &room.definition);
        rooms.filter(|room| room.configured).map(|room| room.to_ref()).collect()
    }

    /// Whether an account is going to become a member of rooms by itself (RM-16).
    pub fn has_auto_rooms(&self, account: i64) -> bool {
        let who = Who::Account(account);
        self.replica
            .rooms
            .iter()
            .any(|(_, room)| room.definition.auto && !room.has(who) && !room.was_left_by(account))
    }

    /// Which messages of a room a member may read (RH-1).
    ///
    /// # Errors
    /// [`OutcomeCode::NotAMember`], or [`OutcomeCode::NoSuchRoom`] where they may not know of it.
    pub fn readable(
        &self,
        member: MemberId,
        name: &impl NameKey,
    ) -> Result<Conversation, OutcomeCode> {
        let room = self.replica.rooms.named(name.name_key()).ok_or(OutcomeCode::NoSuchRoom)?;
        let since = self.replica.membership(member, room).ok_or_else(|| not_there(room))?;
        let definition = &room.definition;
        let joined = match definition.settings.show {
            RoomShow::All => 0,
            RoomShow::Joined => since,
        };
        let newest = match definition.settings.keep {
            RoomKeep::Off => Some(0),
            RoomKeep::Newest(messages) => Some(messages),
            RoomKeep::All => None,
        };
        let above = definition.floor.max(joined);
        Ok(Conversation::Room { room: definition.number, above, newest })
    }

    /// Whether everybody may come into a room and read all that it keeps.
    pub fn is_open_to_all(&self, name: &impl NameKey) -> bool {
        let room = self.replica.rooms.named(name.name_key());
        room.is_some_and(|room| room.definition.settings.are_open())
    }

    /// Who has said a message that is still in the timeline of a room, where a member was there when it was said, and it was not
    /// cleared since: of a room that keeps nothing this is all that there is.
    pub fn source_in_timeline(
        &self,
        member: MemberId,
        name: &impl NameKey,
        id: Sequence,
    ) -> Option<Username> {
        let room = self.replica.rooms.named(name.name_key())?;
        let since = self.replica.membership(member, room)?;
        if id <= since.max(room.definition.floor) {
            return None;
        }
        let timeline = &self.rooms.get(self.desk.id(room.definition.number)?)?.timeline;
        let mut newest = timeline.newest_first().filter(|event| event.number().is_some());
        newest
            .find(|event| event.number() <= Some(id))
            .filter(|event| event.number() == Some(id))?
            .source()
            .cloned()
    }

    /// The room that a message of so many characters is for, if its sender may say it there now (RM-3, RM-15).
    ///
    /// # Errors
    /// [`Code`].
    pub fn may_say_in(
        &mut self,
        member: MemberId,
        name: &impl NameKey,
        characters: usize,
    ) -> Result<RoomRef, Code> {
        let room = self.replica.rooms.named(name.name_key()).ok_or(Code::NoSuchRoom)?;
        if self.replica.membership(member, room).is_none() {
            let hidden = room.definition.settings.hidden;
            return Err(if hidden { Code::NoSuchRoom } else { Code::NotAMember });
        }
        let level = self.replica.level_in(member, room);
        let definition = Arc::clone(&room.definition);
        if characters > usize::try_from(definition.settings.length).unwrap_or(usize::MAX) {
            return Err(Code::TooLong);
        }
        self.may_say(member, level, &definition)?;
        Ok(definition.to_ref())
    }

    /// Whether a member may say something to everybody now. Only where the lobby is restricted somebody has to ask.
    ///
    /// # Errors
    /// [`Code::ReadOnly`] or [`Code::SlowMode`].
    pub fn may_say_to_all(&mut self, member: MemberId) -> Result<(), Code> {
        let definition = Arc::clone(self.lobby());
        let Some(identity) = self.identity(member) else { return Ok(()) };
        let level = if identity.login.is_some() { identity.actor().level } else { Level::GUEST };
        self.may_say(member, level, &definition)
    }

    fn may_say(
        &mut self,
        member: MemberId,
        level: Level,
        definition: &RoomDefinition,
    ) -> Result<(), Code> {
        if level < definition.settings.talk {
            return Err(Code::ReadOnly);
        }
        if definition.settings.slow == 0 || level >= Level::HELPER {
            return Ok(());
        }
        let Some(who) = self.replica.room_member(member) else { return Ok(()) };
        let (number, slow) = (definition.number, definition.settings.slow);
        self.desk.slow.may_write((number, Who::from(&who)), slow, self.now).map_err(Code::SlowMode)
    }
}

impl Hub {
    /// Notes that a member of another node has written, where slow mode holds: the same user may be here as well.
    pub(crate) fn note_slow(&mut self, from: Incarnation, said: &Said) {
        if !self.is_other(from) {
            return;
        }
        let definition = match &said.record.destination {
            Destination::All => self.lobby(),
            Destination::Room(room) => match self.replica.rooms.get(room.number) {
                Some(room) => &room.definition,
                None => return,
            },
            Destination::User(_) => return,
        };
        let (number, slow) = (definition.number, definition.settings.slow);
        if slow > 0
            && let Some(who) = said.by.and_then(|by| self.replica.room_member(by))
        {
            // One who writes too early elsewhere has done so before this was known here.
            let _ = self.desk.slow.may_write((number, Who::from(&who)), slow, self.now);
        }
    }
}

impl RoomView {
    /// Whether its user may be told of it (RM-12).
    fn is_known(&self) -> bool {
        let is_hidden = self.definition.settings.hidden;
        !is_hidden || self.is_member || self.is_invited || self.level >= Level::ADMIN
    }
}

/// What is said to who is not a member.
fn not_there(room: &Room) -> OutcomeCode {
    if room.definition.settings.hidden { OutcomeCode::NoSuchRoom } else { OutcomeCode::NotAMember }
}
