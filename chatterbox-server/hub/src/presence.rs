//! Presence: who is here, under which name, with which account, and whom each of them blocks.
//!
//! This is the only place that knows. Commands, logins and delivery ask it; what they keep of their own is keyed by
//! [`MemberId`], which never changes. Every change says which members it may have given another [`BlockFilter`].

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chatterbox_proto::{Refusal, Username, json};

use crate::block_index::BlockIndex;
use crate::block_lists::{BlockFilter, BlockLists, FilterBuilder};
use crate::identity::{Identity, LoggedIn};
use crate::ids::MemberId;
use crate::roster::{Claimant, Roster};

/// Members whose filter has to be worked out again.
#[must_use = "their filters are stale"]
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stale(pub(crate) BTreeSet<MemberId>);

/// One user who is here.
#[derive(Debug)]
pub(crate) struct Person {
    /// Who it is.
    pub(crate) identity: Identity,
    /// The name as JSON, as it stands in lists and notices.
    pub(crate) name_json: Bytes,
    /// Most users block nobody and are blocked by nobody.
    lists: Option<Box<BlockLists>>,
}

impl Person {
    fn lists(&self) -> Option<&BlockLists> {
        self.lists.as_deref()
    }
}

/// Everybody who is here.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    people: BTreeMap<MemberId, Person>,
    roster: Roster,
    blocks: BlockIndex,
}

impl Presence {
    /// Which names are in use or kept.
    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The same, for keeping the name of somebody who has left.
    pub(crate) fn roster_mut(&mut self) -> &mut Roster {
        &mut self.roster
    }

    /// Everybody, in the order in which they joined.
    pub(crate) fn people(&self) -> impl ExactSizeIterator<Item = (MemberId, &Person)> {
        self.people.iter().map(|(id, person)| (*id, person))
    }

    /// One member.
    pub(crate) fn person(&self, id: MemberId) -> Option<&Person> {
        self.people.get(&id)
    }

    /// Who a member is.
    pub(crate) fn identity(&self, id: MemberId) -> Option<&Identity> {
        self.people.get(&id).map(|person| &person.identity)
    }

    /// Who is here under a name.
    pub(crate) fn find(&self, name: &Username) -> Option<(MemberId, &Identity)> {
        let id = self.roster.who(name)?;
        Some((id, self.identity(id)?))
    }

