//! Who may join under which name.
//!
//! The rules are here; where accounts are kept, how long a hash takes and how often somebody may try are elsewhere.

#![allow(clippy::disallowed_methods, reason = "the edge: tries and tokens are timed here")]

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chatterbox_hub::guard::{Counter, Slope, Throttle, TooMany, Try, network};
use chatterbox_hub::{AccountKey, Level, LoggedIn};
use chatterbox_proto::capability::accounts::Proof;
use chatterbox_proto::{Refusal, Username};

use crate::accounts::directory::{Account, Directory, DirectoryError};
use crate::accounts::directory_thread::DirectoryThread;
use crate::accounts::hashing::Hashing;
use crate::accounts::password::{Cost, HashError, PasswordHash, Verdict};
use crate::accounts::secret::Secret;
use crate::accounts::token::{LIFETIME, Token, TokenHash};
use crate::ops::clock::unix_now;

/// Accounts made from one address: a class may sit behind one.
const REGISTRATIONS: Slope = Slope::after(100);

/// Tokens that were none, from one address. Nobody guesses one, but who tries is told so.
const WRONG_TOKENS: Slope = Slope::after(50);

/// Addresses of which registrations and wrong tokens are remembered.
const ADDRESSES: usize = 10_000;

/// Somebody who may have a name.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// What they may do.
    pub level: Level,
    /// Their account; `None` is a guest.
    pub account: Option<Username>,
    /// Which one of this name it is.
    pub account_key: AccountKey,
    /// What they get for their password; [`Accounts::keep_token`] makes it good.
    pub token: Option<Token>,
    /// What they got in with, or get: the token that ends with this login.
    pub token_hash: Option<TokenHash>,
    /// Whom they block.
    pub blocked: Vec<Username>,
    /// The accounts that block them: number and name.
    pub blocked_by: Vec<(i64, Username)>,
}

impl Login {
    /// What the session remembers of it; `None` is a guest.
    pub fn logged_in(&self) -> Option<LoggedIn> {
        let account = self.account.clone()?;
        Some(LoggedIn { account, account_key: self.account_key })
    }
}

