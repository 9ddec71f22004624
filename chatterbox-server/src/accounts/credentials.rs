//! What the owners of names do with their accounts, and admins with those of others.

use std::net::IpAddr;

use chatterbox_hub::guard::network;
use chatterbox_hub::{AccountKey, Level, LoggedIn};
use chatterbox_proto::Username;

use crate::accounts::directory::{Account, Added, Directory, DirectoryError};
use crate::accounts::login::{Accounts, Refused};
use crate::accounts::password::Verdict;
use crate::accounts::secret::Secret;
use crate::accounts::token::{LIFETIME, Token, TokenHash};
use crate::ops::clock::unix_now;

/// The name under which tries at the admin password are counted; no user can have it.
const ELEVATION: &str = "admin password of ";

impl Accounts {
    /// Makes an account for who has the name now, with a token for this login.
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
            let mut guards = self.guards();
            let wait = guards.registrations.wait(now, &peer);
            if !wait.is_zero() {
                return Err(Refused::Throttled(wait));
            }
            guards.registrations.count(now, &peer);
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
        let (added, account_key) = self.thread.ask(add).await?;
        match added {
            Added::Yes => {
                tracing::info!(%name, %peer, "registered");
                Ok((token, account_key))
            }
            Added::Already => Err(Refused::Registered(name.clone())),
            Added::Full => Err(Refused::Full),
        }
    }

    /// Gives an account another password for the old one. All its tokens end; the new one is for this login.
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
        let this = self.begin(name, peer)?;
        let checked = self.check(name, old, &this).await?.account_key;
        let now = self.now();
        self.guards().passwords.succeeded(now, this);
        let password = self.hashing.make(new).await?;
        let token = Token::generate()?;
        let (hash, expires) = (token.hash(), unix_now().saturating_add(LIFETIME));
        let owner = name.clone();
        let change = move |directory: &mut dyn Directory| {
            // Hashing takes a while: the old password has to be that of the account that is there now.
            if directory.account(&owner)?.map(|account| account.account_key) != Some(checked) {
                return Ok(None);
            }
            directory.change_password(&owner, &password)?;
            directory.add_token(&owner, hash, expires)?;
            Ok(directory.account(&owner)?.map(|account| account.account_key))
        };
        let account_key = self.thread.ask(change).await?.ok_or(Refused::NoAccount)?;
        tracing::info!(%name, %peer, "password changed");
        Ok((token, account_key))
    }

    /// Ends one login of an account, or all of them. Who is logged in with an account that is not there any more ends none
    /// of one that has its name now.
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
        self.thread.ask(end).await
    }

    /// Checks the admin password.
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
        let who = format!("{ELEVATION}{}", name.key());
        let (this, one) = {
            let mut guards = self.guards();
            let this = guards.elevations.begin(now, &who, peer)?;
            // There is one password for all of them: who has many accounts has no more tries.
            let one = guards.elevations.begin(now, ELEVATION, peer).inspect_err(|_| {
                guards.elevations.give_up(&this);
            });
            (this, one)
        };
        let one = one?;
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
                let mut guards = self.guards();
                guards.elevations.succeeded(now, this);
                // A guesser elsewhere locks nobody out who has got in from here.
                guards.elevations.succeeded(now, one);
                Ok(())
            }
            Err(error) => {
                let mut guards = self.guards();
                guards.elevations.give_up(&this);
                guards.elevations.give_up(&one);
                Err(error)
            }
        }
    }

    /// Gives an account another level.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn set_level(&self, name: &Username, level: Level) -> Result<(), Refused> {
        let name = name.clone();
        let found = self.thread.ask(move |directory| directory.set_level(&name, level)).await?;
        if found { Ok(()) } else { Err(Refused::NoAccount) }
    }
}
