//! Rooms in memory: the facts of the log, put together.

use std::collections::BTreeMap;

use chatterbox_hub::{
    AccountRef, Level, RoomDefinition, RoomMember, RoomNumber, RoomRecord, Sequence,
};

/// An account in a room.
type Place = (RoomNumber, i64);

/// All that is so of rooms.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    defined: BTreeMap<RoomNumber, RoomDefinition>,
    members: BTreeMap<Place, Member>,
    /// How many members have ever joined.
    joined: u64,
    /// Who has left, and does not come back by itself.
    out: BTreeMap<Place, AccountRef>,
    levels: BTreeMap<Place, (AccountRef, Level)>,
    invitations: BTreeMap<Place, Invitation>,
    defaults: BTreeMap<i64, RoomNumber>,
}

#[derive(Debug)]
struct Member {
    account: AccountRef,
    since: Sequence,
    /// Members that joined before have lower ones.
    order: u64,
}

#[derive(Debug)]
struct Invitation {
    account: AccountRef,
    by: String,
    until: i64,
}

impl Rooms {
    /// Makes a fact true. What concerns guests, or a room that is not there, is passed over.
    pub(super) fn apply(&mut self, record: &RoomRecord) {
        match record {
            RoomRecord::Defined(definition) => {
                self.defined.insert(definition.number, (**definition).clone());
            }
            RoomRecord::Deleted(number) => self.delete(*number),
            RoomRecord::Entered { room, who: RoomMember::Account(account), since } => {
                if self.defined.contains_key(room) {
                    self.joined += 1;
                    let (account, since, order) = (account.clone(), *since, self.joined);
                    let place = (*room, account.id);
                    self.out.remove(&place);
                    self.members.insert(place, Member { account, since, order });
                }
            }
            RoomRecord::Left { room, who: RoomMember::Account(account), stays_out } => {
                let place = (*room, account.id);
                self.members.remove(&place);
                if *stays_out && self.defined.contains_key(room) {
                    self.out.insert(place, account.clone());
                }
                if self.defaults.get(&account.id) == Some(room) {
                    self.defaults.remove(&account.id);
                }
            }
            RoomRecord::LevelSet { room, account, level } => {
                let place = (*room, account.id);
                self.levels.remove(&place);
                if *level > Level::GUEST && self.defined.contains_key(room) {
                    self.levels.insert(place, (account.clone(), *level));
                }
            }
            RoomRecord::Invited { room, who: RoomMember::Account(account), by, until } => {
                if self.defined.contains_key(room) {
                    let (account, by) = (account.clone(), by.clone());
                    let place = (*room, account.id);
                    self.invitations.insert(place, Invitation { account, by, until: *until });
                }
            }
            RoomRecord::Uninvited { room, who: RoomMember::Account(account) } => {
                self.invitations.remove(&(*room, account.id));
            }
            RoomRecord::DefaultSet { account, room } => {
                self.defaults.remove(account);
                let room = room.filter(|room| *room != RoomNumber::LOBBY);
                if let Some(room) = room.filter(|room| self.defined.contains_key(room)) {
                    self.defaults.insert(*account, room);
                }
            }
            RoomRecord::Entered { .. }
            | RoomRecord::Left { .. }
            | RoomRecord::Invited { .. }
            | RoomRecord::Uninvited { .. } => {}
        }
    }

    fn delete(&mut self, number: RoomNumber) {
        self.defined.remove(&number);
        self.members.retain(|(room, _), _| *room != number);
        self.out.retain(|(room, _), _| *room != number);
        self.levels.retain(|(room, _), _| *room != number);
        self.invitations.retain(|(room, _), _| *room != number);
        self.defaults.retain(|_, room| *room != number);
    }

    /// Forgets an account that is removed. Its rooms go to the longest member of level 4 there, or to nobody (RL-3).
    pub(super) fn forget_account(&mut self, account: i64) {
        self.members.retain(|(_, id), _| *id != account);
        self.out.retain(|(_, id), _| *id != account);
        self.levels.retain(|(_, id), _| *id != account);
        self.invitations.retain(|(_, id), _| *id != account);
        self.defaults.remove(&account);
        for (number, room) in &mut self.defined {
            if room.owner.as_ref().is_none_or(|owner| owner.id != account) {
                continue;
            }
            let members = self.members.range((*number, i64::MIN)..=(*number, i64::MAX));
            let heirs = members.filter(|(place, _)| {
                self.levels.get(place).is_some_and(|(_, level)| *level >= Level::OPERATOR)
            });
            let heir = heirs.min_by_key(|(_, member)| member.order);
            room.owner = heir.map(|(_, member)| member.account.clone());
        }
    }

    /// Nothing up to this number is shown of the lobby any more.
    pub(super) fn floor_of_lobby(&self) -> Sequence {
        self.defined.get(&RoomNumber::LOBBY).map_or(0, |lobby| lobby.floor)
    }

    /// All of it as facts, without the invitations that are over.
    pub(super) fn records(&self, now: i64) -> Vec<RoomRecord> {
        let who = |account: &AccountRef| RoomMember::Account(account.clone());
        let defined = self.defined.values().map(|room| RoomRecord::Defined(Box::new(room.clone())));
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_unstable_by_key(|(_, member)| member.order);
        let members = members.into_iter().map(|((room, _), member)| RoomRecord::Entered {
            room: *room,
            who: who(&member.account),
            since: member.since,
        });
        let out = self.out.iter().map(|((room, _), account)| RoomRecord::Left {
            room: *room,
            who: who(account),
            stays_out: true,
        });
        let levels = self.levels.iter().map(|((room, _), (account, level))| RoomRecord::LevelSet {
            room: *room,
            account: account.clone(),
            level: *level,
        });
        let invitations = self.invitations.iter().filter(|(_, found)| now < found.until);
        let invitations = invitations.map(|((room, _), found)| RoomRecord::Invited {
            room: *room,
            who: who(&found.account),
            by: found.by.clone(),
            until: found.until,
        });
        let defaults = self
            .defaults
            .iter()
            .map(|(account, room)| RoomRecord::DefaultSet { account: *account, room: Some(*room) });
        let rest = out.chain(levels).chain(invitations).chain(defaults);
        defined.chain(members).chain(rest).collect()
    }
}
