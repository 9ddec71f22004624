//! Marks of private conversations that somebody has asked for, and that are not judged yet (MK-1).
//!
//! Where such a conversation ends is found by looking through the private messages of its reader: a few of them where it is one of
//! the newest, thousands where it is not there. So of each conversation one mark waits, the furthest, and about once a second a
//! bounded number of messages is looked at for all that wait, for one account after the other. Who asks without end waits behind
//! nobody but themselves, and costs the others nothing.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use chatterbox_proto::Username;

use crate::ids::MemberId;
use crate::record::Sequence;
use crate::replica::rooms::definition::AccountRef;
use crate::room::reader::Reader;

/// So many conversations of one account wait at most; of further ones nothing is noted. A welcome tells of a hundred.
const OF_ONE: usize = 128;

/// So many of all accounts do.
const OF_ALL: usize = 16 * 1024;

/// A mark that somebody has asked for.
#[derive(Debug)]
pub(crate) struct AskedMark {
    pub(crate) account: AccountRef,
    /// The connection that says so, which may have ended before it is judged.
    pub(crate) by: MemberId,
    /// Whose conversations they are.
    pub(crate) reader: Reader,
    pub(crate) with: Username,
    pub(crate) upto: Sequence,
}

/// Those that wait.
#[derive(Debug, Default)]
pub(crate) struct AskedMarks {
    /// None of the lists is empty.
    by_account: BTreeMap<i64, VecDeque<AskedMark>>,
    waiting: usize,
    /// The account whose turn it was last.
    last: i64,
}

impl AskedMarks {
    /// Lets a mark wait, in the place of one that reaches less far.
    pub(crate) fn ask(&mut self, asked: AskedMark) {
        let account = asked.account.id;
        if let Some(theirs) = self.by_account.get_mut(&account) {
            if let Some(before) = theirs.iter_mut().find(|one| one.with == asked.with) {
                if before.upto < asked.upto {
                    *before = asked;
                }
                return;
            }
            if theirs.len() >= OF_ONE {
                return;
            }
        }
        if self.waiting < OF_ALL {
            self.by_account.entry(account).or_default().push_back(asked);
            self.waiting += 1;
        }
    }

    /// Takes the one that waits longest, of the account whose turn it is.
    pub(crate) fn take_next(&mut self) -> Option<AskedMark> {
        let behind = (Bound::Excluded(self.last), Bound::Unbounded);
        let next = self.by_account.range(behind).next();
        let next = next.or_else(|| self.by_account.first_key_value());
        let account = *next?.0;
        self.last = account;
        let theirs = self.by_account.get_mut(&account)?;
        let asked = theirs.pop_front();
        if theirs.is_empty() {
            self.by_account.remove(&account);
        }
        self.waiting = self.waiting.saturating_sub(1);
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(account: i64, with: &str, upto: Sequence) -> AskedMark {
        AskedMark {
            account: AccountRef { id: account, name: Username::stored("ann") },
            by: MemberId::default(),
            reader: Reader::default(),
            with: Username::stored(with),
            upto,
        }
    }

    fn taken(marks: &mut AskedMarks) -> Vec<(i64, String, Sequence)> {
        let next = std::iter::from_fn(|| marks.take_next());
        next.map(|one| (one.account.id, one.with.as_str().to_owned(), one.upto)).collect()
    }

    #[test]
    fn the_furthest_mark_of_a_conversation_waits_and_each_account_has_its_turn() {
        let mut marks = AskedMarks::default();
        for (account, with, upto) in
            [(1, "bob", 3), (1, "cyd", 1), (1, "bob", 9), (1, "bob", 5), (2, "bob", 4)]
        {
            marks.ask(asked(account, with, upto));
        }
        let all = taken(&mut marks);
        let all: Vec<_> = all.iter().map(|(id, with, upto)| (*id, &**with, *upto)).collect();
        assert_eq!(all, [(1, "bob", 9), (2, "bob", 4), (1, "cyd", 1)]);
        assert!(marks.by_account.is_empty() && marks.waiting == 0);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut marks = AskedMarks::default();
        for account in 0..OF_ALL {
            for number in 0..2 * OF_ONE {
                if account == 0 || number == 0 {
                    marks.ask(asked(account as i64, &format!("u{number}"), 1));
                }
            }
        }
        let all = taken(&mut marks);
        assert_eq!(all.len(), OF_ALL);
        assert_eq!(all.iter().filter(|(account, ..)| *account == 0).count(), OF_ONE);
        assert!(marks.by_account.is_empty() && marks.waiting == 0);
    }
}
