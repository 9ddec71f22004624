//! What is kept between runs, but for the texts: the own device, and everybody whose keys were seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::own::{Own, OwnState};
use crate::person::{Mode, Person};

/// The version of the state that this program writes.
const VERSION: u32 = 1;

/// The most names of one account that are remembered beside its own.
const NAMES: usize = 8;

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
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    own: Option<OwnState>,
    people: &'a BTreeMap<String, Person>,
    names: &'a BTreeMap<String, String>,
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
}

impl Keyring {
    /// The state as bytes, which hold private keys.
    pub(crate) fn write(&self) -> Result<Zeroizing<Vec<u8>>, StateError> {
        let own = self.own.as_ref().map(Own::state);
        let Self { people, names, .. } = self;
        let written = Written { version: VERSION, own, people, names };
        serde_json::to_vec(&written).map(Zeroizing::new).map_err(|_| StateError::Malformed)
    }

    pub(crate) fn read(state: &[u8]) -> Result<Self, StateError> {
        let malformed = |_| StateError::Malformed;
        let Version { version } = serde_json::from_slice(state).map_err(malformed)?;
        if version > VERSION {
            return Err(StateError::Newer);
        }
        let Read { own, people, names } = serde_json::from_slice(state).map_err(malformed)?;
        let own = match own {
            Some(own) => Some(Own::restore(own).ok_or(StateError::Malformed)?),
            None => None,
        };
        Ok(Self { own, people, names })
    }

    /// Forgets all sessions (EE-10).
    pub(crate) fn forget_sessions(&mut self) {
        let channels = self.people.values_mut().flat_map(|person| person.devices.values_mut());
        channels.for_each(super::channel::Channel::forget_sessions);
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
