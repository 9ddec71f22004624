//! Changing credentials: registration, passwords, logging out, elevation, levels.

use std::net::IpAddr;

use chatterbox_hub::guard::network;
use chatterbox_hub::{AccountChange, AccountChangeKind, AccountKey, Level, LoggedIn, MemberId};
use chatterbox_proto::Username;

use crate::accounts::directory::{Account, Added, Directory, DirectoryError, Spared};
use crate::accounts::login::{Accounts, Refused};
use crate::accounts::password_hash::Verdict;
use crate::accounts::secret::Secret;
use crate::accounts::token::{LIFETIME, Token, TokenHash};
use crate::ops::clock::unix_now;

/// The key of the rate limit for the admin password. It has spaces, so no user name is equal to it.
const ELEVATION: &str = "admin password of ";

impl Accounts {
    /// Registers a user under their present name, and returns a login token for this login.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn register(
        &self,
        name: &Username,
        secret: Secret,
        blocked: Vec<Username>,
        peer: IpAddr,
    ) -> Result<(Token, AccountKey), Refused> {
        let peer = network(peer);
        if let Some(owner) = self.owner_or_look_alike(name).await? {
            return Err(Refused::Registered(owner.account));
        }
        {
            let now = self.now();
            let mut limits = self.limits();
            limits.registrations.try_take(now, peer).map_err(Refused::Throttled)?;
        }
        let password = self.hashing.make(secret).await?;
        let token = Token::generate()?;
        let hash = token.hash();
        let created = unix_now();
        let account = Account {
            account_key: AccountKey::default(),
            name: name.clone(),
            password,
            level: Level::USER,
            created,
        };
        let add = move |directory: &mut dyn Directory| {
            let added = directory.add_unlike(&account)?;
            if added == Added::Yes {
                directory.add_token(&account.name, hash, created.saturating_add(LIFETIME))?;
                for other in &blocked {
                    directory.block(&account.name, other)?;
                }
            }
            let account_key = directory.account(&account.name)?.map(|account| account.account_key);
            Ok((added, account_key))
        };
        let (added, account_key) = self.directory.call(add).await?;
        match added {
            Added::Yes => {
                tracing::info!(%name, %peer, "registered");
                // It may have been removed again already.
                Ok((token, account_key.ok_or(Refused::NoAccount)?))
            }
            Added::Already => Err(Refused::Registered(name.clone())),
            Added::Full => Err(Refused::Full),
        }
    }

    /// Changes a password, which takes the old one. All logins and tokens of the account end but that of the member who asks
    /// for it, if there is one, which goes on with the new token.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change_password(
        &self,
        login: &LoggedIn,
        by: Option<MemberId>,
        old: Secret,
        new: Secret,
        peer: IpAddr,
    ) -> Result<(Token, AccountKey), Refused> {
        let name = &login.account;
        let peer = network(peer);
        let attempt = self.begin(name, peer)?;
        let checked = self.verify(name, old, &attempt).await?.account_key;
        let now = self.now();
        self.limits().passwords.succeeded(now, attempt);
        if checked.id != login.account_key.id {
            return Err(Refused::NoAccount);
        }
        let password = self.hashing.make(new).await?;
        let token = Token::generate()?;
        let (hash, expires) = (token.hash(), unix_now().saturating_add(LIFETIME));
        let owner = name.clone();
        let observed = self.directory.observed();
        let change = move |directory: &mut dyn Directory| {
            // Hashing takes a while: the account may have been removed or changed since the old password was verified.
            if directory.account(&owner)?.map(|account| account.account_key) != Some(checked) {
                return Ok(None);
            }
            directory.spare(by.into());
            directory.change_password(&owner, &password)?;
            directory.add_token(&owner, hash, expires)?;
            let account_key = directory.account(&owner)?.map(|account| account.account_key);
            if let Some(AccountKey { epoch, .. }) = account_key {
                let kind = AccountChangeKind::LoginsEnded { epoch, spared: by };
                observed.tell(&AccountChange { account: checked.id, name: owner, kind });
            }
            Ok(account_key)
        };
        let account_key = self.directory.call(change).await?.ok_or(Refused::NoAccount)?;
        tracing::info!(%name, %peer, "password changed");
        Ok((token, account_key))
    }

    /// Ends one login of an account, or all of them. An account that was removed ends no login of a later one of its name.
    ///
    /// With `everywhere`, the other members of the account are logged out, too. Without it they stay, even if the token of
    /// this login is not known, so that all tokens of the account end.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn log_out(
        &self,
        login: &LoggedIn,
        by: Option<MemberId>,
        token: Option<TokenHash>,
        everywhere: bool,
    ) -> Result<(), DirectoryError> {
        let LoggedIn { account: name, account_key: AccountKey { id, .. } } = login.clone();
        let observed = self.directory.observed();
        let end = move |directory: &mut dyn Directory| {
            let token = token.filter(|_| !everywhere);
            if let Some(token) = token {
                return directory.remove_token(token);
            }
            if !is_account(directory, &name, id)? {
                return Ok(());
            }
            directory.spare(if everywhere { by.into() } else { Spared::Everybody });
            directory.remove_tokens(&name)?;
            if let Some(account) = directory.account(&name)?
                && everywhere
            {
                let epoch = account.account_key.epoch;
                let kind = AccountChangeKind::LoginsEnded { epoch, spared: by };
                observed.tell(&AccountChange { account: id, name, kind });
            }
            Ok(())
        };
        self.directory.call(end).await
    }

    /// Removes an account, which ends its logins.
    ///
    /// # Errors
    /// [`Refused::NoAccount`] when there is another one of its name, or none.
    pub async fn remove(&self, login: &LoggedIn) -> Result<(), Refused> {
        let LoggedIn { account: name, account_key: AccountKey { id, .. } } = login.clone();
        let observed = self.directory.observed();
        let remove = move |directory: &mut dyn Directory| {
            if !is_account(directory, &name, id)? || directory.remove(&name)?.is_none() {
                return Ok(false);
            }
            let kind = AccountChangeKind::Removed;
            observed.tell(&AccountChange { account: id, name, kind });
            Ok(true)
        };
        if self.directory.call(remove).await? { Ok(()) } else { Err(Refused::NoAccount) }
    }

    /// Verifies the admin password.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn elevate(
        &self,
        name: &Username,
        secret: Secret,
        peer: IpAddr,
    ) -> Result<(), Refused> {
        let peer = network(peer);
        let now = self.now();
        let account = format!("{ELEVATION}{}", name.key());
        let (own, common) = {
            let mut limits = self.limits();
            let own = limits.elevations.begin(now, &account, peer)?;
            // One limit for all accounts, since they guess the same password.
            let common = limits.elevations.begin(now, ELEVATION, peer).inspect_err(|_| {
                limits.elevations.give_up(&own);
            });
            (own, common)
        };
        let common = common?;
        let checked = async {
            let hash = self.settings().await?.admin_password.ok_or(Refused::NoAdminPassword)?;
            Ok(self.hashing.check(secret, Some(hash)).await?)
        };
        match checked.await {
            Ok(Verdict::Wrong) => {
                tracing::warn!(%name, %peer, "wrong admin password");
                Err(Refused::WrongPassword)
            }
            Ok(Verdict::Right | Verdict::RightButOld) => {
                tracing::warn!(%name, %peer, "elevated to admin");
                let now = self.now();
                let mut limits = self.limits();
                limits.elevations.succeeded(now, own);
                // This frees the common limit for this address only: guessers elsewhere don't lock this admin out.
                limits.elevations.succeeded(now, common);
                Ok(())
            }
            Err(error) => {
                let mut limits = self.limits();
                limits.elevations.give_up(&own);
                limits.elevations.give_up(&common);
                Err(error)
            }
        }
    }

    /// Changes the level of an account.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn set_level(&self, login: &LoggedIn, level: Level) -> Result<(), Refused> {
        let LoggedIn { account: name, account_key: AccountKey { id, .. } } = login.clone();
        let set = move |directory: &mut dyn Directory| {
            Ok(is_account(directory, &name, id)? && directory.set_level(&name, level)?)
        };
        if self.directory.call(set).await? { Ok(()) } else { Err(Refused::NoAccount) }
    }
}

/// Whether the account of this name is still the one of this number.
pub(super) fn is_account(
    directory: &mut dyn Directory,
    name: &Username,
    id: i64,
) -> Result<bool, DirectoryError> {
    Ok(directory.account(name)?.is_some_and(|account| account.account_key.id == id))
}
