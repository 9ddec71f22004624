//! Who is here, for lists that have others beside them.

use chatterbox_proto::Username;

use crate::hub::Hub;
use crate::identity::{AccountKey, Identity, LoggedIn};

impl Hub {
    /// Those who are here under names behind this one, by folded name, at most `limit`. It looks at everybody, and copies no
    /// more than it gives.
    pub fn users_behind(&self, after: Option<&Username>, limit: usize) -> Vec<Identity> {
        let is_behind = |user: &&Identity| after.is_none_or(|after| user.name.key() > after.key());
        let mut behind: Vec<&Identity> = self.users().filter(is_behind).collect();
        let by_key = |one: &&Identity, other: &&Identity| one.name.key().cmp(other.name.key());
        if limit < behind.len() {
            behind.select_nth_unstable_by(limit, by_key);
            behind.truncate(limit);
        }
        behind.sort_unstable_by(by_key);
        behind.into_iter().cloned().collect()
    }

    /// Whether each of these is here: somebody who is logged in with the account of this number and name, whatever they are
    /// called now, or a guest of this name.
    pub fn are_here(&self, all: &[(Username, Option<i64>)]) -> Vec<bool> {
        let is_here = |(name, account): &(Username, Option<i64>)| match account {
            None => self.who(name).is_some(),
            Some(id) => {
                let account_key = AccountKey { id: *id, epoch: 0 };
                let account = LoggedIn { account: name.clone(), account_key };
                self.logged_in(&account).next().is_some()
            }
        };
        all.iter().map(is_here).collect()
    }
}
