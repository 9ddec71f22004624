//! All rooms, and who is a member of which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chatterbox_proto::RoomName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Digester};
use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::record::Sequence;
use crate::replica::look_counts::LookCounts;
use crate::replica::rooms::definition::{RoomDefinition, RoomMember, RoomSettings};
use crate::replica::rooms::departures::Departures;
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::{Invitation, Room, Who};

/// The rooms of one user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct OwnRooms {
    pub(crate) rooms: BTreeSet<RoomNumber>,
    /// Where they begin, if that is not the lobby (RM-5).
    pub(crate) default: Option<RoomNumber>,
}

/// All rooms beside the lobby, and what the lobby has of one.
#[derive(Debug, Clone)]
pub(crate) struct RoomTable {
    lobby: Arc<RoomDefinition>,
    rooms: BTreeMap<RoomNumber, Room>,
    by_key: HashMap<String, RoomNumber>,
    /// How many rooms have this look-alike key.
    looks: LookCounts,
    users: BTreeMap<Who, OwnRooms>,
    pub(crate) departures: Departures,
}

impl Default for RoomTable {
    fn default() -> Self {
        let lobby = RoomDefinition {
            number: RoomNumber::LOBBY,
            name: RoomName::stored("ALL"),
            owner: None,
            settings: RoomSettings::default(),
            configured: false,
            auto: false,
            floor: 0,
        };
        Self {
            lobby: Arc::new(lobby),
            rooms: BTreeMap::new(),
            by_key: HashMap::new(),
            looks: LookCounts::default(),
            users: BTreeMap::new(),
            departures: Departures::default(),
        }
    }
}

impl RoomTable {
    /// What the lobby has of a room.
    pub(crate) fn lobby(&self) -> &Arc<RoomDefinition> {
        &self.lobby
    }

    pub(crate) fn get(&self, number: RoomNumber) -> Option<&Room> {
        self.rooms.get(&number)
    }

    pub(crate) fn get_mut(&mut self, number: RoomNumber) -> Option<&mut Room> {
        self.rooms.get_mut(&number)
    }

    /// The room of a name.
    pub(crate) fn named(&self, key: &str) -> Option<&Room> {
        self.get(*self.by_key.get(key)?)
    }

