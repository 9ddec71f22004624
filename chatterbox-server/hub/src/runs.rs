//! The newest runs of a room: pieces of its timeline that somebody was handed as frames, kept for others who are at the same
//! place.
//!
//! Under load most receivers are at one place, so one run serves hundreds of them. Its key is the place in the room, whatever
//! other rooms a receiver is in, and whatever has happened there meanwhile.

use std::collections::{HashSet, VecDeque};

use chatterbox_proto::Username;

use crate::encode::batch::Batch;
use crate::encode::view::View;
use crate::event::Event;
use crate::room::stamp::Stamp;

/// So many runs of each view are kept.
const RECENT: usize = 4;

/// Events of a room in a row, as frames.
#[derive(Debug, Clone)]
pub struct Run {
    /// The cursors that are at its beginning: behind the event before it, and at its first event at the latest.
    pub from: (Stamp, Stamp),
    /// Behind its last event.
    pub end: Stamp,
    /// The frames.
    pub frames: Batch,
    /// Whose messages are among them.
    pub senders: Senders,
    /// Whether something goes with one of these messages. Where nothing does, who agreed to `meta` gets the same frames as others.
    pub has_meta: bool,
}

/// Whose messages are among some events, as long as these are few. Whoever hides somebody else shares the frames.
#[derive(Debug, Clone, Default)]
pub enum Senders {
    /// Nobody's.
    #[default]
    Nobody,
    /// Only theirs, each once.
    Few(Vec<Username>),
    /// More than [`FEW`].
    Many,
}

/// So many senders are compared with each hidden name.
const FEW: usize = 8;

impl Senders {
    /// Notes one more event.
    pub fn add(&mut self, event: &Event) {
        let Some(sender) = event.source() else { return };
        match self {
            Self::Nobody => *self = Self::Few(vec![sender.clone()]),
            Self::Few(few) if few.contains(sender) => {}
            Self::Few(few) if few.len() < FEW => few.push(sender.clone()),
            Self::Few(_) => *self = Self::Many,
            Self::Many => {}
        }
    }

    /// Whether nothing is left out for somebody who hides these users, if any.
    pub fn are_shown(&self, hidden: Option<&HashSet<Username>>) -> bool {
        match (hidden, self) {
            (None, _) | (_, Self::Nobody) => true,
            (Some(hidden), Self::Few(few)) => !few.iter().any(|sender| hidden.contains(sender)),
            (Some(_), Self::Many) => false,
        }
    }
}

/// The newest runs of one room, oldest first, each with its number among the runs of all rooms: for each view with which
/// somebody is there. A room in which nothing happens takes no memory for them.
#[derive(Debug, Default)]
pub struct Runs {
    recent: Vec<(View, VecDeque<(u64, Run)>)>,
}

impl Runs {
    /// The run that begins at this cursor and ends at `end` or before, if it is kept.
    pub fn get(&self, view: View, cursor: Stamp, end: Stamp) -> Option<&Run> {
        let is_it = |run: &&Run| run.from.0 <= cursor && cursor <= run.from.1 && run.end <= end;
        self.fitting(view).find(is_it)
    }

    /// Keeps a run for the other receivers, and gives the one that has to go for it.
    pub fn put(&mut self, view: View, number: u64, run: Run) -> Option<(u64, Run)> {
        let Some(recent) = self.of_mut(view) else {
            self.recent.push((view, VecDeque::from([(number, run)])));
            return None;
        };
        let oldest = if recent.len() == RECENT { recent.pop_front() } else { None };
        recent.push_back((number, run));
        oldest
    }

    /// Removes the oldest run of a view.
    pub fn pop(&mut self, view: View) -> Option<(u64, Run)> {
        let recent = self.of_mut(view)?;
        let oldest = recent.pop_front();
        if recent.is_empty() {
            self.recent.retain(|(_, recent)| !recent.is_empty());
        }
        oldest
    }

    /// The runs whose frames are those of this view, the newest of the view itself first.
    fn fitting(&self, view: View) -> impl Iterator<Item = &Run> {
        let others = self.of(view.other_of_meta()).filter(|run| !run.has_meta);
        self.of(view).chain(others)
    }

    fn of(&self, view: View) -> impl Iterator<Item = &Run> {
        let recent = self.recent.iter().find(|(of, _)| *of == view);
        recent.into_iter().flat_map(|(_, recent)| recent.iter().rev()).map(|(_, run)| run)
    }

    fn of_mut(&mut self, view: View) -> Option<&mut VecDeque<(u64, Run)>> {
        self.recent.iter_mut().find(|(of, _)| *of == view).map(|(_, recent)| recent)
    }

    /// The size of the frames that are kept.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.recent.iter().flat_map(|(_, recent)| recent).map(|(_, run)| run.frames.size()).sum()
    }

    /// Whether a run for this view that ends here is kept.
    pub fn has_end(&self, view: View, end: Stamp) -> bool {
        self.fitting(view).any(|run| run.end == end)
    }
}
