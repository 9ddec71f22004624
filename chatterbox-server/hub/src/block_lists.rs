//! Block lists, and what follows from them for one member: pure rules about pairs.
//!
//! A block holds in both directions, and follows a user from the account to a nick and back. Two kinds of user lose
//! nothing by being blocked: base clients, to whom a public message has to go (RT-1), and staff, from whom nobody hides.

use std::collections::{BTreeMap, HashSet};

use chatterbox_proto::{PlainName, PlainNameRef, Username};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Digester};
use crate::identity::Identity;
use crate::permission::{Permission, Target, authorise};

/// Of the accounts that block somebody, so many count; the others are heard. They are looked at under the hub's lock.
pub const BLOCKERS: usize = 1000;

/// Whom a member blocks, and which accounts block it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockLists {
    /// Whom it blocks, in the order in which it did.
    blocked: Vec<Username>,
    /// The same names, for looking one up.
    lookup: HashSet<Username>,
    /// The accounts that block it, those of users who are not here included: number and name.
    blocked_by: BTreeMap<i64, Username>,
}

impl BlockLists {
    /// The lists of somebody who blocks `blocked` and is blocked by these accounts.
    pub fn new(
        blocked: Vec<Username>,
        blocked_by: impl IntoIterator<Item = (i64, Username)>,
    ) -> Self {
        let lookup = blocked.iter().cloned().collect();
        Self { blocked, lookup, blocked_by: blocked_by.into_iter().take(BLOCKERS).collect() }
    }

    /// Whether both are empty.
    pub fn is_empty(&self) -> bool {
        self.blocked.is_empty() && self.blocked_by.is_empty()
    }

    /// Whom the member blocks, in the order in which it did.
    pub fn blocked(&self) -> &[Username] {
        &self.blocked
    }

    /// Whether a name is on the member's own list.
    pub fn has(&self, name: &Username) -> bool {
        self.lookup.contains(name)
    }

    /// Replaces the member's own list, and gives the names that came or went.
    pub(crate) fn set_blocked(&mut self, blocked: Vec<Username>) -> Vec<Username> {
        let lookup: HashSet<Username> = blocked.iter().cloned().collect();
        // In the order of the lists: where only some of the members that have these names are looked at, it is the same
        // ones everywhere.
        let gone = self.blocked.iter().filter(|name| !lookup.contains(*name));
        let new = blocked.iter().filter(|name| !self.lookup.contains(*name));
        let changed = gone.chain(new).cloned().collect();
        self.lookup = lookup;
        self.blocked = blocked;
        changed
    }

    /// Adds an account that blocks the member; says whether it counts.
    pub(crate) fn add_blocker(&mut self, account: i64, name: Username) -> bool {
        let counts = self.blocked_by.len() < BLOCKERS || self.blocked_by.contains_key(&account);
        if counts {
            self.blocked_by.insert(account, name);
        }
        counts
    }

    /// Removes an account that no longer blocks the member.
    pub(crate) fn remove_blocker(&mut self, account: i64) {
        self.blocked_by.remove(&account);
    }

    /// The accounts that block the member: number and name.
    pub(crate) fn blocked_by(&self) -> &BTreeMap<i64, Username> {
        &self.blocked_by
    }

    /// Whether the member blocks somebody, under whatever name that one is known.
    pub(crate) fn blocks(&self, other: &Identity) -> bool {
        !self.lookup.is_empty() && other.names().any(|name| self.lookup.contains(name))
    }

    /// Whether the account of somebody is known to block the member.
    fn is_blocked_by_account(&self, other: &Identity) -> bool {
        other
            .login
            .as_ref()
            .is_some_and(|login| self.blocked_by.contains_key(&login.account_key.id))
    }
}

/// Lists are written as the names that are blocked, and who blocks.
impl Serialize for BlockLists {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let blocked: Vec<_> = self.blocked.iter().map(PlainNameRef).collect();
        let by = self.blocked_by.iter().map(|(account, name)| (account, PlainNameRef(name)));
        (blocked, by.collect::<Vec<_>>()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for BlockLists {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (blocked, by) = <(Vec<PlainName>, Vec<(i64, PlainName)>)>::deserialize(from)?;
        let blocked = blocked.into_iter().map(|PlainName(name)| name).collect();
        Ok(Self::new(blocked, by.into_iter().map(|(account, PlainName(name))| (account, name))))
    }
}

impl Digest for BlockLists {
    fn digest(&self, to: &mut Digester) {
        let Self { blocked, lookup, blocked_by } = self;
        to.add(blocked).add(lookup).add(blocked_by);
    }
}

/// What block lists mean for one member: names, because messages of the past have nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockFilter {
    /// Whose messages the member is not shown.
    pub hidden: HashSet<Username>,
    /// The part of these that it blocks itself: those who block it are heard by the staff of a room, there.
    pub ignored: HashSet<Username>,
    /// With whom it exchanges no private messages, in either direction.
    pub refused: HashSet<Username>,
}

impl BlockFilter {
    /// Whether nobody is filtered.
    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty() && self.refused.is_empty()
    }
}

/// Collects the filter of one member from those who are here, one by one.
pub(crate) struct FilterBuilder<'a> {
    me: &'a Identity,
    lists: &'a BlockLists,
    mine: HashSet<Username>,
    theirs: HashSet<Username>,
}

impl<'a> FilterBuilder<'a> {
    /// The filter of a member who is alone.
    pub(crate) fn new(me: &'a Identity, lists: &'a BlockLists) -> Self {
        let theirs = lists.blocked_by.values().cloned().collect();
        Self { me, lists, mine: lists.lookup.clone(), theirs }
    }

    /// Takes somebody who is here into account.
    pub(crate) fn consider(&mut self, other: &Identity, lists: &BlockLists) {
        if self.lists.blocks(other) {
            self.mine.extend(other.names().cloned());
        }
        if self.lists.is_blocked_by_account(other) || lists.blocks(self.me) {
            self.theirs.extend(other.names().cloned());
        }
    }

    /// The filter that holds.
    pub(crate) fn build(self) -> BlockFilter {
        let Self { me, mut mine, mut theirs, .. } = self;
        // Nobody hides from themselves, whatever name they took.
        for name in me.names() {
            mine.remove(name);
            theirs.remove(name);
        }
        let refused = mine.union(&theirs).cloned().collect();
        let ignored = mine.clone();
        let hears_blockers = authorise(me.actor(), Permission::HearBlockers, Target::Oneself);
        if !me.is_base() && hears_blockers.is_err() {
            mine.extend(theirs);
        }
        BlockFilter { hidden: mine, ignored, refused }
    }
}