/// Why something was not done to an account.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The password is not the right one.
    #[error("The password is wrong.")]
    WrongPassword,
    /// Too often; this long is to be waited.
    #[error("Too many tries, wait {} s.", .0.as_secs() + 1)]
    Throttled(Duration),
    /// There is an account of this name, or of one that looks like it.
    #[error("{0} is registered already, and looks the same or is the same.")]
    Registered(Username),
    /// There is no such account (any more).
    #[error("There is no such account.")]
    NoAccount,
    /// There is no admin password.
    #[error("This server has no admin password.")]
    NoAdminPassword,
    /// There are too many.
    #[error("There is no room for more.")]
    Full,
    /// The store failed.
    #[error("The server can't store this now.")]
    Store(#[from] DirectoryError),
    /// There is no hash.
    #[error("The server is busy, try again later.")]
    Hash(#[from] HashError),
}

impl From<TooMany> for Refused {
    fn from(TooMany(wait): TooMany) -> Self {
        Self::Throttled(wait)
    }
}

/// All accounts of a running server.
#[derive(Debug)]
pub struct Accounts {
    pub(super) thread: DirectoryThread,
    pub(super) hashing: Hashing,
    guards: Mutex<Guards>,
    began: Instant,
}

#[derive(Debug)]
pub(super) struct Guards {
    pub(super) passwords: Throttle,
    pub(super) elevations: Throttle,
    pub(super) registrations: Counter<IpAddr>,
    wrong_tokens: Counter<IpAddr>,
}

impl Accounts {
    /// The accounts of this directory; hashes cost `cost`.
    ///
    /// # Errors
    /// When the system gives no thread or no random numbers.
    pub fn new(directory: impl Directory + 'static, cost: Cost) -> std::io::Result<Self> {
        Ok(Self {
            thread: DirectoryThread::new(directory)?,
            hashing: Hashing::new(cost).map_err(std::io::Error::other)?,
            guards: Mutex::new(Guards {
                passwords: Throttle::default(),
                elevations: Throttle::default(),
                registrations: Counter::new(REGISTRATIONS, ADDRESSES),
                wrong_tokens: Counter::new(WRONG_TOKENS, ADDRESSES),
            }),
            began: Instant::now(),
        })
    }

    pub(super) fn guards(&self) -> MutexGuard<'_, Guards> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock of the guards.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether somebody may have a name; whether it is in use is the roster's to say. Changes nothing but counts (AN-4).
    ///
    /// # Errors
    /// [`Refusal`]; `Busy` as well when the accounts can't be read: nobody gets in by breaking the store.
    pub async fn admit(
        &self,
        name: &Username,
        proof: Option<&Proof>,
        peer: IpAddr,
        guests: bool,
    ) -> Result<Login, Refusal> {
        let peer = network(peer);
        let admitted = match proof {
            None => self.admit_guest(name, guests).await,
            Some(Proof::Password(password)) => {
                self.admit_password(name, Secret::given(password.reveal()), peer).await
            }
            Some(Proof::Token(token)) => {
                self.admit_token(name, Token::given(token.reveal()).hash(), peer).await
            }
        };
        if let Err(refusal) = &admitted
            && proof.is_some()
        {
            tracing::info!(%name, %peer, reason = refusal.word(), "login failed");
        }
        admitted
    }

    async fn admit_guest(&self, name: &Username, guests: bool) -> Result<Login, Refusal> {
        let wanted = name.clone();
        // One question: this is what every joining base client waits for.
        let answer = self.thread.ask(move |directory| {
            Ok((owner_or_look_alike(directory, &wanted)?, directory.blockers(&wanted)?))
        });
        let (owner, blocked_by) = answer.await.map_err(|error| busy(&error))?;
        match owner {
            Some(owner) if owner == *name => Err(Refusal::Registered),
            Some(_) => Err(Refusal::LooksTaken),
            None if guests => Ok(Login { blocked_by, ..Login::default() }),
            None => Err(Refusal::NoGuests),
        }
    }

    async fn admit_password(
        &self,
        name: &Username,
        secret: Secret,
        peer: IpAddr,
    ) -> Result<Login, Refusal> {
        let this = self.begin(name, peer).map_err(|_| Refusal::Throttled)?;
        let account = match self.check(name, secret, &this).await {
            Ok(account) => account,
            Err(Refused::WrongPassword | Refused::NoAccount) => return Err(Refusal::WrongPassword),
            Err(error) => return Err(busy(&error)),
        };
        let now = self.now();
        self.guards().passwords.succeeded(now, this);
        let token = Token::generate().map_err(|error| busy(&error))?;
        let hash = token.hash();
        self.admitted(account, Some(token), Some(hash)).await
    }

    /// Somebody who goes on with a session that was logged in with this account. `None` when that is not the account any
    /// more, or all logins of then have been ended: the session proves nothing.
    ///
    /// # Errors
    /// [`Refusal::Busy`].
    pub async fn resume(&self, login: &LoggedIn) -> Result<Option<Login>, Refusal> {
        match self.account(&login.account).await.map_err(|error| busy(&error))? {
            Some(account) if account.account_key == login.account_key => {
                self.admitted(account, None, None).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn admit_token(
        &self,
        name: &Username,
        token: TokenHash,
        peer: IpAddr,
    ) -> Result<Login, Refusal> {
        let owner = self.thread.ask(move |directory| directory.token_owner(token, unix_now()));
        match owner.await.map_err(|error| busy(&error))? {
            // A token of somebody else proves nothing about this name.
            Some(account) if account.name == *name => {
                self.admitted(account, None, Some(token)).await
            }
            _ => {
                // A good one is looked up first: nobody is locked out by others behind the same address.
                let now = self.now();
                let mut guards = self.guards();
                if !guards.wrong_tokens.wait(now, &peer).is_zero() {
                    return Err(Refusal::Throttled);
                }
                guards.wrong_tokens.count(now, &peer);
                Err(Refusal::WrongToken)
            }
        }
    }

    async fn admitted(
        &self,
        account: Account,
        token: Option<Token>,
        token_hash: Option<TokenHash>,
    ) -> Result<Login, Refusal> {
        let owner = account.name.clone();
        let lists = self
            .thread
            .ask(move |directory| Ok((directory.blocked(&owner)?, directory.blockers(&owner)?)));
        let (blocked, blocked_by) = lists.await.map_err(|error| busy(&error))?;
        Ok(Login {
            level: account.level,
            account: Some(account.name),
            account_key: account.account_key,
            token,
            token_hash,
            blocked,
            blocked_by,
        })
    }

    /// Makes the token of an login good, once its owner has joined.
    ///
    /// # Errors
    /// [`DirectoryError`]; the token is worth nothing then.
    pub async fn keep_token(&self, login: &Login) -> Result<(), DirectoryError> {
        let (Some(name), Some(token), true) =
            (login.account.clone(), login.token_hash, login.token.is_some())
        else {
            return Ok(());
        };
        let (account_key, expires) = (login.account_key, unix_now().saturating_add(LIFETIME));
        let keep = move |directory: &mut dyn Directory| match directory.account(&name)? {
            Some(account) if account.account_key == account_key => {
                directory.add_token(&name, token, expires)
            }
            // It was removed, or got another password, while its owner joined.
            _ => Ok(()),
        };
        self.thread.ask(keep).await
    }

    /// Whose account has this name, or one that looks like it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn owner_or_look_alike(
        &self,
        name: &Username,
    ) -> Result<Option<Username>, DirectoryError> {
        let name = name.clone();
        self.thread.ask(move |directory| owner_or_look_alike(directory, &name)).await
    }

    /// The accounts that block somebody.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn blockers(&self, name: &Username) -> Result<Vec<(i64, Username)>, DirectoryError> {
        let name = name.clone();
        self.thread.ask(move |directory| directory.blockers(&name)).await
    }

    /// The account of a name.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn account(&self, name: &Username) -> Result<Option<Account>, DirectoryError> {
        let name = name.clone();
        self.thread.ask(move |directory| directory.account(&name)).await
    }

    /// The first accounts, in the order of their names.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn list(&self, limit: usize) -> Result<Vec<Account>, DirectoryError> {
        self.thread.ask(move |directory| directory.list(limit)).await
    }

    pub(super) fn begin(&self, name: &Username, peer: IpAddr) -> Result<Try, TooMany> {
        let now = self.now();
        self.guards().passwords.begin(now, name.key(), peer)
    }

    /// Checks a password, and makes its hash anew if it was made at another cost. What goes wrong on our side is no try.
    pub(super) async fn check(
        &self,
        name: &Username,
        secret: Secret,
        this: &Try,
    ) -> Result<Account, Refused> {
        let checked = async {
            let account = self.account(name).await?;
            let hash = account.as_ref().map(|account| account.password.clone());
            let verdict = self.hashing.check(secret.clone(), hash).await?;
            Ok::<_, Refused>((account, verdict))
        };
        let (account, verdict) = checked.await.inspect_err(|_| {
            self.guards().passwords.give_up(this);
        })?;
        let account = account.ok_or(Refused::NoAccount)?;
        match verdict {
            Verdict::Wrong => return Err(Refused::WrongPassword),
            Verdict::Right => {}
            Verdict::RightButOld => self.rehash(&account, secret).await,
        }
        Ok(account)
    }

    /// It can wait until the next login if it fails.
    async fn rehash(&self, account: &Account, secret: Secret) {
        let Ok(new) = self.hashing.make(secret).await else { return };
        let (name, old): (Username, PasswordHash) =
            (account.name.clone(), account.password.clone());
        let replaced =
            self.thread.ask(move |directory| directory.replace_hash(&name, &old, &new)).await;
        match replaced {
            Ok(()) => tracing::info!(name = %account.name, "password hashed anew"),
            Err(error) => tracing::warn!(%error, "a password could not be hashed anew"),
        }
    }
}

fn owner_or_look_alike(
    directory: &mut dyn Directory,
    name: &Username,
) -> Result<Option<Username>, DirectoryError> {
    match directory.account(name)? {
        Some(account) => Ok(Some(account.name)),
        None => directory.look_alike(name),
    }
}

fn busy(error: &dyn std::error::Error) -> Refusal {
    tracing::warn!(%error, "a login could not be checked");
    Refusal::Busy
}

#[cfg(test)]
mod tests;
