//! The rooms of one user as the client knows them: what the server has told, and who is in each.

use super::roster::{Roster, USERS_KEPT};
use crate::capability::ids::Id;
use crate::capability::rooms::{Kept, RoomTold, Shown};
use crate::limits;
use crate::lookup_key::LookupKey;
use crate::name::ALL;
use crate::room_name::RoomName;
use crate::text::{WireText, first_bytes};

/// The most rooms that are kept: more than a server lets a user be in, since it may have another bound than ours (RM-2).
pub(super) const ROOMS_KEPT: usize = 4 * limits::MEMBERSHIPS;

/// The most bytes that are kept of a topic or a description: every character of theirs, however it is written.
const TEXT_KEPT: usize = 4 * 4 * limits::TOPIC_CHARS;

/// The most that is kept of the lists beside a roster.
const STAFF_KEPT: usize = 200;
const FLAGS_KEPT: usize = 16;

/// One room of which this user is a member, or the lobby.
#[derive(Debug, Default)]
pub struct Room {
    /// Its name, in its own spelling.
    pub name: WireText<'static>,
    /// Its number; another room of the same name has another one.
    pub number: u64,
    /// The account that owns it.
    pub owner: Option<WireText<'static>>,
    /// The level of this user in it.
    pub level: u8,
    /// The members of level 2 or more, and their levels.
    pub staff: Vec<(WireText<'static>, u8)>,
    /// What is talked about now.
    pub topic: WireText<'static>,
    /// What it is for.
    pub description: WireText<'static>,
    /// Members at most; 0 is no limit.
    pub limit: u64,
    /// The longest message in characters, if there is a bound.
    pub length: Option<u64>,
    /// The lowest level that may write.
    pub talk: u8,
    /// Seconds between two messages of one user.
    pub slow: u64,
    /// How many messages are kept.
    pub keep: Option<Kept>,
    /// What newcomers may read.
    pub show: Option<Shown>,
    /// Further words, such as `hidden`.
    pub flags: Vec<WireText<'static>>,
    /// The newest message when the server told it last; 0 is none.
    pub last: Id,
    /// Nothing up to this message is shown any more (RH-4).
    pub floor: Id,
    /// Whether some of what was missed was not sent (RH-6).
    pub gap: bool,
    /// How many members it has, where the server tells no names.
    count: u64,
    /// Its members, where they are listed.
    users: Option<Roster>,
}

impl Room {
    /// How many members it has.
    pub fn count(&self) -> u64 {
        match &self.users {
            Some(users) => u64::try_from(users.len()).unwrap_or(u64::MAX).max(self.count),
            None => self.count,
        }
    }

    /// The members, where they are listed (RM-10).
    pub fn users(&self) -> Option<impl Iterator<Item = WireText<'_>>> {
        Some(self.users.as_ref()?.names().map(|name| WireText::new(&**name)))
    }

    /// Takes the keys that are there; at most `left` names of users are kept.
    fn take(&mut self, told: &mut RoomTold, left: usize) {
        fn put<T>(to: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *to = value;
            }
        }
        put(&mut self.owner, told.owner.as_ref().map(|owner| owner.as_ref().map(short)));
        put(&mut self.level, told.level);
        put(&mut self.topic, told.topic.as_ref().map(short));
        put(&mut self.description, told.description.as_ref().map(short));
        put(&mut self.limit, told.limit);
        self.length = told.length.or(self.length);
        put(&mut self.talk, told.talk);
        put(&mut self.slow, told.slow);
        self.keep = told.keep.or(self.keep);
        self.show = told.show.or(self.show);
        put(&mut self.last, told.last);
        put(&mut self.floor, told.floor);
        self.gap = told.gap;
        if let Some(staff) = &told.staff {
            self.staff = staff.iter().take(STAFF_KEPT).cloned().collect();
        }
        if let Some(flags) = &told.flags {
            self.flags = flags.iter().take(FLAGS_KEPT).map(short).collect();
        }
        if let Some(users) = told.users.take() {
            let mut roster = Roster::default();
            users.iter().take(left).for_each(|user| {
                roster.add(user.as_wire());
            });
            self.count = 0;
            self.users = Some(roster);
        }
        if told.roster == Some(false) {
            self.users = None;
        }
        put(&mut self.count, told.count);
    }
}

