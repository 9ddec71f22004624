//! One room as the replicated state has it: its definition, its members, who has a level in it and who was invited.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::ids::MemberId;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomDefinition, RoomMember};

/// Above so many members a room has no roster (RM-10) ...
const LARGE: usize = 500;
/// ... until it has fewer than this.
const SMALL: usize = 250;

/// An account as a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) account: AccountRef,
    /// The greatest number of the log when it became one.
    pub(crate) since: Sequence,
    /// Members that joined before have lower ones.
    order: u64,
}

/// An invitation that counts (RM-13).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) by: String,
    /// In seconds since 1970 UTC.
    pub(crate) until: i64,
}

/// Somebody, as the key of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Who {
    Account(i64),
    Guest(MemberId),
}

impl From<&RoomMember> for Who {
    fn from(member: &RoomMember) -> Self {
        match member {
            RoomMember::Account(account) => Self::Account(account.id),
            RoomMember::Guest(member) => Self::Guest(*member),
        }
    }
}

/// One room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Room {
    pub(crate) definition: Arc<RoomDefinition>,
    /// The settings that the configuration names, which commands don't change: a bit for each (RM-16).
    pub(crate) fixed: u16,
    /// The site of whoever has made it while the server runs.
    pub(crate) made_from: Option<IpAddr>,
    accounts: BTreeMap<i64, Seat>,
    guests: BTreeMap<MemberId, Sequence>,
    levels: BTreeMap<i64, (AccountRef, Level)>,
    /// Accounts that were members and do not become that by themselves again.
    out: BTreeSet<i64>,
    invitations: BTreeMap<Who, (RoomMember, Invitation)>,
    /// The members that have joined so far.
    joined: u64,
    /// Whether it has too many members for a roster.
    is_large: bool,
    /// The number of the newest message (LAST).
    pub(crate) last: Sequence,
}

impl Room {
    pub(crate) fn new(definition: Arc<RoomDefinition>) -> Self {
        Self {
            definition,
            fixed: 0,
            made_from: None,
            accounts: BTreeMap::new(),
            guests: BTreeMap::new(),
            levels: BTreeMap::new(),
            out: BTreeSet::new(),
            invitations: BTreeMap::new(),
            joined: 0,
            is_large: false,
            last: 0,
        }
    }

    /// How many are members (COUNT).
    pub(crate) fn count(&self) -> usize {
        self.accounts.len() + self.guests.len()
    }

    /// How many members count for LIMIT: owner and level 4 do not (RM-12).
    pub(crate) fn counted(&self) -> usize {
        let above = self.accounts.keys().filter(|id| self.level_of(**id) >= Level::OPERATOR);
        self.count() - above.count()
    }

    /// Whether members are listed (ROSTER).
    pub(crate) fn has_roster(&self) -> bool {
        self.definition.settings.roster && !self.is_large
    }

    pub(crate) fn has(&self, who: Who) -> bool {
        self.since(who).is_some()
    }

    /// Since which number somebody is a member, if they are.
    pub(crate) fn since(&self, who: Who) -> Option<Sequence> {
        match who {
            Who::Account(id) => self.accounts.get(&id).map(|seat| seat.since),
            Who::Guest(member) => self.guests.get(&member).copied(),
        }
    }

