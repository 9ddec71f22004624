//! What all connections share for their commands: the accounts, the settings of admins, and who is here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chatterbox_proto::Username;
use chatterbox_proto::capability::commands as wire;

use super::authorise::{Actor, Deed, Target, authorise};
use super::session::{Session, Who};
use super::shutting::{are_apart, shut};
use super::table::{Spec, TABLE};
use crate::account::{Accounts, DirectoryError, Settings};
use crate::config::Live;
use crate::hub::Shut;

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
    pub fn shut_for(&self, who: &Who, is_base: bool) -> Shut {
        shut_among(&self.online(), who, is_base)
    }

    /// Notes that somebody is here, for as long as the answer is kept.
    pub fn enter(self: &Arc<Self>, session: Arc<Session>) -> Presence {
        let mut online = self.online();
        let who = session.who();
        online.insert(who.name.clone(), Arc::clone(&session));
        // Under a nick that is gone on with, others don't know yet who it is.
        apart_from(&online, &[&who]);
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
            session.line.set_account(login);
        }
        if before.name != after.name {
            remove(&mut online, &before.name, session);
            online.insert(after.name.clone(), Arc::clone(session));
        }
        // Blocks of accounts hold when their owner has left, so whom they concern has to know them.
        if let Some(account) = &after.account {
            for other in online.values() {
                let (did, does) = other.look(|other| (before.blocks(other), after.blocks(other)));
                if did != does {
                    other.change(|other| {
                        other.blocked_by.retain(|name| name != account);
                        if does {
                            other.blocked_by.push(account.clone());
                        }
                    });
                }
            }
        }
        apart_from(&online, &[&before, &after]);
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
    pub fn is_disabled(&self, spec: &Spec) -> bool {
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

    /// What somebody may use now.
    pub fn usable(&self, actor: Actor) -> impl Iterator<Item = &'static Spec> + use<> {
        let disabled =
            self.settings.read().unwrap_or_else(PoisonError::into_inner).disabled.clone();
        TABLE.iter().copied().filter(move |spec| {
            !disabled.contains(spec.name)
                && authorise(actor, Deed::Use(spec), Target::Oneself).is_ok()
        })
    }

    /// The catalogue of somebody (CM-1).
    pub fn catalogue(&self, actor: Actor) -> Vec<wire::Command> {
        self.usable(actor).map(Spec::to_wire).collect()
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
        if who.account.is_none() && !who.blocked.is_empty() {
            // A guest's blocks end with the session.
            apart_from(&online, &[&who]);
        }
    }
}

type Online = HashMap<Username, Arc<Session>>;

/// The name may be somebody else's by now.
fn remove(online: &mut Online, name: &Username, session: &Arc<Session>) {
    if online.get(name).is_some_and(|found| Arc::ptr_eq(found, session)) {
        online.remove(name);
    }
}

fn shut_among(online: &Online, who: &Who, is_base: bool) -> Shut {
    // Nearly nobody blocks anybody, so nearly nobody is copied.
    let related: Vec<Who> = online
        .values()
        .filter_map(|other| {
            other.look(|other| {
                let for_good = other.account.as_ref().is_some_and(|a| who.blocked_by.contains(a));
                (for_good || are_apart(who, other)).then(|| other.clone())
            })
        })
        .collect();
    shut(who, is_base, related.iter())
}

/// Works out anew whom those see who have to do with one of these, and they themselves.
fn apart_from(online: &Online, these: &[&Who]) {
    for session in online.values() {
        let concerned = session.look(|other| {
            these.iter().any(|who| {
                who.name == other.name
                    || are_apart(who, other)
                    || who.account.as_ref().is_some_and(|name| other.blocked_by.contains(name))
                    || other.account.as_ref().is_some_and(|name| who.blocked_by.contains(name))
            })
        });
        if concerned {
            let who = session.who();
            session.line.shut(shut_among(online, &who, session.is_base()));
        }
    }
}
