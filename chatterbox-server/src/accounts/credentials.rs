//! Changing credentials: registration, passwords, logging out, elevation, levels.

use std::net::IpAddr;

use chatterbox_hub::guard::network;
use chatterbox_hub::{AccountKey, Level, LoggedIn};
use chatterbox_proto::Username;

use crate::accounts::directory::{Account, Added, Directory, DirectoryError};
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
            return Err(Refused::Registered(owner));
        }
        {
            let now = self.now();
            let mut limits = self.limits();
            let wait = limits.registrations.wait(now, &peer);
            if !wait.is_zero() {
                return Err(Refused::Throttled(wait));
            }
            limits.registrations.count(now, &peer);
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
            Ok((added, account_key.unwrap_or_default()))
        };
        let (added, account_key) = self.directory.call(add).await?;
        match added {
            Added::Yes => {
                tracing::info!(%name, %peer, "registered");
                Ok((token, account_key))
            }
            Added::Already => Err(Refused::Registered(name.clone())),
            Added::Full => Err(Refused::Full),
        }
    }

    /// Changes a password, which takes the old one. All login tokens of the account end; the new one is for this login.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change_password(
        &self,
        name: &Username,
        old: Secret,
        new: Secret,
        peer: IpAddr,
    ) -> Result<(Token, AccountKey), Refused> {
        let peer = network(peer);
        let attempt = self.begin(name, peer)?;
        let checked = self.verify(name, old, &attempt).await?.account_key;
        let now = self.now();
        self.limits().passwords.succeeded(now, attempt);
        let password = self.hashing.make(new).await?;
        let token = Token::generate()?;
        let (hash, expires) = (token.hash(), unix_now().saturating_add(LIFETIME));
        let owner = name.clone();
        let change = move |directory: &mut dyn Directory| {
            // Hashing takes a while: the account may have been removed or changed since the old password was verified.
            if directory.account(&owner)?.map(|account| account.account_key) != Some(checked) {
                return Ok(None);
            }
            directory.change_password(&owner, &password)?;
            directory.add_token(&owner, hash, expires)?;
            Ok(directory.account(&owner)?.map(|account| account.account_key))
        };
        let account_key = self.directory.call(change).await?.ok_or(Refused::NoAccount)?;
        tracing::info!(%name, %peer, "password changed");
        Ok((token, account_key))
    }

    /// Ends one login of an account, or all of them. An account that was removed ends no login of a later one of its name.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn log_out(
        &self,
        login: &LoggedIn,
        token: Option<TokenHash>,
    ) -> Result<(), DirectoryError> {
        let LoggedIn { account: name, account_key } = login.clone();
        let end = move |directory: &mut dyn Directory| match token {
            Some(token) => directory.remove_token(token),
            None => match directory.account(&name)? {
                Some(account) if account.account_key.id == account_key.id => {
                    directory.remove_tokens(&name)
                }
                _ => Ok(()),
            },
        };
        self.directory.call(end).await
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
    pub async fn set_level(&self, name: &Username, level: Level) -> Result<(), Refused> {
        let name = name.clone();
        let found = self.directory.call(move |directory| directory.set_level(&name, level)).await?;
        if found { Ok(()) } else { Err(Refused::NoAccount) }
    }
}
