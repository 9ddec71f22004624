//! Presence: who is here, under which name, with which account, and whom each of them blocks.
//!
//! This is the only place that knows. Commands, logins and delivery ask it; what they keep of their own is keyed by
//! [`MemberId`], which never changes. Every change says which members it may have given another [`BlockFilter`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::capability::presence::push_user;
use chatterbox_proto::{Refusal, Username, json};

use crate::block_lists::{BLOCKERS, BlockFilter, BlockLists, FilterBuilder};
use crate::digest::{Digest, Digester};
use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionId};
use crate::replica::block_index::BlockIndex;
use crate::replica::proposal::Incarnation;
use crate::replica::roster::{Claimant, Roster};
use crate::replica::user_list::UserList;

mod devices;
pub(crate) mod frozen;

/// Members whose filter has to be worked out again.
#[must_use = "their filters are stale"]
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stale(pub(crate) BTreeSet<MemberId>);

impl Stale {
    /// Adds those of another change.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// The most bytes that a welcome has of what is told of users, where they are away with words.
const STATES: usize = 4 * 1024 * 1024;

/// What a user who is here leaves behind, and who speaks for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    /// The node that they are connected with.
    pub(crate) node: Incarnation,
    /// The session that can be resumed later (ID-7).
    pub(crate) session: Option<SessionId>,
    /// For how long the name is reserved after they have left, in milliseconds.
    pub(crate) hold: u64,
    /// The number of the user: that of their first device, which may have left (DV-1).
    pub(crate) user: MemberId,
}

/// One user who is here.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) identity: Identity,
    /// The name as JSON, as it stands in lists and notices.
    pub(crate) name_json: Bytes,
    pub(crate) connection: Connection,
    /// Most users block nobody and are blocked by nobody.
    lists: Option<Arc<BlockLists>>,
}

impl Person {
    fn lists(&self) -> Option<&BlockLists> {
        self.lists.as_deref()
    }

    /// Appends what is told of them (PR-1).
    pub(crate) fn push_state(&self, out: &mut Vec<u8>) {
        let Identity { since, away, .. } = &self.identity;
        push_user(out, &self.name_json, *since, away.as_deref());
    }

    /// Changes the lists in place, and gives their memory back when they are empty.
    fn change_lists<T>(&mut self, change: impl FnOnce(&mut BlockLists) -> T) -> T {
        let lists = self.lists.get_or_insert_default();
        let changed = change(Arc::make_mut(lists));
        if lists.is_empty() {
            self.lists = None;
        }
        changed
    }
}

/// The devices of users, by the number of the user.
pub(crate) type Devices = BTreeMap<MemberId, BTreeSet<MemberId>>;

