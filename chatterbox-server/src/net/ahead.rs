//! Which connections may be ahead: the system takes more of what is written to them than it usually would (see [`socket`](super::socket)).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many connections may be ahead at a time: what the kernel holds for those who take nothing is bounded by that.
pub(super) const PLACES: usize = 64;

/// A write of so many bytes is worth a place.
pub(super) const LONG_WRITE: usize = 512 * 1024;

/// The places of connections that are ahead.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Places {
    /// A place for a write of so many bytes, if it is worth one and one is left.
    pub(crate) fn for_write(&self, bytes: usize) -> Option<Place> {
        if bytes < LONG_WRITE {
            return None;
        }
        Arc::clone(&self.0).try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }
}

/// The place of one connection, given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}
