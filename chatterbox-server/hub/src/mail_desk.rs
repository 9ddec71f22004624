//! What is known of private messages that wait for accounts, beside what lies in their mailboxes (AN-7).

use std::collections::{BTreeMap, HashMap};

use crate::record::Sequence;

/// So many accounts are known by the number of the newest message when their users left; of others it is known by the time.
const LEFT: usize = 100_000;

/// What waits for accounts, beside what lies in their mailboxes.
#[derive(Debug, Default)]
pub(crate) struct WaitingMail {
    /// The messages that are being stored, by account and sender. Each belongs to a post, and posts are bounded.
    pub(crate) pending: BTreeMap<(i64, i64), usize>,
    /// The number of the newest message when the user of an account left: what has a greater one waits.
    pub(crate) left: HashMap<i64, Sequence>,
}

impl WaitingMail {
    pub(crate) fn of(&self, account: i64) -> impl Iterator<Item = (i64, usize)> {
        let all = self.pending.range((account, i64::MIN)..=(account, i64::MAX));
        all.map(|((_, sender), count)| (*sender, *count))
    }

    /// Notes that the user of an account has left, when the newest message had this number.
    pub(crate) fn has_left(&mut self, account: i64, newest: Sequence) {
        if self.left.len() >= LEFT {
            self.left.clear();
        }
        self.left.insert(account, newest);
    }
}
