//! Rooms as data: their settings, their members, and what was said in them.

use std::collections::{BTreeMap, BTreeSet};

use conformance_kit::clock::Clock;
use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{super::state::Party, names};
use crate::{entry::Entry, faults::Faults};

/// The most memberships of one user.
pub(crate) const MOST_MEMBERSHIPS: usize = 50;
/// The longest TOPIC and DESCRIPTION, in characters.
pub(crate) const LONGEST_TOPIC: usize = 400;
/// The level of an owner.
pub(super) const OWNER: u8 = 4;
/// The level from which on members are STAFF, and blocks and slow mode don't count.
pub(super) const STAFF: u8 = 2;

/// All rooms but the lobby.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    pub(super) all: Vec<Room>,
    pub(super) last_number: u64,
    /// The room that a user has set with `default`.
    pub(super) defaults: BTreeMap<Party, u64>,
    /// Memberships that have ended, for sessions that are resumed.
    pub(super) lost: Vec<Lost>,
    /// Rooms that are no more, for a server that remembers them.
    pub(super) deleted: Vec<Room>,
}

/// A membership that has ended.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) party: Party,
    pub(super) number: u64,
    /// The newest id at that time.
    pub(super) at: u64,
    /// The element of `ROOMS_LEFT`.
    pub(super) told: Value,
}

#[derive(Debug, Default)]
pub(in super::super) struct Room {
    pub(super) number: u64,
    pub(in super::super) name: String,
    pub(super) owner: Option<String>,
    pub(super) topic: String,
    pub(super) description: String,
    pub(super) password: Option<String>,
    pub(super) hidden: bool,
    pub(super) closed: bool,
    pub(super) limit: usize,
    pub(super) talk: u8,
    pub(super) slow: u64,
    pub(super) length: usize,
    /// The number of messages that are kept; `None` for all of them.
    pub(super) keep: Option<usize>,
    pub(super) show_joined: bool,
    pub(super) roster: bool,
    pub(super) floor: u64,
    pub(super) last: u64,
    /// The newest id that is not kept.
    pub(super) dropped: u64,
    pub(super) members: Vec<Membership>,
    pub(super) invited: BTreeSet<Party>,
    pub(super) past: Vec<Entry>,
    /// When COUNT was told last, where members are not listed.
    pub(super) counted: Option<Clock>,
    /// Who was a member, for a server that does not forget it.
    pub(super) former: BTreeSet<Party>,
    /// A change that is told behind the next message, by a server that is late.
    pub(super) late: Option<Value>,
    /// How many messages there were, for a server that counts for each room.
    pub(super) said: u64,
    /// The newest id before somebody waited to be let in, for a server that looks it up too early.
    pub(super) stale: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) party: Party,
    /// The newest id of the room when it began.
    pub(super) since: u64,
    pub(super) level: u8,
    /// When the member wrote last.
    pub(super) spoke: Option<Clock>,
    /// The name of the joining, for a server that does not follow it.
    pub(super) name: String,
}

impl Rooms {
    /// The number of the room with a name.
    pub(in super::super) fn find(&self, name: &str, f: &Faults) -> Option<u64> {
        let exact = |room: &&Room| room.name == name || !f.acts(Fault::RoomCaseSensitive);
        let named = self.all.iter().filter(|room| names::same(&room.name, name));
        named.filter(exact).map(|room| room.number).next()
    }

