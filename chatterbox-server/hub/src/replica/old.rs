//! Messages of the time before the chat had several nodes: they come first in the order, and keep their numbers.

use crate::replica::effect::Refused;
use crate::replica::proposal::Old;
use crate::replica::state::Replica;

impl Replica {
    /// Takes an old message, if its number is above all that are in the state, and below those that follow from places: so numbers
    /// rise, none is given twice, and what is repeated has no effect.
    pub(super) fn take_old(&mut self, old: Old) -> Result<Old, Refused> {
        if old.number <= self.newest || old.number >= old.below {
            return Err(Refused::NotBefore);
        }
        self.uses(old.number);
        if let Some(room) = old.record.room() {
            self.rooms.said(room, old.number);
        }
        Ok(old)
    }
}
