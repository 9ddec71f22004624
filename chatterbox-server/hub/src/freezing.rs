//! The whole of what nodes have in common as bytes, and back: for a node that starts without reading the order from its
//! beginning.
//!
//! What is of one node does not stand in it: who is connected there, what is on its way to them, the history, which each node
//! reads from its own store. A hub that is thawed has timelines for all rooms, and no members of its own.
//!
//! Maps are written by their keys, so that two nodes which have applied the same write the same bytes. Indexes are not
//! written, but made again. The digest stands beside the state: whoever does not come to the same, because their version
//! leaves something out or reads it otherwise, does not begin with it.
//!
//! The first byte is the *level* of the format, as it is of groups ([`format`](crate::format)):
//!
//! | level | what is new |
//! |---|---|
//! | 1 | |
//! | 3 ([`DEVICES`]) | behind the rest the devices of those users whose first one is not the only one, by the number of the user |
//!
//! There is none of level 2, nor of those behind 3: they have something new for groups, or for stores. A state is written in the
//! lowest level that has all that is in it. While nodes of the version before are among the others, nobody has a second device, so
//! both write and read the same bytes and come to the same digest.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::digest::digest_of;
use crate::format::FormatError;
use crate::format_level::{DEVICES, FIRST};
use crate::hub::Hub;
use crate::replica::frozen::{FirstLevel, FrozenReplica};
use crate::replica::nodes::NodeUp;
use crate::replica::presence::Devices;
use crate::replica::state::Replica;

/// A copy of all that nodes have in common, as it was at one moment: making one takes a fraction of the time that is needed to write it, or to
/// work out its digest, while nobody else can use the hub.
#[derive(Debug)]
pub struct StateCopy(Replica);

impl StateCopy {
    /// Writes it, for [`Hub::thaw`].
    ///
    /// # Errors
    /// [`FormatError`] when it can't be written, which no state is.
    pub fn freeze(&self) -> Result<Bytes, FormatError> {
        freeze(&self.0)
    }

    /// One number for it, as [`Hub::digest`].
    pub fn digest(&self) -> u64 {
        digest_of(&self.0)
    }
}

impl Hub {
    /// A copy of all that nodes have in common, as it is now.
    pub fn copy_state(&self) -> StateCopy {
        StateCopy(self.replica.clone())
    }

    /// All that nodes have in common, as it is now.
    ///
    /// # Errors
    /// [`FormatError`] when it can't be written, which no state is.
    pub fn freeze(&self) -> Result<Bytes, FormatError> {
        freeze(&self.replica)
    }

    /// Takes over what another node has frozen. This is for a hub without members, before anything is applied.
    ///
    /// # Errors
    /// [`FormatError`]; the hub is as it was then.
    pub fn thaw(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        let replica = thaw(bytes)?;
        let before: Vec<_> = self.replica.rooms.iter().map(|(number, _)| number).collect();
        for room in before {
            self.close_timeline(room);
        }
        self.replica = replica;
        let rooms: Vec<_> = self.replica.rooms.iter().map(|(number, _)| number).collect();
        for room in rooms {
            self.open_timeline(room);
        }
        Ok(())
    }

    /// The nodes that are up, in the order of their lives.
    pub fn nodes_up(&self) -> Vec<NodeUp> {
        self.replica.nodes.up().collect()
    }

    /// The time of the order, in milliseconds: that of the newest group that was applied, by whichever node.
    pub fn time_of_order(&self) -> u64 {
        self.replica.time()
    }

    /// The format that groups are written in. A node that does not read it has to stop.
    pub fn level(&self) -> u16 {
        self.replica.nodes.level()
    }
}

/// A state as bytes.
pub(crate) fn freeze(replica: &Replica) -> Result<Bytes, FormatError> {
    #[derive(Serialize)]
    struct Frozen<'a> {
        digest: u64,
        state: FirstLevel<'a>,
    }

    let devices = replica.presence().of_several();
    let level = if devices.is_empty() { FIRST } else { DEVICES };
    let frozen = Frozen { digest: digest_of(replica), state: replica.first_level() };
    let mut written = postcard::to_extend(&frozen, vec![level]);
    if level == DEVICES {
        written = written.and_then(|written| postcard::to_extend(devices, written));
    }
    written.map(Bytes::from).map_err(|_| FormatError::NotUnderstood)
}

/// A state from bytes.
pub(crate) fn thaw(bytes: &[u8]) -> Result<Replica, FormatError> {
    #[derive(Deserialize)]
    struct Frozen {
        digest: u64,
        state: FrozenReplica,
    }

    let (level, rest) = bytes.split_first().ok_or(FormatError::Empty)?;
    if !matches!(*level, FIRST | DEVICES) {
        return Err(FormatError::Level { level: *level });
    }
    let not_understood = |_| FormatError::NotUnderstood;
    let (frozen, mut left) = postcard::take_from_bytes::<Frozen>(rest).map_err(not_understood)?;
    let Frozen { digest, state } = frozen;
    let mut devices = Devices::new();
    if *level == DEVICES {
        (devices, left) = postcard::take_from_bytes(left).map_err(not_understood)?;
        if devices.is_empty() {
            return Err(FormatError::NotUnderstood);
        }
    }
    if !left.is_empty() {
        return Err(FormatError::LeftOver { bytes: left.len() });
    }
    let replica = state.with_devices(devices).ok_or(FormatError::NotUnderstood)?;
    if digest_of(&replica) == digest { Ok(replica) } else { Err(FormatError::AnotherState) }
}

#[cfg(test)]
pub(crate) mod tests;
