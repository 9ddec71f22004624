//! What all connections share for their commands: the accounts, the settings of admins, and who is here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chatterbox_hub::IgnoreFilter;
use chatterbox_proto::Username;

use crate::accounts::{Accounts, DirectoryError, Settings};
use crate::commands::caller::{Session, Who};
use crate::commands::ignore::{FilterBuilder, are_related};
use crate::commands::spec::Spec;
use crate::config::Live;

/// What is typed before a command unless an admin has said otherwise.
pub const PREFIX: &str = "/";

/// Shared by all connections.
#[derive(Debug)]
pub struct Desk {
    /// The accounts.
    pub accounts: Arc<Accounts>,
    config: Live,
    settings: RwLock<Settings>,
    online: Mutex<HashMap<Username, Arc<Session>>>,
}

impl Desk {
    /// A desk with the settings of earlier runs.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn open(accounts: Arc<Accounts>, config: Live) -> Result<Arc<Self>, DirectoryError> {
        let settings = RwLock::new(accounts.settings().await?);
        Ok(Arc::new(Self { accounts, config, settings, online: Mutex::default() }))
    }

    fn online(&self) -> MutexGuard<'_, HashMap<Username, Arc<Session>>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom somebody who is going to join does not see.
    pub fn filter_for(&self, who: &Who, is_base: bool) -> IgnoreFilter {
        filter_among(&self.online(), who, is_base)
    }

    /// Notes that somebody is here, for as long as the answer is kept.
    pub fn enter(self: &Arc<Self>, session: Arc<Session>) -> Presence {
        let mut online = self.online();
        let who = session.who();
        online.insert(who.name.clone(), Arc::clone(&session));
        // Under a nick that is gone on with, others don't know yet who it is; and somebody else may have had the name.
        renew(&online, |other| {
            other.filters(&who.name)
                || other.look(|other| other.name == who.name || are_related(&who, other))
        });
        drop(online);
        Presence { desk: Arc::clone(self), session }
    }

    /// Changes who somebody is, and what follows from it for everybody: whom they see, and who sees them.
    pub(super) fn change(&self, session: &Arc<Session>, change: impl FnOnce(&mut Who)) {
        let mut online = self.online();
        let before = session.who();
        session.change(change);
        let after = session.who();
        let login = after.logged_in();
        if before.logged_in() != login {
            session.port.set_account(login);
        }
        if before.name != after.name {
            remove(&mut online, &before.name, session);
            online.insert(after.name.clone(), Arc::clone(session));
        }
        let renamed = before.name != after.name || before.account != after.account;
        let mut concerned = HashSet::new();
        for (name, other) in online.iter() {
            // Only the pairs that changed are looked at again: lists are long, and all wait for this lock.
            let (did, does, was_related) = other.look(|other| {
                (before.blocks(other), after.blocks(other), are_related(&before, other))
            });
            // Blocks of accounts hold when their owner has left, so whom they concern has to know them.
            if let Some(account) = after.account.as_ref().filter(|_| did != does) {
                other.change(|other| {
                    if does {
                        other.blocked_by.insert(account.clone());
                    } else {
                        other.blocked_by.remove(account);
                    }
                });
            }
            let is_related = other.look(|other| are_related(&after, other));
            let same = did == does && was_related == is_related && !renamed;
            if Arc::ptr_eq(other, session) || (!same && (was_related || is_related)) {
                concerned.insert(name.clone());
            }
        }
        renew(&online, |other| other.look(|other| concerned.contains(&other.name)));
    }

    /// The connection of somebody who is here.
    pub fn session_of(&self, name: &Username) -> Option<Arc<Session>> {
        self.online().get(name).cloned()
    }

    /// The connections that are logged in with an account, under whatever name.
    pub(super) fn logged_in_with(&self, account: &Username) -> Vec<Arc<Session>> {
        let online = self.online();
        let with = |session: &&Arc<Session>| session.who().account.as_ref() == Some(account);
        online.values().filter(with).cloned().collect()
    }

    /// The longest name, in characters (NM-2).
    pub fn max_name(&self) -> usize {
        self.config.current().max_name
    }

    /// What is typed before a command.
    pub fn prefix(&self) -> String {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.prefix.clone().unwrap_or_else(|| PREFIX.to_owned())
    }

    /// Whether a command is switched off.
    pub(super) fn is_disabled(&self, spec: &Spec) -> bool {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.disabled.contains(spec.name)
    }

    /// Changes what admins can set; everybody's catalogue may change with it.
    pub(super) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.write().unwrap_or_else(PoisonError::into_inner));
        for session in self.online().values() {
            session.changed.notify_one();
        }
    }
}

/// That somebody is here; dropping it is leaving.
#[derive(Debug)]
pub struct Presence {
    desk: Arc<Desk>,
    session: Arc<Session>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let name = self.session.who().name;
        let mut online = self.desk.online();
        remove(&mut online, &name, &self.session);
        let who = self.session.who();
        // A guest's blocks end with the session, and somebody else may take the name.
        renew(&online, |other| other.look(|other| are_related(&who, other)));
    }
}

type Online = HashMap<Username, Arc<Session>>;

/// The name may be somebody else's by now.
fn remove(online: &mut Online, name: &Username, session: &Arc<Session>) {
    if online.get(name).is_some_and(|found| Arc::ptr_eq(found, session)) {
        online.remove(name);
    }
}

fn filter_among(online: &Online, who: &Who, is_base: bool) -> IgnoreFilter {
    let mut filter = FilterBuilder::of(who);
    for other in online.values() {
        other.look(|other| filter.consider(other));
    }
    filter.build(is_base)
}

/// Works out anew whom these see.
fn renew(online: &Online, is_concerned: impl Fn(&Session) -> bool) {
    for session in online.values().filter(|session| is_concerned(session)) {
        session.set_filter(filter_among(online, &session.who(), session.is_base()));
    }
}
