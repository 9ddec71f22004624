//! What is kept between runs, but for the texts: the own device, everybody whose keys were seen, and what was decrypted and can't be
//! shown yet.

use std::collections::BTreeMap;

use chatterbox_proto::capability::ids::Id;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::own::{Own, OwnState};
use crate::payload::Payload;
use crate::person::{Mode, Person};

/// The version of the state that this program writes.
const VERSION: u32 = 1;

/// The most names of one account that are remembered beside its own.
const NAMES: usize = 8;

/// The most messages that are held; of more the oldest goes.
const HELD: usize = 64;

/// Why a state is not read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A newer program has written it.
    #[error("a newer version of this program has written the keys")]
    Newer,
    /// It is not what this program writes.
    #[error("the keys are not what this program writes")]
    Malformed,
}

/// Own keys, and those of others, by folded names of accounts.
#[derive(Default)]
pub(crate) struct Keyring {
    pub(crate) own: Option<Own>,
    pub(crate) people: BTreeMap<String, Person>,
    /// Folded names that are not those of their accounts, with the accounts that had them when something was encrypted last.
    names: BTreeMap<String, String>,
    held: BTreeMap<Id, Held>,
}

/// A message that was decrypted before it was known whether its sender and recipient are those that it names. No session decrypts it
/// again, so it is stored together with the session that has (EE-10): it can be shown when the directory has answered, also in another
/// run.
#[derive(Serialize, Deserialize)]
struct Held {
    /// The device that sent it.
    device: String,
    payload: Payload,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    own: Option<OwnState>,
    people: &'a BTreeMap<String, Person>,
    names: &'a BTreeMap<String, String>,
    held: &'a BTreeMap<Id, Held>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Read {
    own: Option<OwnState>,
    people: BTreeMap<String, Person>,
    names: BTreeMap<String, String>,
    #[serde(default)]
    held: BTreeMap<Id, Held>,
}

impl Keyring {
    /// The state as bytes, which hold private keys.
    pub(crate) fn write(&self) -> Result<Zeroizing<Vec<u8>>, StateError> {
        let own = self.own.as_ref().map(Own::state);
        let Self { own: _, people, names, held } = self;
        let written = Written { version: VERSION, own, people, names, held };
        serde_json::to_vec(&written).map(Zeroizing::new).map_err(|_| StateError::Malformed)
    }

    pub(crate) fn read(state: &[u8]) -> Result<Self, StateError> {
        let malformed = |_| StateError::Malformed;
        let Version { version } = serde_json::from_slice(state).map_err(malformed)?;
        if version > VERSION {
            return Err(StateError::Newer);
        }
        let Read { own, people, names, held } = serde_json::from_slice(state).map_err(malformed)?;
        let own = match own {
            Some(own) => Some(Own::restore(own).ok_or(StateError::Malformed)?),
            None => None,
        };
        Ok(Self { own, people, names, held })
    }

    /// Forgets all sessions (EE-10).
    pub(crate) fn forget_sessions(&mut self) {
        self.people.values_mut().for_each(Person::forget_sessions);
    }

    /// What was decrypted of a message of a device, if it could not be shown.
    pub(crate) fn held(&self, id: Id, device: &str) -> Option<&Payload> {
        let held = self.held.get(&id).filter(|held| held.device == device)?;
        Some(&held.payload)
    }

    /// Holds what was decrypted until it can be shown.
    pub(crate) fn hold(&mut self, id: Id, device: &str, payload: Payload) {
        self.held.insert(id, Held { device: device.to_owned(), payload });
        if self.held.len() > HELD {
            self.held.pop_first();
        }
    }

    /// Forgets a message that was held. Says whether it was.
    pub(crate) fn let_go(&mut self, id: Id) -> bool {
        self.held.remove(&id).is_some()
    }

    pub(crate) fn mode(&self, account: &str) -> Mode {
        self.people.get(account).map_or(Mode::Unset, |person| person.mode)
    }

    /// The account that a folded name has stood for: the one that something was encrypted with under it, or else the one that
    /// is called so, if keys of it are known.
    pub(crate) fn pinned<'k>(&'k self, name: &str) -> Option<&'k str> {
        let named = || {
            let (account, person) = self.people.get_key_value(name)?;
            person.party().map(|_| account)
        };
        self.names.get(name).or_else(named).map(String::as_str)
    }

    /// Notes which account a folded name stands for. Says whether that is news.
    pub(crate) fn pin(&mut self, name: &str, account: &str) -> bool {
        if name == account {
            return self.names.remove(name).is_some();
        }
        if self.names.get(name).is_some_and(|known| known == account) {
            return false;
        }
        let theirs: Vec<_> = self.names.iter().filter(|(_, known)| *known == account).collect();
        if theirs.len() >= NAMES {
            let first = theirs.first().map(|(name, _)| (*name).clone());
            self.names.retain(|name, _| Some(name) != first.as_ref());
        }
        self.names.insert(name.to_owned(), account.to_owned());
        true
    }

    /// Forgets which account a folded name has stood for, where it is not that of the name.
    pub(crate) fn unpin(&mut self, name: &str) {
        self.names.remove(name);
    }
}
