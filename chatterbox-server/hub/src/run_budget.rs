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
        self.kept_bytes += frames.counted();
        number
    }

    /// Notes that a member who takes compressed frames is handed a run that is kept, and says whether it is to be given them. Room
    /// for them is counted before somebody makes them.
    pub fn hand_to_zstd(&mut self, frames: &Batch) -> bool {
        let before = frames.counted();
        let compressed = frames.hand_to_zstd();
        self.kept_bytes += frames.counted() - before;
        compressed
    }

    /// Notes that a run is not kept any more.
    pub fn retire(&mut self, number: u64, frames: Batch) {
        self.kept.remove(&number);
        self.kept_bytes = self.kept_bytes.saturating_sub(frames.counted());
        if frames.is_shared() {
            self.outstanding_bytes += frames.counted();
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
        self.outstanding_bytes = self.outstanding.iter().map(Batch::counted).sum();
        // The next look costs no more than what has come since.
        self.look_at = 2 * self.outstanding.len() + 16;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chatterbox_proto::frame;

    use super::*;
    use crate::event::Event;

    /// Room for the compressed form is counted when it is wanted, and wherever the run is then; when it is made changes nothing.
    #[test]
    fn both_forms_of_a_run_are_counted() {
        let mut budget = RunBudget::default();
        let text = format!("\"{}\"", "x".repeat(4_000));
        let frames = Batch::new(vec![Event::notice(Bytes::from(text))], View::BASE);
        let size = frames.size();
        let number = budget.add(RoomId::LOBBY, View::BASE, &frames);
        assert!(!budget.hand_to_zstd(&frames), "for one it is not worth the time");
        assert_eq!(budget.kept_bytes, size);
        for _ in 0..2 {
            assert!(budget.hand_to_zstd(&frames));
            assert_eq!(budget.kept_bytes, 2 * size);
        }
        let held = frames.clone();
        budget.retire(number, frames);
        assert_eq!((budget.kept_bytes, budget.outstanding()), (0, 2 * size));
        held.compressed(|body| frame::encode(&body[..3_000]).ok());
        budget.forget_written();
        assert_eq!(budget.outstanding(), 2 * size);
        drop(held);
        budget.forget_written();
        assert_eq!(budget.outstanding(), 0);
    }

    #[test]
    fn runs_go_for_the_compressed_form_of_others() {
        let mut budget = RunBudget::default();
        let text = format!("\"{}\"", "x".repeat(KEPT_BYTES / 5));
        let run = || Batch::new(vec![Event::notice(Bytes::from(text.clone()))], View::BASE);
        let runs = [run(), run(), run()];
        for frames in &runs {
            budget.add(RoomId::LOBBY, View::BASE, frames);
        }
        assert!(budget.excess().is_none());
        for frames in runs.iter().chain(&runs) {
            budget.hand_to_zstd(frames);
        }
        assert!(budget.excess().is_some(), "six fifths of what is kept");
    }
}
