//! What becomes of the members of an account when it is removed, or when its logins are ended.
//!
//! A login is checked before its user joins, so a change may come between the two. The hub therefore remembers the newest
//! changes, and lets nobody in with a login that one of them has ended.

use crate::ended_logins::{AccountChange, AccountChangeKind};
use crate::hub::Hub;
use crate::identity::{AccountKey, LoggedIn};
use crate::ids::MemberId;
use crate::removal::Removal;

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
