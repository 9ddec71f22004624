//! What becomes of the members of an account when it is removed, or when its logins are ended.
//!
//! A login is checked before its user joins, so a change may come between the two. The hub therefore remembers the newest
//! changes, and lets nobody in with a login that one of them has ended.

use std::collections::{HashMap, VecDeque};

use chatterbox_proto::Username;

use crate::hub::Hub;
use crate::identity::{AccountKey, LoggedIn};
use crate::ids::MemberId;
use crate::removal::Removal;

/// The changes that are remembered; between its check and its join, a login is overtaken by a few at most.
const REMEMBERED: usize = 1024;

/// A change of an account that ends logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChange {
    /// The account, by its number.
    pub account: i64,
    /// Its name, as it was registered.
    pub name: Username,
    /// What has become of it.
    pub kind: AccountChangeKind,
}

/// What ends logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Default)]
pub(crate) struct EndedLogins {
    /// The first epoch whose logins are good.
    since: HashMap<i64, i64>,
    /// The accounts in the order of their changes; one may occur several times.
    order: VecDeque<i64>,
}

impl EndedLogins {
    fn note(&mut self, change: &AccountChange) {
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

    /// Whether a login was ended after it had been checked.
    pub(crate) fn has(&self, login: &LoggedIn) -> bool {
        let AccountKey { id, epoch } = login.account_key;
        self.since.get(&id).is_some_and(|first_good| epoch < *first_good)
    }
}

impl Hub {
    /// Removes the members whose logins a change has ended, and gives their numbers: the others are going to be told.
    /// Their sessions can't be resumed: who resumes one has to show a login that is good.
    pub fn change_account(&mut self, change: &AccountChange) -> Vec<MemberId> {
        self.ended_logins.note(change);
        if change.kind == AccountChangeKind::Removed {
            self.history.forget_account(change.account);
        }
        let account = LoggedIn {
            account: change.name.clone(),
            account_key: AccountKey { id: change.account, epoch: 0 },
        };
        let (spared, reason) = match change.kind {
            AccountChangeKind::Removed => (None, Removal::AccountRemoved),
            AccountChangeKind::LoginsEnded { spared, .. } => (spared, Removal::LoggedOut),
        };
        let mut ended = Vec::new();
        for (id, identity) in self.presence.logged_in(&account) {
            let login = identity.login.as_ref();
            if Some(id) != spared && login.is_some_and(|login| self.ended_logins.has(login)) {
                ended.push(id);
            }
        }
        for id in &ended {
            let _ = self.leave(*id);
            self.removed.insert(*id, reason);
        }
        if let (Some(spared), AccountChangeKind::LoginsEnded { epoch, .. }) = (spared, change.kind)
        {
            self.amend(spared, |identity| {
                if let Some(login) = identity.login.as_mut()
                    && login.is_same_account(&account)
                {
                    login.account_key.epoch = login.account_key.epoch.max(epoch);
                }
            });
        }
        ended
    }
}

#[cfg(test)]
mod tests;
