//! The marks of users of this node that are not written down yet, and those of a moment ago.
//!
//! A mark moves with every message that is read or said. What is written, and told to other devices, is the newest one of each
//! conversation, about once a second, so a long talk costs no more than a short one.

use std::collections::{BTreeMap, BTreeSet};

use crate::mark::{Marked, ReadMark};
use crate::record::Sequence;

/// Marks that wait to be written; of more nothing is noted, until they are.
const WAITING: usize = 16 * 1024;

/// Conversations whose marks of a moment ago are remembered, each once. Where more than that are read within [`RECENTLY`], those
/// that were remembered first are forgotten sooner.
const RECENT: usize = 32 * 1024;

/// For how long they are, in milliseconds: a welcome may be made of what was read from the store before.
const RECENTLY: u64 = 60_000;

type Key = (i64, Marked);

/// The marks of users of this node that are under way.
#[derive(Debug, Default)]
pub(crate) struct MarkDesk {
    waiting: BTreeMap<Key, ReadMark>,
    /// Each with the moment when it was remembered last.
    recent: BTreeMap<Key, (Sequence, u64)>,
    /// The same by that moment.
    order: BTreeSet<(u64, Key)>,
}

impl MarkDesk {
    /// Notes that somebody has read further, unless they have said so already.
    pub(crate) fn note(&mut self, mark: ReadMark) {
        let key = mark.key();
        if self.known(&key) >= mark.upto {
            return;
        }
        if self.waiting.len() < WAITING || self.waiting.contains_key(&key) {
            self.waiting.insert(key, mark);
        }
    }

    /// The mark of a conversation, as far as it is known here.
    pub(crate) fn known(&self, key: &Key) -> Sequence {
        let waiting = self.waiting.get(key).map_or(0, |mark| mark.upto);
        waiting.max(self.recent.get(key).map_or(0, |(upto, _)| *upto))
    }

    /// Takes what is to be written, which is known from now on.
    pub(crate) fn take(&mut self, now: u64) -> Vec<ReadMark> {
        let all: Vec<_> = std::mem::take(&mut self.waiting).into_values().collect();
        all.iter().for_each(|mark| self.remember(mark, now));
        all
    }

    /// Gives back what could not be written, unless something newer waits.
    pub(crate) fn give_back(&mut self, marks: Vec<ReadMark>) {
        for mark in marks {
            let key = mark.key();
            if self.waiting.get(&key).is_none_or(|newer| newer.upto < mark.upto)
                && self.waiting.len() < WAITING
            {
                self.waiting.insert(key, mark);
            }
        }
    }

    /// Remembers a mark that was written, here or by another node.
    pub(crate) fn remember(&mut self, mark: &ReadMark, now: u64) {
        let key = mark.key();
        let before = self.recent.get(&key).copied();
        if let Some((_, at)) = before {
            self.order.remove(&(at, key.clone()));
        }
        let known = before.map_or(0, |(upto, _)| upto);
        self.recent.insert(key.clone(), (mark.upto.max(known), now));
        self.order.insert((now, key));
        while self.order.len() > RECENT
            || self.order.first().is_some_and(|(at, _)| now.saturating_sub(*at) > RECENTLY)
        {
            let Some((_, key)) = self.order.pop_first() else { break };
            self.recent.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::Username;

    use super::*;
    use crate::AccountRef;
    use crate::ids::MemberId;

    fn mark(account: i64, with: Marked, upto: u64) -> ReadMark {
        let account = AccountRef { id: account, name: Username::stored("ann") };
        ReadMark { account, by: MemberId::default(), with, upto }
    }

    fn taken(desk: &mut MarkDesk) -> Vec<(i64, u64)> {
        desk.take(0).into_iter().map(|mark| (mark.account.id, mark.upto)).collect()
    }

    #[test]
    fn the_newest_mark_of_a_conversation_is_taken_once_and_none_that_goes_back() {
        let mut desk = MarkDesk::default();
        for upto in [3, 9, 5] {
            desk.note(mark(1, Marked::Lobby, upto));
        }
        desk.note(mark(2, Marked::Lobby, 4));
        assert_eq!(taken(&mut desk), [(1, 9), (2, 4)]);
        desk.note(mark(1, Marked::Lobby, 9));
        assert_eq!(taken(&mut desk), [], "it is known");
        desk.note(mark(1, Marked::Lobby, 10));
        let failed = desk.take(0);
        desk.note(mark(1, Marked::Lobby, 11));
        desk.give_back(failed);
        assert_eq!(taken(&mut desk), [(1, 11)]);
    }

    #[test]
    fn who_reads_along_is_remembered_once_and_pushes_out_nobody() {
        let mut desk = MarkDesk::default();
        desk.remember(&mark(1, Marked::Lobby, 7), 0);
        for upto in 0..2 * RECENT as u64 {
            desk.remember(&mark(2, Marked::Lobby, upto), 1);
        }
        assert_eq!(desk.known(&(1, Marked::Lobby)), 7);
        assert_eq!((desk.recent.len(), desk.order.len()), (2, 2));
    }

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_time() {
        let mut desk = MarkDesk::default();
        desk.remember(&mark(1, Marked::Lobby, 7), 0);
        assert_eq!(desk.known(&(1, Marked::Lobby)), 7);
        desk.remember(&mark(2, Marked::Lobby, 7), RECENTLY + 1);
        assert_eq!(desk.known(&(1, Marked::Lobby)), 0);
        for account in 0..3 * RECENT as i64 {
            desk.remember(&mark(account, Marked::Lobby, 7), RECENTLY + 1);
        }
        assert!(desk.recent.len() <= RECENT && desk.order.len() <= RECENT);
        for account in 0..2 * WAITING as i64 {
            desk.note(mark(account, Marked::Lobby, 8));
        }
        assert_eq!(taken(&mut desk).len(), WAITING);
    }
}