    /// The members that are logged in with an account, under whatever names; not those of an earlier account of its name.
    pub(crate) fn logged_in<'a>(
        &'a self,
        account: &'a LoggedIn,
    ) -> impl Iterator<Item = (MemberId, &'a Identity)> {
        let with_name = self.blocks.logged_in(&account.account);
        with_name.filter_map(|id| Some((id, self.identity(id)?))).filter(|(_, identity)| {
            identity.login.as_ref().is_some_and(|login| login.is_same_account(account))
        })
    }

    /// Whom a member blocks, in the order in which it did.
    pub(crate) fn blocked(&self, id: MemberId) -> &[Username] {
        self.people.get(&id).and_then(Person::lists).map_or(&[], BlockLists::blocked)
    }

    /// Somebody is here from now on. The name has been checked; its former holder, if there is one, has been removed.
    pub(crate) fn insert(&mut self, id: MemberId, identity: Identity, lists: BlockLists) -> Stale {
        let lists = (!lists.is_empty()).then(|| Box::new(lists));
        self.roster.take(&identity.name, id);
        self.blocks.insert(id, &identity, lists.as_deref());
        let stale = self.related(id, &identity, lists.as_deref());
        let name_json = json::string(identity.name.as_str());
        self.people.insert(id, Person { identity, name_json, lists });
        stale
    }

    /// A member is not here any more.
    pub(crate) fn remove(&mut self, id: MemberId) -> Option<(Person, Stale)> {
        let person = self.people.remove(&id)?;
        // Before the name is free: the pairs are found by it.
        let stale = self.related(id, &person.identity, person.lists());
        self.roster.free(&person.identity.name);
        self.blocks.remove(id, &person.identity, person.lists());
        Some((person, stale))
    }

    /// Gives a member another name.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub(crate) fn rename(
        &mut self,
        id: MemberId,
        name: &Username,
        claimant: Claimant,
        now: u64,
    ) -> Result<Stale, Refusal> {
        let Some(person) = self.people.get(&id) else { return Err(Refusal::Busy) };
        let mut stale = self.related(id, &person.identity, person.lists());
        self.roster.change(&person.identity.name, name, claimant, now)?;
        let Some(person) = self.people.get_mut(&id) else { return Err(Refusal::Busy) };
        person.identity.name = name.clone();
        person.name_json = json::string(name.as_str());
        let Some(person) = self.people.get(&id) else { return Err(Refusal::Busy) };
        stale.0.extend(self.related(id, &person.identity, person.lists()).0);
        stale.0.insert(id);
        Ok(stale)
    }

    /// Changes the account, the level or the lists of a member. The name stays: [`Presence::rename`] changes it.
    pub(crate) fn amend(
        &mut self,
        id: MemberId,
        amend: impl FnOnce(&mut Identity, &mut BlockLists),
    ) -> Stale {
        let Some(mut person) = self.people.remove(&id) else { return Stale::default() };
        let old = person.identity.clone();
        let old_lists = person.lists.take().unwrap_or_default();
        let mut stale = self.related(id, &old, Some(&old_lists));
        let mut lists = old_lists.clone();
        amend(&mut person.identity, &mut lists);
        person.identity.name = old.name.clone();
        self.blocks.update(id, (&old, Some(&old_lists)), (&person.identity, Some(&lists)));
        let changed = old_lists.difference(&lists);
        if old == person.identity {
            // Most changes are of one name in a long list: the other pairs stay as they are.
            stale.0 = self.blocks.listed(&self.roster, &changed);
        } else {
            stale.0.extend(self.related(id, &person.identity, Some(&lists)).0);
        }
        stale.0.insert(id);
        if let Some(login) = person.identity.login.clone() {
            let had_account = old.login.is_some_and(|old| old.is_same_account(&login));
            self.pass_on_blocks(&login, if had_account { &changed } else { &lists }, &lists);
        }
        person.lists = (!lists.is_empty()).then_some(lists);
        self.people.insert(id, person);
        stale
    }

    /// Tells the users who are named in `concerned` whether an account with these lists blocks them. The block of an
    /// account holds when its user has left, so those whom it concerns have to know the account.
    fn pass_on_blocks(&mut self, login: &LoggedIn, concerned: &BlockLists, lists: &BlockLists) {
        let concerned: BTreeSet<MemberId> = concerned
            .blocked()
            .iter()
            .flat_map(|name| self.roster.who(name).into_iter().chain(self.blocks.logged_in(name)))
            .collect();
        for other in concerned {
            let Some(person) = self.people.get_mut(&other) else { continue };
            let before = person.lists.take().unwrap_or_default();
            let mut after = before.clone();
            if lists.blocks(&person.identity) {
                after.add_blockers([(login.account_key.id, login.account.clone())]);
            } else {
                after.remove_blocker(login.account_key.id);
            }
            let identity = &person.identity;
            self.blocks.update(other, (identity, Some(&before)), (identity, Some(&after)));
            person.lists = (!after.is_empty()).then_some(after);
        }
    }

    fn related(&self, id: MemberId, identity: &Identity, lists: Option<&BlockLists>) -> Stale {
        let mut related = self.blocks.related(&self.roster, identity, lists);
        related.remove(&id);
        Stale(related)
    }

    /// What a member's lists and those of the others mean for it now.
    pub(crate) fn filter(&self, id: MemberId) -> BlockFilter {
        let Some(person) = self.people.get(&id) else { return BlockFilter::default() };
        self.filter_among(&person.identity, person.lists(), &[id])
    }

    /// The same for somebody who is about to join, in place of `old` if they resume its session.
    pub(crate) fn filter_for(
        &self,
        identity: &Identity,
        lists: &BlockLists,
        old: Option<MemberId>,
    ) -> BlockFilter {
        self.filter_among(identity, Some(lists), old.as_slice())
    }

    fn filter_among(
        &self,
        identity: &Identity,
        lists: Option<&BlockLists>,
        without: &[MemberId],
    ) -> BlockFilter {
        let none = BlockLists::default();
        let mut builder = FilterBuilder::new(identity, lists.unwrap_or(&none));
        for id in self.blocks.related(&self.roster, identity, lists) {
            if let Some(other) = self.people.get(&id).filter(|_| !without.contains(&id)) {
                builder.consider(&other.identity, other.lists().unwrap_or(&none));
            }
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests;
