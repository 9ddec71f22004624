//! What follows for those who are here when somebody changes their account: in this server, in another process, or by hand.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: starts tasks, which end when the store has answered"
)]

use std::sync::Arc;

use chatterbox_hub::{
    AccountChange, AccountChangeKind, Amendment, Identity, Level, LoggedIn, MemberId,
};
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use chatterbox_proto::{SERVER, Username};
use tokio::runtime;

use crate::access::Access;
use crate::accounts::{DirectoryError, Observer};
use crate::chat::shared::Chat;
use crate::store::Store;

/// Makes changes of accounts true for those who are here.
#[derive(Debug, Clone)]
pub struct AccountWatch {
    pub chat: Arc<Chat>,
    pub access: Access,
    pub store: Arc<dyn Store>,
}

/// Accounts, and the members that are logged in with each.
pub type Logins = Vec<(Vec<(MemberId, Identity)>, LoggedIn)>;

/// What has become of those who were logged in with an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// The connections that were logged in with it.
    pub connections: usize,
    /// Those of them whose login has ended.
    pub ended: usize,
    /// Those of them that have another level now.
    pub amended: usize,
}

impl AccountWatch {
    /// Is told of every change of an account, in the thread of the directory.
    pub fn observer(self) -> Observer {
        let runtime = runtime::Handle::current();
        Box::new(move |change: &AccountChange| {
            self.chat.change_account(change);
            let (this, account, name) = (self.clone(), change.account, change.name.clone());
            let kind = change.kind;
            runtime.spawn(async move {
                match kind {
                    AccountChangeKind::Removed => {
                        this.store.forget_account(account).await;
                        if let Some(moderation) = &this.access.moderation
                            && let Err(error) = moderation.forget_account(account).await
                        {
                            // The next look at what is old removes them.
                            tracing::warn!(%error, "sanctions on a removed account are still stored");
                        }
                    }
                    // It may be that only its level has changed.
                    AccountChangeKind::LoginsEnded { .. } => {
                        if let Err(error) = this.level_follows(account, &name).await {
                            tracing::warn!(%error, %name, "the level of an account could not be read");
                        }
                    }
                }
            });
        })
    }

    /// Reads what is stored of an account, and makes it true for those who are logged in with it, before this returns: logins that
    /// have ended end, and those that go on have its level.
    ///
    /// # Errors
    /// [`DirectoryError`]; nothing is changed then.
    pub async fn follow(&self, name: &Username) -> Result<Followed, DirectoryError> {
        self.follow_since(name, self.logins(name)).await
    }

    /// Those who are logged in with accounts of this name.
    pub fn logins(&self, name: &Username) -> Logins {
        let logins = self.chat.accounts_named(name).into_iter();
        logins.map(|login| (self.chat.logged_in(&login), login)).collect()
    }

    /// The same as [`Self::follow`], told by who was logged in at some moment before. The observer of changes comes here as well, in a
    /// task of its own, and may be faster.
    ///
    /// # Errors
    /// [`DirectoryError`]; nothing is changed then.
    pub async fn follow_since(
        &self,
        name: &Username,
        logins: Logins,
    ) -> Result<Followed, DirectoryError> {
        let stored = self.access.authenticator.standing(name).await?;
        let mut followed = Followed::default();
        for (before, login) in logins {
            let account = login.account_key.id;
            let stored = stored.filter(|stored| stored.account_key.id == account);
            let kind = stored.map_or(AccountChangeKind::Removed, |stored| {
                let epoch = stored.account_key.epoch;
                AccountChangeKind::LoginsEnded { epoch, spared: None }
            });
            let change = AccountChange { account, name: login.account.clone(), kind };
            self.chat.end_logins(change).await;
            let left = self.chat.logged_in(&login);
            followed.connections += before.len();
            followed.ended += before.len().saturating_sub(left.len());
            let Some(level) = stored.map(|stored| stored.level) else { continue };
            let had =
                |member| before.iter().find(|(id, _)| *id == member).map(|(_, was)| was.level);
            for (member, identity) in left {
                if self.chat.is_elsewhere(member) {
                    continue;
                }
                if had(member).is_some_and(|had| had != level) {
                    followed.amended += 1;
                }
                if identity.level != level {
                    self.give_level(member, identity.level, level).await;
                }
            }
        }
        Ok(followed)
    }

    /// Gives those who are logged in with an account the level that is stored of it.
    async fn level_follows(&self, account: i64, name: &Username) -> Result<(), DirectoryError> {
        let stored = self.access.authenticator.standing(name).await?;
        let Some(stored) = stored.filter(|stored| stored.account_key.id == account) else {
            return Ok(());
        };
        let logins = self.chat.accounts_named(name).into_iter();
        for login in logins.filter(|login| login.account_key.id == account) {
            for (member, identity) in self.chat.logged_in(&login) {
                // The node of a member changes its level, and tells it.
                if identity.level != stored.level && !self.chat.is_elsewhere(member) {
                    self.give_level(member, identity.level, stored.level).await;
                }
            }
        }
        Ok(())
    }

    async fn give_level(&self, member: MemberId, had: Level, level: Level) {
        // A lower one is meant: it ends what the admin password has given, too.
        let elevated = (level < had).then_some(false);
        let amendment = Amendment { level: Some(level), elevated, ..Amendment::default() };
        if !self.chat.amend(member, amendment).await {
            return;
        }
        self.access.requests.permissions_changed(member);
        let text = format!("You have level {level} now.");
        let notice = NewNotice { by: Some(SERVER), ..NewNotice::new(NoticeCode::Level, &text) };
        self.chat.tell_notice(member, &notice);
    }
}
