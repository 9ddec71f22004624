//! What the runs of all rooms take: those that are kept for others, and those that are not, but still being written.

use std::collections::BTreeMap;

use crate::encode::batch::Batch;
use crate::encode::view::View;
use crate::ids::RoomId;

/// So many bytes of runs are kept in all, beside the newest run.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// Counts the runs of all rooms.
#[derive(Debug, Default)]
pub struct RunBudget {
    /// The runs that are kept, by their numbers, which rise.
    kept: BTreeMap<u64, (RoomId, View)>,
    kept_bytes: usize,
    next: u64,
    /// Runs that are not kept any more, but may still be written by somebody, and their size.
    outstanding: Vec<Batch>,
    outstanding_bytes: usize,
    /// When so many are outstanding, it is looked which of them have been written.
    look_at: usize,
}

impl RunBudget {
    /// Counts a new run, and gives its number.
    pub fn add(&mut self, room: RoomId, view: View, frames: &Batch) -> u64 {
        let number = self.next;
        self.next += 1;
        self.kept.insert(number, (room, view));
        self.kept_bytes += frames.size();
        number
    }

    /// Notes that a run is not kept any more.
    pub fn retire(&mut self, number: u64, frames: Batch) {
        self.kept.remove(&number);
        self.kept_bytes = self.kept_bytes.saturating_sub(frames.size());
        if frames.is_shared() {
            self.outstanding_bytes += frames.held();
            self.outstanding.push(frames);
            if self.outstanding.len() > self.look_at {
                self.forget_written();
            }
        }
    }

    /// Where the oldest run is, if too much is kept and it is not the only one: whoever is still there has long got it.
    pub fn excess(&self) -> Option<(RoomId, View)> {
        let oldest = self.kept.values().next().copied();
        oldest.filter(|_| self.kept_bytes > KEPT_BYTES && self.kept.len() > 1)
    }

    /// The bytes of runs that are not kept any more and may still be on their way to somebody.
    pub const fn outstanding(&self) -> usize {
        self.outstanding_bytes
    }

    /// Forgets those that nobody is writing any more.
    pub fn forget_written(&mut self) {
        self.outstanding.retain(Batch::is_shared);
        self.outstanding_bytes = self.outstanding.iter().map(Batch::held).sum();
        // The next look costs no more than what has come since.
        self.look_at = 2 * self.outstanding.len() + 16;
    }
}
