//! What a node knows of rooms beside the lobby, apart from what happens in them.

use std::collections::HashMap;

use bytes::Bytes;

use crate::guard::SlowMode;
use crate::ids::{RoomId, RoomNumber};
use crate::record::Sequence;
use crate::replica::rooms::room::Who;

/// What this node knows of rooms beside the lobby, apart from what happens in them.
#[derive(Debug, Default)]
pub(crate) struct RoomDesk {
    pub(crate) ids: HashMap<RoomNumber, RoomId>,
    /// What is the same of a room for all its members, as JSON, where nothing has changed since somebody asked.
    pub(crate) shared: HashMap<RoomNumber, Bytes>,
    /// Nothing up to this number is told again on resuming: it was said while less was kept (RH-2).
    pub(crate) replay_floors: HashMap<RoomNumber, Sequence>,
    /// The rooms without a roster whose COUNT has changed, and when it was told last.
    pub(crate) counts: HashMap<RoomNumber, CountTold>,
    /// Who has written a moment ago, where that counts.
    pub(crate) slow: SlowMode<(RoomNumber, Who)>,
}

/// When the COUNT of a room was told last, and whether it has changed since.
#[derive(Debug, Default)]
pub(crate) struct CountTold {
    pub(crate) at: Option<u64>,
    pub(crate) is_stale: bool,
}

impl RoomDesk {
    /// The place of a room's timeline.
    pub(crate) fn id(&self, number: RoomNumber) -> Option<RoomId> {
        self.ids.get(&number).copied()
    }
}