    pub(in super::super) fn get(&self, number: u64) -> Option<&Room> {
        self.all.iter().find(|room| room.number == number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Room> {
        self.all.iter_mut().find(|room| room.number == number)
    }

    /// The rooms of which somebody is a member.
    pub(super) fn of<'a, 'p>(
        &'a self,
        party: &'p Party,
    ) -> impl Iterator<Item = &'a Room> + use<'a, 'p> {
        self.all.iter().filter(|room| room.has(party))
    }

    /// A message that somebody can read in a room.
    pub(in super::super) fn kept_for(&self, party: &Party, id: u64) -> Option<&Entry> {
        self.of(party).flat_map(|room| &room.past).find(|entry| entry.id == id)
    }

    /// What is kept of a room, for a member.
    pub(in super::super) fn past_for(&self, party: &Party, name: &str) -> Option<&[Entry]> {
        let room = self.of(party).find(|room| names::same(&room.name, name))?;
        Some(room.past.as_slice())
    }

    /// The names of the rooms of which somebody is a member.
    pub(in super::super) fn names_of(&self, party: &Party) -> Vec<String> {
        self.of(party).map(|room| room.name.clone()).collect()
    }

    /// Whose memberships these were, whose are they now.
    pub(super) fn hand_over(&mut self, from: &Party, to: &Party) {
        let all = self.all.iter_mut().flat_map(|room| &mut room.members);
        for membership in all.filter(|membership| membership.party == *from) {
            membership.party = to.clone();
        }
        if let Some(number) = self.defaults.remove(from) {
            self.defaults.insert(to.clone(), number);
        }
    }
}

impl Room {
    /// A new room as its maker finds it.
    pub(super) fn new(number: u64, name: &str, owner: &str, password: Option<&str>) -> Self {
        Self {
            number,
            name: name.to_owned(),
            owner: Some(owner.to_owned()),
            password: password.filter(|password| !password.is_empty()).map(str::to_owned),
            length: 4_000,
            roster: true,
            ..Self::default()
        }
    }

    pub(super) fn membership(&self, party: &Party) -> Option<&Membership> {
        self.members.iter().find(|membership| membership.party == *party)
    }

    pub(super) fn membership_mut(&mut self, party: &Party) -> Option<&mut Membership> {
        self.members.iter_mut().find(|membership| membership.party == *party)
    }

    pub(in super::super) fn was_member(&self, party: &Party) -> bool {
        self.former.contains(party)
    }

    pub(in super::super) fn has(&self, party: &Party) -> bool {
        self.membership(party).is_some()
    }

    /// Somebody's level in the room: the greater of the one of the server and the one of the room.
    pub(super) fn level_of(&self, party: &Party) -> u8 {
        let given = self.membership(party).map_or(0, |membership| membership.level);
        match party {
            Party::Account(name) if self.owner.as_ref() == Some(name) => OWNER,
            Party::Account(_) => given.max(1),
            Party::Guest(_) => given,
        }
    }

    /// Takes a message into what is kept.
    pub(super) fn keep_entry(&mut self, entry: Entry, f: &Faults) {
        self.last = entry.id;
        self.past.push(entry);
        self.trim(f);
    }

    /// Lets go of what is not to be kept.
    pub(super) fn trim(&mut self, f: &Faults) {
        let Some(keep) = self.keep else { return };
        if f.acts(Fault::RoomKeepIgnored) {
            return;
        }
        let excess = self.past.len().saturating_sub(keep);
        let gone = self.past.drain(..excess).map(|entry| entry.id).max();
        self.dropped = self.dropped.max(gone.unwrap_or_default());
    }

    /// The keys that are the same for all members, but for those about the members themselves.
    pub(super) fn shown(&self, f: &Faults) -> Map<String, Value> {
        let flags = [
            ("hidden", self.hidden),
            ("closed", self.closed),
            ("password", self.password.is_some()),
        ];
        let flags: Vec<&str> =
            flags.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag).collect();
        let keep = match self.keep {
            None => json!("all"),
            Some(0) => json!("off"),
            Some(count) => json!(count),
        };
        let last = match self.stale {
            Some(stale) if f.acts(Fault::RoomJoinGap) => stale,
            _ if f.acts(Fault::RoomLastWrong) => self.last + 1,
            _ => self.last,
        };
        let pairs = [
            ("ROOM", json!(self.name)),
            ("NUMBER", json!(self.number)),
            ("OWNER", json!(self.owner)),
            ("TOPIC", json!(self.topic)),
            ("DESCRIPTION", json!(self.description)),
            ("ROSTER", json!(self.roster)),
            ("LIMIT", json!(self.limit)),
            ("LENGTH", json!(self.length)),
            ("TALK", json!(self.talk)),
            ("SLOW", json!(self.slow)),
            ("KEEP", keep),
            ("SHOW", json!(if self.show_joined { "joined" } else { "all" })),
            ("FLAGS", json!(flags)),
            ("LAST", json!(last)),
            ("FLOOR", json!(self.floor)),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