/// Everybody who is here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    /// In boxes: a node of the map is half empty where keys only rise, and most of the time nobody looks at a person.
    people: BTreeMap<MemberId, Box<Person>>,
    /// The devices of each user whose first one is not the only one, by the number of the user. Of all others the number of
    /// the user is that of the member. The roster has the first of them that is here.
    devices: Devices,
    roster: Roster,
    list: UserList,
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

    /// Every connection of everybody, in the order in which they joined.
    pub(crate) fn people(&self) -> impl ExactSizeIterator<Item = (MemberId, &Person)> {
        self.people.iter().map(|(id, person)| (*id, &**person))
    }

    /// The same as JSON, each with a separator before it.
    pub(crate) fn user_list(&self) -> Vec<Bytes> {
        self.list.pieces()
    }

    /// What is told of everybody (PR-1): members of an object, each with a separator before it. Where ten thousand users all
    /// leave long words behind, these are left out: no welcome may be longer for it than a client takes.
    pub(crate) fn states(&self) -> Vec<Bytes> {
        let states = self.list.states(|user, out| {
            if let Some(person) = self.first_of(user).and_then(|id| self.person(id)) {
                person.push_state(out);
            }
        });
        if states.iter().map(Bytes::len).sum::<usize>() <= STATES {
            return states;
        }
        let mut out = Vec::new();
        for (_, person) in self.users() {
            let Identity { since, away, .. } = &person.identity;
            out.extend_from_slice(json::LIST_SEPARATOR);
            push_user(&mut out, &person.name_json, *since, away.as_ref().map(|_| ""));
        }
        vec![out.into()]
    }

    pub(crate) fn person(&self, id: MemberId) -> Option<&Person> {
        self.people.get(&id).map(|person| &**person)
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

    /// The block lists of a member.
    pub(crate) fn lists(&self, id: MemberId) -> Arc<BlockLists> {
        self.person(id).and_then(|person| person.lists.clone()).unwrap_or_default()
    }

    /// Whom a member blocks, in the order in which it did.
    pub(crate) fn blocked(&self, id: MemberId) -> &[Username] {
        self.person(id).and_then(Person::lists).map_or(&[], BlockLists::blocked)
    }

    /// Somebody is here from now on. The name has been checked; whoever has it is another device of the same user.
    pub(crate) fn insert(
        &mut self,
        id: MemberId,
        identity: Identity,
        lists: Arc<BlockLists>,
        connection: Connection,
    ) -> Stale {
        let lists = (!lists.is_empty()).then_some(lists);
        self.blocks.insert(id, &identity, lists.as_deref());
        let name_json = json::string(identity.name.as_str());
        if connection.user == id {
            self.roster.take(&identity.name, id);
            self.list.push(id, name_json.clone());
        } else {
            let all = self.devices.entry(connection.user);
            all.or_insert_with(|| [connection.user].into()).insert(id);
        }
        let stale = self.related(id, &identity, lists.as_deref());
        self.people.insert(id, Box::new(Person { identity, name_json, connection, lists }));
        stale
    }

    /// A member is not here any more. Says whether it was the last device of its user.
    pub(crate) fn remove(&mut self, id: MemberId) -> Option<(Box<Person>, Stale, bool)> {
        let person = self.people.remove(&id)?;
        // Before the name is free: the pairs are found by it.
        let stale = self.related(id, &person.identity, person.lists());
        let (name, user) = (&person.identity.name, person.connection.user);
        let next = self.take_device(id, user);
        match next {
            Some(next) => self.roster.take(name, next),
            None => {
                self.list.remove(user);
                self.roster.free(name);
            }
        }
        self.blocks.remove(id, &person.identity, person.lists());
        Some((person, stale, next.is_none()))
    }

    /// Gives all devices of a user another name, and adds the accounts that block whoever has it.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub(crate) fn rename(
        &mut self,
        id: MemberId,
        name: &Username,
        blocked_by: &[(i64, Username)],
        claimant: Claimant,
        now: u64,
    ) -> Result<Stale, Refusal> {
        let Some(person) = self.people.get(&id) else { return Err(Refusal::Busy) };
        let devices: Vec<_> = self.devices(id).collect();
        let user = person.connection.user;
        let mut stale = self.related(id, &person.identity, person.lists());
        self.roster.change(&person.identity.name, name, claimant, now)?;
        let name_json = json::string(name.as_str());
        for id in &devices {
            let Some(person) = self.people.get_mut(id) else { continue };
            person.identity.name = name.clone();
            person.name_json = name_json.clone();
            for (account, owner) in blocked_by.iter().take(BLOCKERS) {
                if person.change_lists(|lists| lists.add_blocker(*account, owner.clone())) {
                    self.blocks.set_blocked_by(*id, *account, true);
                }
            }
        }
        self.list.rename(user, name_json);
        if let Some(person) = self.people.get(&id) {
            stale.extend(self.related(id, &person.identity, person.lists()));
        }
        stale.0.extend(devices);
        Ok(stale)
    }

    /// Changes the account or the level of a member. The name stays: [`Presence::rename`] changes it.
    pub(crate) fn amend(&mut self, id: MemberId, amend: impl FnOnce(&mut Identity)) -> Stale {
        let Some(person) = self.people.get(&id) else { return Stale::default() };
        let old = person.identity.clone();
        let mut new = old.clone();
        amend(&mut new);
        new.name = old.name.clone();
        // A login in another epoch, or another level, connects the member with the same others.
        let account = |identity: &Identity| {
            identity.login.as_ref().map(|login| (login.account_key.id, login.account.clone()))
        };
        let mut stale = Stale::default();
        if account(&old) != account(&new) {
            stale = self.related(id, &old, person.lists());
            stale.extend(self.related(id, &new, person.lists()));
            self.blocks.change_account(id, &old, &new);
        }
        let is_other = account(&old).map(|(id, _)| id) != account(&new).map(|(id, _)| id);
        if let Some(person) = self.people.get_mut(&id) {
            person.identity = new;
        }
        if is_other {
            let all = self.named(self.blocked(id));
            self.pass_on_blocks(id, all);
        }
        stale.0.insert(id);
        stale
    }

    /// Notes that the user of a member is away, with these words, or is not, whichever of their devices says so. Says whether
    /// that is news.
    pub(crate) fn set_away(&mut self, id: MemberId, away: Option<Arc<str>>) -> bool {
        let Some(person) = self.people.get_mut(&id) else { return false };
        if person.identity.away == away {
            return false;
        }
        self.list.changed(person.connection.user);
        let others: Vec<_> = self.other_devices(id).collect();
        for other in others {
            if let Some(person) = self.people.get_mut(&other) {
                person.identity.away.clone_from(&away);
            }
        }
        if let Some(person) = self.people.get_mut(&id) {
            person.identity.away = away;
        }
        true
    }

    /// Replaces a member's own block list. Both lists are compared; beyond that it costs as much as there are names that
    /// came or went, and members who have them, however many accounts block those.
    pub(crate) fn set_blocked(&mut self, id: MemberId, blocked: Vec<Username>) -> Stale {
        let Some(person) = self.people.get_mut(&id) else { return Stale::default() };
        let changed = person.change_lists(|lists| lists.set_blocked(blocked));
        let lists = person.lists.as_deref();
        for name in &changed {
            self.blocks.set_blocks(id, name, lists.is_some_and(|lists| lists.has(name)));
        }
        let named = self.named(&changed);
        self.pass_on_blocks(id, named.clone());
        let mut stale = Stale(named);
        stale.0.insert(id);
        stale
    }

    /// Tells these members whether a member's account blocks them. The block of an account holds when its user has left,
    /// so those whom it concerns have to know the account.
    fn pass_on_blocks(&mut self, id: MemberId, concerned: BTreeSet<MemberId>) {
        let Some(LoggedIn { account, account_key }) =
            self.identity(id).and_then(|identity| identity.login.clone())
        else {
            return;
        };
        for other in concerned.into_iter().filter(|other| *other != id) {
            let Some(identity) = self.identity(other) else { continue };
            let blocks =
                self.person(id).and_then(Person::lists).is_some_and(|lists| lists.blocks(identity));
            if let Some(person) = self.people.get_mut(&other) {
                let is_blocked = person.change_lists(|lists| {
                    if !blocks {
                        lists.remove_blocker(account_key.id);
                    }
                    blocks && lists.add_blocker(account_key.id, account.clone())
                });
                self.blocks.set_blocked_by(other, account_key.id, is_blocked);
            }
        }
    }

    /// The members that are here under one of these names, or logged in with an account of it.
    fn named<'a>(&self, names: impl IntoIterator<Item = &'a Username>) -> BTreeSet<MemberId> {
        self.with_devices(self.blocks.named(&self.roster, names))
    }

    fn related(&self, id: MemberId, identity: &Identity, lists: Option<&BlockLists>) -> Stale {
        let mut related = self.with_devices(self.blocks.related(&self.roster, identity, lists));
        related.remove(&id);
        Stale(related)
    }

    /// What a member's lists and those of the others mean for it now.
    pub(crate) fn filter(&self, id: MemberId) -> BlockFilter {
        let Some(person) = self.people.get(&id) else { return BlockFilter::default() };
        let none = BlockLists::default();
        let (identity, lists) = (&person.identity, person.lists());
        let mut builder = FilterBuilder::new(identity, lists.unwrap_or(&none));
        for related in self.related(id, identity, lists).0 {
            if let Some(other) = self.people.get(&related) {
                builder.consider(&other.identity, other.lists().unwrap_or(&none));
            }
        }
        builder.build()
    }
}

impl Digest for Connection {
    fn digest(&self, to: &mut Digester) {
        // The user follows from the devices.
        let Self { node, session, hold, user: _ } = self;
        to.add(node).add(session).add(hold);
    }
}

impl Digest for Person {
    fn digest(&self, to: &mut Digester) {
        let Self { identity, name_json, connection, lists } = self;
        to.add(identity).add(name_json).add(connection).add(lists);
    }
}

impl Digest for Presence {
    fn digest(&self, to: &mut Digester) {
        let Self { people, devices, roster, list, blocks } = self;
        to.add(people).add(roster).add(list).add(blocks);
        if !devices.is_empty() {
            // Versions that know of none come to the same while there are none.
            to.add(devices);
        }
    }
}

#[cfg(test)]
impl Presence {
    /// Whether nothing is left of anybody.
    pub(crate) fn is_empty(&self) -> bool {
        let none = self.people.is_empty() && self.devices.is_empty();
        none && self.list.is_empty() && self.blocks.is_empty()
    }
}

#[cfg(test)]
mod tests;
