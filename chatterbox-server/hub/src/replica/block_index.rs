//! Which members block lists connect: an index on the identities and lists of those who are here.
//!
//! Whoever joins, leaves, changes name, account or list concerns only the members that a list connects with them. The
//! index finds these by looking names up, so a change costs as much as there are such pairs and never a walk over
//! everybody.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use chatterbox_proto::Username;

use crate::block_lists::BlockLists;
use crate::digest::{Digest, Digester};
use crate::identity::Identity;
use crate::ids::MemberId;
use crate::replica::roster::Roster;

/// Of the members that block one name, and of the connections of one account, those count that have been here longest. The
/// others hide the name all the same, and nothing private passes between them; what is given up is that a block follows
/// to another name, and that the one who is blocked does not hear them.
pub(crate) const COUNTED: usize = 256;

/// So many members are connected with one by block lists, whatever these say.
pub(crate) const RELATED: usize = 1024;

/// The index. What a member's identity or lists put into it is taken out with the same identity and lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockIndex {
    /// The connections that are logged in with an account of this name.
    logged_in: HashMap<Username, BTreeSet<MemberId>>,
    /// The members that have a name on their list.
    blockers: HashMap<Username, BTreeSet<MemberId>>,
    /// The members that the account of this number blocks.
    blocked_by: HashMap<i64, BTreeSet<MemberId>>,
}

impl BlockIndex {
    /// Puts a member in.
    pub(crate) fn insert(&mut self, id: MemberId, identity: &Identity, lists: Option<&BlockLists>) {
        if let Some(account) = identity.account() {
            add(&mut self.logged_in, account, id);
        }
        for name in lists.into_iter().flat_map(BlockLists::blocked) {
            add(&mut self.blockers, name, id);
        }
        for account in lists.into_iter().flat_map(|lists| lists.blocked_by().keys()) {
            add(&mut self.blocked_by, account, id);
        }
    }

    /// Takes a member out.
    pub(crate) fn remove(&mut self, id: MemberId, identity: &Identity, lists: Option<&BlockLists>) {
        if let Some(account) = identity.account() {
            take(&mut self.logged_in, account, id);
        }
        for name in lists.into_iter().flat_map(BlockLists::blocked) {
            take(&mut self.blockers, name, id);
        }
        for account in lists.into_iter().flat_map(|lists| lists.blocked_by().keys()) {
            take(&mut self.blocked_by, account, id);
        }
    }

    /// Replaces the account of a member; its lists stay.
    pub(crate) fn change_account(&mut self, id: MemberId, old: &Identity, new: &Identity) {
        self.remove(id, old, None);
        self.insert(id, new, None);
    }

    /// Notes whether a member has a name on its list.
    pub(crate) fn set_blocks(&mut self, id: MemberId, name: &Username, blocks: bool) {
        let change = if blocks { add } else { take };
        change(&mut self.blockers, name, id);
    }

    /// Notes whether an account blocks a member.
    pub(crate) fn set_blocked_by(&mut self, id: MemberId, account: i64, blocked: bool) {
        let change = if blocked { add } else { take };
        change(&mut self.blocked_by, &account, id);
    }

    /// The connections that are logged in with an account of this name.
    pub(crate) fn logged_in(&self, account: &Username) -> impl Iterator<Item = MemberId> + '_ {
        self.logged_in.get(account).into_iter().flatten().copied()
    }

    /// The members that are here under one of these names, or logged in with an account of it.
    pub(crate) fn named<'a>(
        &self,
        roster: &Roster,
        names: impl IntoIterator<Item = &'a Username>,
    ) -> BTreeSet<MemberId> {
        let mut found = BTreeSet::new();
        for name in names {
            found.extend(roster.who(name));
            found.extend(self.logged_in(name).take(COUNTED));
            if found.len() >= RELATED {
                break;
            }
        }
        found
    }

    /// The members that a block list connects with this one, in whichever direction, at most [`RELATED`]. Some may be
    /// named who are not connected after all.
    pub(crate) fn related(
        &self,
        roster: &Roster,
        identity: &Identity,
        lists: Option<&BlockLists>,
    ) -> BTreeSet<MemberId> {
        let mut found = BTreeSet::new();
        // Those who block this one first: they are who is to be protected.
        for name in identity.names() {
            found.extend(self.blockers.get(name).into_iter().flatten().take(COUNTED));
        }
        let accounts = lists.into_iter().flat_map(|lists| lists.blocked_by().values());
        for account in accounts {
            if found.len() >= RELATED {
                break;
            }
            found.extend(self.logged_in(account).take(COUNTED));
        }
        let blocked = lists.into_iter().flat_map(BlockLists::blocked);
        let mut concerned = self.named(roster, blocked);
        if let Some(login) = &identity.login {
            let blocked = self.blocked_by.get(&login.account_key.id);
            concerned.extend(blocked.into_iter().flatten().take(RELATED));
        }
        let room = RELATED.saturating_sub(found.len());
        let others: Vec<_> = concerned.difference(&found).copied().take(room).collect();
        found.extend(others);
        found
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.logged_in.is_empty() && self.blockers.is_empty() && self.blocked_by.is_empty()
    }
}

impl Digest for BlockIndex {
    fn digest(&self, to: &mut Digester) {
        let Self { logged_in, blockers, blocked_by } = self;
        // Of names that are the same, it is by chance which spelling is the key here.
        to.names(logged_in).names(blockers).add(blocked_by);
    }
}

fn add<K: Hash + Eq + Clone>(map: &mut HashMap<K, BTreeSet<MemberId>>, key: &K, id: MemberId) {
    match map.get_mut(key) {
        Some(members) => {
            members.insert(id);
        }
        None => {
            map.insert(key.clone(), BTreeSet::from([id]));
        }
    }
}

fn take<K: Hash + Eq>(map: &mut HashMap<K, BTreeSet<MemberId>>, key: &K, id: MemberId) {
    if let Some(members) = map.get_mut(key) {
        members.remove(&id);
        if members.is_empty() {
            map.remove(key);
        }
    }
}
