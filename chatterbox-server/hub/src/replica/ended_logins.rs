//! Logins that a change of their account has ended.

use std::collections::{HashMap, VecDeque};

use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::identity::{AccountKey, LoggedIn};
use crate::ids::MemberId;
use crate::sorted;

/// The changes that are remembered; between its check and its join, a login is overtaken by a few at most.
pub(crate) const REMEMBERED: usize = 1024;

/// A change of an account that ends logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChange {
    /// The account, by its number.
    pub account: i64,
    /// Its name, as it was registered.
    pub name: Username,
    /// What has become of it.
    pub kind: AccountChangeKind,
}

/// What ends logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountChangeKind {
    /// The account was removed, with all that is its owner's.
    Removed,
    /// All logins of earlier epochs were ended: by another password, or by logging out everywhere.
    LoginsEnded {
        /// The epoch of the logins that are good.
        epoch: i64,
        /// The member that asked for it, whose login goes on in this epoch.
        spared: Option<MemberId>,
    },
}

impl AccountChange {
    /// The first epoch whose logins are good after it.
    fn first_good_epoch(&self) -> i64 {
        match self.kind {
            AccountChangeKind::Removed => i64::MAX,
            AccountChangeKind::LoginsEnded { epoch, .. } => epoch,
        }
    }
}

/// The newest changes, by account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EndedLogins {
    /// The first epoch whose logins are good.
    #[serde(with = "sorted")]
    since: HashMap<i64, i64>,
    /// The accounts in the order of their changes; one may occur several times.
    order: VecDeque<i64>,
}

impl EndedLogins {
    pub(crate) fn note(&mut self, change: &AccountChange) {
        let epoch = self.since.entry(change.account).or_default();
        *epoch = change.first_good_epoch().max(*epoch);
        self.order.push_back(change.account);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && !self.order.contains(&oldest)
        {
            self.since.remove(&oldest);
        }
    }

    /// Whether an account was removed a moment ago.
    pub(crate) fn is_removed(&self, account: i64) -> bool {
        self.since.get(&account).is_some_and(|first_good| *first_good == i64::MAX)
    }

    /// Whether a login was ended after it had been checked.
    pub(crate) fn has(&self, login: &LoggedIn) -> bool {
        let AccountKey { id, epoch } = login.account_key;
        self.since.get(&id).is_some_and(|first_good| epoch < *first_good)
    }
}

impl Digest for EndedLogins {
    fn digest(&self, to: &mut Digester) {
        let Self { since, order } = self;
        to.add(since).add(order);
    }
}

#[cfg(test)]
impl EndedLogins {
    /// How many are remembered, by account and in order.
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.since.len(), self.order.len())
    }
}