    /// The accounts that are members.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &AccountRef> {
        self.accounts.values().map(|seat| &seat.account)
    }

    /// The guests that are members.
    pub(crate) fn guests(&self) -> impl Iterator<Item = MemberId> {
        self.guests.keys().copied()
    }

    /// The level of an account that is of this room alone (RL-1).
    pub(crate) fn level_of(&self, account: i64) -> Level {
        if self.definition.owner.as_ref().is_some_and(|owner| owner.id == account) {
            return Level::OPERATOR;
        }
        self.levels.get(&account).map_or(Level::GUEST, |(_, level)| *level)
    }

    /// The invitation of somebody that counts at this time.
    pub(crate) fn invitation(&self, who: Who, now: i64) -> Option<&Invitation> {
        let invitation = self.invitations.get(&who).map(|(_, invitation)| invitation);
        invitation.filter(|invitation| now < invitation.until)
    }

    /// All invitations that count at this time.
    pub(crate) fn all_invitations(
        &self,
        now: i64,
    ) -> impl Iterator<Item = (&RoomMember, &Invitation)> {
        let all = self.invitations.values().map(|(who, invitation)| (who, invitation));
        all.filter(move |(_, invitation)| now < invitation.until)
    }

    /// Whether an account was a member before, and left.
    pub(crate) fn was_left_by(&self, account: i64) -> bool {
        self.out.contains(&account)
    }

    pub(crate) fn enter(&mut self, who: &RoomMember, since: Sequence) {
        match who {
            RoomMember::Account(account) => {
                self.out.remove(&account.id);
                let (account, order) = (account.clone(), self.joined);
                self.accounts.insert(account.id, Seat { account, since, order });
            }
            RoomMember::Guest(member) => {
                self.guests.insert(*member, since);
            }
        }
        self.joined += 1;
        self.is_large |= self.count() > LARGE;
    }

    pub(crate) fn leave(&mut self, who: Who, stays_out: bool) {
        match who {
            Who::Account(id) => {
                self.accounts.remove(&id);
                if stays_out {
                    self.out.insert(id);
                }
            }
            Who::Guest(member) => {
                self.guests.remove(&member);
                self.invitations.remove(&who);
            }
        }
        self.is_large &= self.count() >= SMALL;
    }

    pub(crate) fn set_level(&mut self, account: AccountRef, level: Level) {
        if level > Level::GUEST {
            self.levels.insert(account.id, (account, level));
        } else {
            self.levels.remove(&account.id);
        }
    }

    pub(crate) fn invite(&mut self, who: RoomMember, invitation: Invitation) {
        self.invitations.insert(Who::from(&who), (who, invitation));
    }

    pub(crate) fn uninvite(&mut self, who: Who) {
        self.invitations.remove(&who);
    }

    /// Forgets the invitations that are over, and those of guests who are not here, so that they take no memory.
    pub(crate) fn forget_invitations(&mut self, now: i64, is_here: impl Fn(MemberId) -> bool) {
        self.invitations.retain(|who, (_, invitation)| {
            let can_come = match who {
                Who::Account(_) => true,
                Who::Guest(member) => is_here(*member),
            };
            can_come && now < invitation.until
        });
    }

    /// Forgets an account that is removed. Its room goes to the longest member of level 4, or to nobody (RL-3); says whether it
    /// was the owner.
    pub(crate) fn forget_account(&mut self, account: i64) -> bool {
        self.leave(Who::Account(account), false);
        self.out.remove(&account);
        self.levels.remove(&account);
        self.invitations.remove(&Who::Account(account));
        let owned = self.definition.owner.as_ref().is_some_and(|owner| owner.id == account);
        if owned {
            let heirs = self.accounts.values().filter(|seat| {
                let level = self.levels.get(&seat.account.id);
                level.is_some_and(|(_, level)| *level >= Level::OPERATOR)
            });
            let heir = heirs.min_by_key(|seat| seat.order).map(|seat| seat.account.clone());
            Arc::make_mut(&mut self.definition).owner = heir;
        }
        owned
    }
}

impl Room {
    /// The accounts that are members, in the order in which they joined, and since when.
    pub(crate) fn in_order(&self) -> Vec<(&AccountRef, Sequence)> {
        let mut seats: Vec<_> = self.accounts.values().collect();
        seats.sort_unstable_by_key(|seat| seat.order);
        seats.into_iter().map(|seat| (&seat.account, seat.since)).collect()
    }

    /// The accounts that have a level in it.
    pub(crate) fn levels(&self) -> Vec<&(AccountRef, Level)> {
        self.levels.values().collect()
    }

    /// The accounts that do not become members by themselves any more.
    pub(crate) fn left_by(&self) -> Vec<i64> {
        self.out.iter().copied().collect()
    }

    #[cfg(test)]
    /// The invitations that take memory, those counted that are over.
    pub(crate) fn kept_invitations(&self) -> usize {
        self.invitations.len()
    }
}

impl Digest for Who {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Account(id) => to.add(&0_u8).add(id),
            Self::Guest(member) => to.add(&1_u8).add(member),
        };
    }
}

impl Digest for RoomMember {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Account(account) => to.add(&0_u8).add(account),
            Self::Guest(member) => to.add(&1_u8).add(member),
        };
    }
}

impl Digest for Seat {
    fn digest(&self, to: &mut Digester) {
        let Self { account, since, order } = self;
        to.add(account).add(since).add(order);
    }
}

impl Digest for Invitation {
    fn digest(&self, to: &mut Digester) {
        let Self { by, until } = self;
        to.add(by).add(until);
    }
}

impl Digest for Room {
    fn digest(&self, to: &mut Digester) {
        let Self {
            definition,
            fixed,
            made_from,
            accounts,
            guests,
            levels,
            out,
            invitations,
            joined,
            is_large,
            last,
        } = self;
        to.add(definition)
            .add(&u64::from(*fixed))
            .add(made_from)
            .add(accounts)
            .add(guests)
            .add(levels)
            .add(out);
        to.add(invitations).add(joined).add(is_large).add(last);
    }
}