fn short(text: &WireText<'static>) -> WireText<'static> {
    WireText::new(first_bytes(text.as_wire(), TEXT_KEPT).to_owned())
}

/// What an object of `ROOMS` has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// This user is a member of it from now on.
    Joined,
    /// Something of it has changed.
    Changed,
    /// It is none that could be kept.
    Nothing,
}

/// The rooms of one user.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    each: Vec<(LookupKey, Room)>,
    pub(super) lobby: Room,
    /// The room that the user has set as default, or `ALL`.
    pub(super) default: Option<WireText<'static>>,
}

/// What the names of one room have in common; `None` for what can be no room.
pub(super) fn key(name: &str) -> Option<LookupKey> {
    RoomName::is_meant(name).then(|| LookupKey::of(name, 1 + limits::ROOM_NAME_CHARS)).flatten()
}

impl Rooms {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.each.iter().map(|(_, room)| room)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Room> {
        let key = key(name)?;
        self.each.iter().find(|(known, _)| *known == key).map(|(_, room)| room)
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.iter().any(|room| room.number == number)
    }

    /// How many names of users may still be kept, of all rooms together.
    fn left(&self) -> usize {
        let users = self.iter().filter_map(|room| room.users.as_ref()).map(Roster::len);
        USERS_KEPT.saturating_sub(users.sum())
    }

    /// Takes one object. A whole one and one with what has changed are taken alike: the first has every key (RM-6, RM-11).
    pub(super) fn take(&mut self, told: &mut RoomTold) -> Taken {
        let left = self.left();
        let Some(number) = told.number.filter(|_| told.room.as_wire() != ALL) else {
            self.lobby.take(told, 0);
            return Taken::Changed;
        };
        let Some(key) = key(told.room.as_wire()) else { return Taken::Nothing };
        let known = self.each.iter_mut().find(|(known, _)| *known == key);
        if let Some((_, room)) = known
            && room.number == number
        {
            // The names that are replaced make room for others.
            let own = room.users.as_ref().map_or(0, Roster::len);
            room.take(told, left + own);
            return Taken::Changed;
        }
        // Another room has the name now: nothing of the one before belongs to it.
        self.each.retain(|(known, _)| *known != key);
        if self.each.len() >= ROOMS_KEPT {
            return Taken::Nothing;
        }
        let mut room = Room { name: told.room.clone(), number, ..Room::default() };
        room.take(told, left);
        self.each.push((key, room));
        Taken::Joined
    }

    /// Forgets a room.
    pub(super) fn remove(&mut self, name: &str, number: Option<u64>) {
        let Some(key) = key(name) else { return };
        let is = |known: &LookupKey, room: &Room| {
            *known == key && number.is_none_or(|number| room.number == number)
        };
        self.each.retain(|(known, room)| !is(known, room));
    }

    /// Notes new members of a room that lists them; gives those that were none before.
    pub(super) fn came(
        &mut self,
        room: &str,
        users: Vec<WireText<'static>>,
    ) -> Vec<WireText<'static>> {
        let mut left = self.left();
        let Some(roster) = self.roster(room) else { return Vec::new() };
        let mut news = |user: &WireText<'static>| {
            let new = left > 0 && roster.add(user.as_wire());
            left -= usize::from(new);
            new
        };
        users.into_iter().filter(|user| news(user)).collect()
    }

    /// Notes that members are none any more; gives those that were.
    pub(super) fn went(
        &mut self,
        room: &str,
        users: Vec<WireText<'static>>,
    ) -> Vec<WireText<'static>> {
        let Some(roster) = self.roster(room) else { return Vec::new() };
        users.into_iter().filter(|user| roster.remove(user.as_wire())).collect()
    }

    /// A user has another name, in every room (RM-8).
    pub(super) fn renamed(&mut self, old: &WireText<'_>, new: &WireText<'static>) {
        for (_, room) in &mut self.each {
            if let Some(users) = room.users.as_mut().filter(|users| users.has(old.as_wire())) {
                users.rename(old.as_wire(), new.as_wire());
            }
            for (name, _) in room.staff.iter_mut().filter(|(name, _)| name == old) {
                new.clone_into(name);
            }
        }
    }

    fn roster(&mut self, room: &str) -> Option<&mut Roster> {
        let key = key(room)?;
        let known = self.each.iter_mut().find(|(known, _)| *known == key);
        let room = known.map(|(_, room)| room)?;
        let users = room.users.as_mut()?;
        // The names are the count from now on.
        room.count = 0;
        Some(users)
    }
}