    /// All rooms, in the order in which they were made.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (RoomNumber, &Room)> {
        self.rooms.iter().map(|(number, room)| (*number, room))
    }

    /// How many rooms there are.
    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether a new room of this name could be taken for another one (RM-1).
    pub(crate) fn looks_taken(&self, name: &RoomName) -> bool {
        !name.is_ascii() && self.looks.has_any(name.looks())
    }

    /// The rooms of which somebody is a member.
    pub(crate) fn rooms_of(&self, who: Who) -> impl Iterator<Item = (RoomNumber, &Room)> {
        let own = self.users.get(&who).into_iter().flat_map(|own| &own.rooms);
        own.filter_map(|number| Some((*number, self.get(*number)?)))
    }

    /// Of how many rooms somebody is a member.
    pub(crate) fn count_of(&self, who: Who) -> usize {
        self.users.get(&who).map_or(0, |own| own.rooms.len())
    }

    /// Where somebody begins; nothing is the lobby.
    pub(crate) fn default_of(&self, who: Who) -> Option<&Room> {
        self.get(self.users.get(&who)?.default?)
    }

    /// All users who are in rooms, or begin in one.
    pub(super) fn users(&self) -> impl Iterator<Item = (Who, &OwnRooms)> {
        self.users.iter().map(|(who, own)| (*who, own))
    }

    /// Notes that something was said in a room.
    pub(crate) fn said(&mut self, number: RoomNumber, id: Sequence) {
        if let Some(room) = self.get_mut(number) {
            room.last = room.last.max(id);
        }
    }

    /// Makes a fact true.
    pub(crate) fn apply(&mut self, record: &RoomRecord) {
        match record {
            RoomRecord::Defined(definition) if definition.number == RoomNumber::LOBBY => {
                self.lobby = Arc::new((**definition).clone());
            }
            RoomRecord::Defined(definition) => self.define(Arc::new((**definition).clone())),
            RoomRecord::Deleted(number) => self.delete(*number),
            RoomRecord::Entered { room, who, since } => {
                if let Some(found) = self.rooms.get_mut(room) {
                    found.enter(who, *since);
                    self.users.entry(who.into()).or_default().rooms.insert(*room);
                }
            }
            RoomRecord::Left { room, who, stays_out } => {
                if let Some(found) = self.rooms.get_mut(room) {
                    found.leave(who.into(), *stays_out);
                }
                self.forget_membership(who.into(), *room);
            }
            RoomRecord::LevelSet { room, account, level } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.set_level(account.clone(), *level);
                }
            }
            RoomRecord::Invited { room, who, by, until } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.invite(who.clone(), Invitation { by: by.clone(), until: *until });
                }
            }
            RoomRecord::Uninvited { room, who } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.uninvite(who.into());
                }
            }
            RoomRecord::DefaultSet { account, room } => {
                self.set_default(Who::Account(*account), *room);
            }
        }
    }

    /// Sets where somebody begins.
    pub(crate) fn set_default(&mut self, who: Who, room: Option<RoomNumber>) {
        self.users.entry(who).or_default().default = room;
        self.forget_user_without_rooms(who);
    }

    fn define(&mut self, definition: Arc<RoomDefinition>) {
        if let Some(room) = self.rooms.get_mut(&definition.number) {
            // A room keeps its name for good.
            room.definition = definition;
            return;
        }
        self.index(&definition.name, definition.number);
        self.rooms.insert(definition.number, Room::new(definition));
    }

    /// Makes a room be found by its name.
    fn index(&mut self, name: &RoomName, number: RoomNumber) {
        self.by_key.insert(name.key().to_owned(), number);
        self.looks.add(name.looks());
    }

    fn delete(&mut self, number: RoomNumber) {
        let Some(room) = self.rooms.remove(&number) else { return };
        let name = &room.definition.name;
        self.by_key.remove(name.key());
        self.looks.remove(name.looks());
        let accounts = room.accounts().map(|account| Who::Account(account.id));
        let members: Vec<_> = accounts.chain(room.guests().map(Who::Guest)).collect();
        for who in members {
            self.forget_membership(who, number);
        }
    }

    fn forget_membership(&mut self, who: Who, number: RoomNumber) {
        if let Some(own) = self.users.get_mut(&who) {
            own.rooms.remove(&number);
            own.default.take_if(|default| *default == number);
        }
        self.forget_user_without_rooms(who);
    }

    fn forget_user_without_rooms(&mut self, who: Who) {
        if let Some(own) = self.users.get(&who)
            && own.rooms.is_empty()
            && own.default.is_none()
        {
            self.users.remove(&who);
        }
    }

    /// Takes a guest out of all rooms, and gives these with the numbers since which they were members.
    pub(crate) fn take_guest(&mut self, member: MemberId) -> Vec<(RoomNumber, Sequence)> {
        let Some(own) = self.users.remove(&Who::Guest(member)) else { return Vec::new() };
        let mut taken = Vec::with_capacity(own.rooms.len());
        for number in own.rooms {
            if let Some(room) = self.rooms.get_mut(&number)
                && let Some(since) = room.since(Who::Guest(member))
            {
                room.leave(Who::Guest(member), false);
                taken.push((number, since));
            }
        }
        taken
    }

    /// Makes somebody a member of a room.
    pub(crate) fn enter(&mut self, room: RoomNumber, who: RoomMember, since: Sequence) {
        self.apply(&RoomRecord::Entered { room, who, since });
    }

    /// Forgets an account that is removed. Gives the rooms of which it was a member, and those that have another owner for it.
    pub(crate) fn forget_account(&mut self, account: i64) -> (Vec<RoomNumber>, Vec<RoomNumber>) {
        let was_in = self.users.remove(&Who::Account(account)).unwrap_or_default().rooms;
        let mut owned = Vec::new();
        for (number, room) in &mut self.rooms {
            if room.forget_account(account) {
                owned.push(*number);
            }
        }
        (was_in.into_iter().collect(), owned)
    }
}

/// Rooms are written without what they are found by.
impl Serialize for RoomTable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { lobby, rooms, by_key: _, looks: _, users, departures } = self;
        (lobby, rooms, users, departures).serialize(to)
    }
}

impl<'de> Deserialize<'de> for RoomTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (lobby, rooms, users, departures) = <(_, BTreeMap<_, Room>, _, _)>::deserialize(from)?;
        let mut read = Self { lobby, users, departures, ..Self::default() };
        for (number, room) in rooms {
            read.index(&room.definition.name, number);
            read.rooms.insert(number, room);
        }
        Ok(read)
    }
}

impl Digest for OwnRooms {
    fn digest(&self, to: &mut Digester) {
        let Self { rooms, default } = self;
        to.add(rooms).add(default);
    }
}

impl Digest for RoomTable {
    fn digest(&self, to: &mut Digester) {
        let Self { lobby, rooms, by_key, looks, users, departures } = self;
        to.add(lobby).add(rooms).add(by_key).add(looks).add(users).add(departures);
    }
}
