//! The state in the parts in which it is written: what every version reads, and what is new.

use serde::{Deserialize, Serialize};

use crate::replica::presence::frozen::FrozenPresence;
use crate::replica::presence::{Devices, Presence};
use crate::replica::state::Replica;

/// What of a state level 1 has: all but the devices of users.
#[derive(Serialize)]
pub(crate) struct FirstLevel<'a> {
    presence: &'a Presence,
    rest: &'a Replica,
}

/// The same as it was read.
#[derive(Deserialize)]
pub(crate) struct FrozenReplica {
    presence: FrozenPresence,
    rest: Replica,
}

impl Replica {
    /// What of it level 1 has.
    pub(crate) fn first_level(&self) -> FirstLevel<'_> {
        FirstLevel { presence: &self.presence, rest: self }
    }
}

impl FrozenReplica {
    /// The state in which users have these devices, if it is one.
    pub(crate) fn with_devices(self, devices: Devices) -> Option<Replica> {
        let Self { presence, rest: mut replica } = self;
        replica.presence = presence.with_devices(devices)?;
        Some(replica)
    }
}
