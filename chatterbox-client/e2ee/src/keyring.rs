//! What is kept between runs, but for the texts: the own device, and everybody whose keys were seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::own::{Own, OwnState};
use crate::person::{Mode, Person};

/// The version of the state that this program writes.
const VERSION: u32 = 1;

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
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    own: Option<OwnState>,
    people: &'a BTreeMap<String, Person>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Read {
    own: Option<OwnState>,
    people: BTreeMap<String, Person>,
}

impl Keyring {
    /// The state as bytes, which hold private keys.
    pub(crate) fn write(&self) -> Result<Zeroizing<Vec<u8>>, StateError> {
        let own = self.own.as_ref().map(Own::state);
        let written = Written { version: VERSION, own, people: &self.people };
        serde_json::to_vec(&written).map(Zeroizing::new).map_err(|_| StateError::Malformed)
    }

    pub(crate) fn read(state: &[u8]) -> Result<Self, StateError> {
        let malformed = |_| StateError::Malformed;
        let Version { version } = serde_json::from_slice(state).map_err(malformed)?;
        if version > VERSION {
            return Err(StateError::Newer);
        }
        let Read { own, people } = serde_json::from_slice(state).map_err(malformed)?;
        let own = match own {
            Some(own) => Some(Own::restore(own).ok_or(StateError::Malformed)?),
            None => None,
        };
        Ok(Self { own, people })
    }

    /// Forgets all sessions (EE-10).
    pub(crate) fn forget_sessions(&mut self) {
        let channels = self.people.values_mut().flat_map(|person| person.devices.values_mut());
        channels.for_each(super::channel::Channel::forget_sessions);
    }

    pub(crate) fn mode(&self, account: &str) -> Mode {
        self.people.get(account).map_or(Mode::Unset, |person| person.mode)
    }
}
