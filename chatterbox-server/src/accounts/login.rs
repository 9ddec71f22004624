//! Authentication: by password, by login token, as a guest, or by a session that is resumed; with the rate limits of all.
//!
//! The rules are here. Accounts are stored in a [`Directory`], hashed in `hashing`, and throttled by the hub's guard.

#![allow(clippy::disallowed_methods, reason = "the edge: rate limits and tokens need the time")]

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chatterbox_hub::guard::pace::{ByAddress, REGISTRATIONS};
use chatterbox_hub::guard::{Counter, Slope, Throttle, TooMany, Try, network};
use chatterbox_hub::{AccountKey, Level, LoggedIn, ReadMark, StoredMark};
use chatterbox_proto::capability::accounts::Proof;
use chatterbox_proto::{Refusal, Username};

use crate::accounts::directory::{Account, Directory, DirectoryError};
use crate::accounts::directory_thread::{DirectoryThread, Observer};
use crate::accounts::hashing::Hashing;
use crate::accounts::marks_directory::{MarksWritten, NewMark};
use crate::accounts::password_hash::{Cost, HashError, PasswordHash, Verdict};
use crate::accounts::secret::Secret;
use crate::accounts::token::{LIFETIME, Token, TokenHash};
use crate::accounts::visits::Visits;
use crate::ops::clock::unix_now;

/// The rate limit of wrong tokens from one address. They can't be guessed, but guessing is worth a refusal of its own.
const WRONG_TOKENS: Slope = Slope::after(50);

/// The addresses whose wrong tokens are counted.
const ADDRESSES: usize = 10_000;

/// How often changes of others are looked for while nobody calls the directory.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The result of authentication: a user who may have their name.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// The level of the account; a guest's without one.
    pub level: Level,
    /// The account; `None` is a guest.
    pub account: Option<Username>,
    /// Distinguishes it from other accounts of the same name.
    pub account_key: AccountKey,
    /// Issued after a password login; valid once [`Accounts::store_token`] has stored its hash.
    pub token: Option<Token>,
    /// The hash of the token that was given or is issued; logging out revokes it.
    pub token_hash: Option<TokenHash>,
    /// The block list.
    pub blocked: Vec<Username>,
    /// The accounts that block them: number and name.
    pub blocked_by: Vec<(i64, Username)>,
    /// How far they have read, by conversation.
    pub marks: Vec<StoredMark>,
}

impl Login {
    /// The account as a session keeps it; `None` is a guest.
    pub fn logged_in(&self) -> Option<LoggedIn> {
        let account = self.account.clone()?;
        Some(LoggedIn { account, account_key: self.account_key })
    }
}

/// Why an operation on an account was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The password is wrong.
    #[error("The password is wrong.")]
    WrongPassword,
    /// The rate limit is exceeded; the next attempt may be made after this time.
    #[error("Too many tries, wait {} s.", .0.as_secs() + 1)]
    Throttled(Duration),
    /// An account has this name, or one that looks like it.
    #[error("{0} is registered already, and looks the same or is the same.")]
    Registered(Username),
    /// The account does not exist (any more).
    #[error("There is no such account.")]
    NoAccount,
    /// There is no admin password.
    #[error("This server has no admin password.")]
    NoAdminPassword,
    /// A limit of the directory is reached.
    #[error("There is no room for more.")]
    Full,
    /// The store failed.
    #[error("The server can't store this now.")]
    Store(#[from] DirectoryError),
    /// Hashing failed.
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
    pub(super) directory: DirectoryThread,
    pub(super) hashing: Hashing,
    pub(super) visits: Visits,
    limits: Mutex<RateLimits>,
    began: Instant,
}

#[derive(Debug)]
pub(super) struct RateLimits {
    pub(super) passwords: Throttle,
    pub(super) elevations: Throttle,
    pub(super) room_passwords: Throttle,
    pub(super) registrations: ByAddress,
    wrong_tokens: Counter<IpAddr>,
}

impl Accounts {
    /// The accounts of this directory; password hashes have this cost.
    ///
    /// # Errors
    /// When a thread can't be started, or there are no random numbers.
    pub fn new(directory: impl Directory + 'static, cost: Cost) -> std::io::Result<Self> {
        Ok(Self {
            directory: DirectoryThread::new(directory)?,
            hashing: Hashing::new(cost).map_err(std::io::Error::other)?,
            visits: Visits::default(),
            limits: Mutex::new(RateLimits {
                passwords: Throttle::default(),
                elevations: Throttle::default(),
                room_passwords: Throttle::default(),
                registrations: ByAddress::new(REGISTRATIONS),
                wrong_tokens: Counter::new(WRONG_TOKENS, ADDRESSES),
            }),
            began: Instant::now(),
        })
    }

    /// From now on so many nodes of one chat count wrong passwords and registrations for themselves: each has its part of what may be
    /// done, and what was counted still counts.
    pub fn share_among(&self, nodes: usize) {
        let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
        let mut limits = self.limits();
        limits.passwords.share_among(nodes);
        limits.elevations.share_among(nodes);
        limits.room_passwords.share_among(nodes);
        limits.registrations.set_rate(REGISTRATIONS.shared_among(nodes));
        limits.wrong_tokens.set_slope(WRONG_TOKENS.shared_among(nodes));
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, RateLimits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock of the rate limits.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Tells `observer` of every change of an account from now on, until the future is dropped: of those of this server at
    /// once, of those that others make in the same store within a second.
    pub async fn watch(&self, observer: Observer) {
        let _observing = self.directory.observe(observer);
        loop {
            // Every call looks for changes first.
            let _ = self.directory.call(|_| Ok(())).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Authenticates a user for a name; whether the name is in use is up to the roster. A refused login changes nothing but
    /// the rate limits (AN-4).
    ///
    /// # Errors
    /// [`Refusal`]; `Busy` also when the directory fails: a broken store lets nobody in.
    pub async fn authenticate(
        &self,
        name: &Username,
        proof: Option<&Proof>,
        peer: IpAddr,
        guests: bool,
    ) -> Result<Login, Refusal> {
        let peer = network(peer);
        let login = match proof {
            None => self.authenticate_guest(name, guests).await,
            Some(Proof::Password(password)) => {
                self.authenticate_password(name, Secret::given(password.reveal()), peer).await
            }
            Some(Proof::Token(token)) => {
                self.authenticate_token(name, Token::given(token.reveal()).hash(), peer).await
            }
        };
        if let Err(refusal) = &login
            && proof.is_some()
        {
            tracing::info!(%name, %peer, reason = refusal.word(), "login failed");
        }
        login
    }

    async fn authenticate_guest(&self, name: &Username, guests: bool) -> Result<Login, Refusal> {
        let wanted = name.clone();
        // One call: every joining base client waits for it.
        let answer = self.directory.call(move |directory| {
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

    async fn authenticate_password(
        &self,
        name: &Username,
        secret: Secret,
        peer: IpAddr,
    ) -> Result<Login, Refusal> {
        let attempt = self.begin(name, peer).map_err(|_| Refusal::Throttled)?;
        let account = match self.verify(name, secret, &attempt).await {
            Ok(account) => account,
            Err(Refused::WrongPassword | Refused::NoAccount) => return Err(Refusal::WrongPassword),
            Err(error) => return Err(busy(&error)),
        };
        let now = self.now();
        self.limits().passwords.succeeded(now, attempt);
        let token = Token::generate().map_err(|error| busy(&error))?;
        let hash = token.hash();
        self.login(account, Some(token), Some(hash)).await
    }

    /// Authenticates a user who resumes a session that was logged in with this account. `None` when the account was removed
    /// since, or the logins of that time were revoked: the session proves nothing then.
    ///
    /// # Errors
    /// [`Refusal::Busy`].
    pub async fn resume(&self, login: &LoggedIn) -> Result<Option<Login>, Refusal> {
        match self.account(&login.account).await.map_err(|error| busy(&error))? {
            Some(account) if account.account_key == login.account_key => {
                self.login(account, None, None).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn authenticate_token(
        &self,
        name: &Username,
        token: TokenHash,
        peer: IpAddr,
    ) -> Result<Login, Refusal> {
        let owner = self.directory.call(move |directory| directory.token_owner(token, unix_now()));
        match owner.await.map_err(|error| busy(&error))? {
            // The token of another account proves nothing about this name.
            Some(account) if account.name == *name => self.login(account, None, Some(token)).await,
            _ => {
                // Valid tokens pass before the limit is checked: nobody is locked out by others behind the same address.
                let now = self.now();
                let mut limits = self.limits();
                if !limits.wrong_tokens.wait(now, &peer).is_zero() {
                    return Err(Refusal::Throttled);
                }
                limits.wrong_tokens.count(now, &peer);
                Err(Refusal::WrongToken)
            }
        }
    }

    async fn login(
        &self,
        account: Account,
        token: Option<Token>,
        token_hash: Option<TokenHash>,
    ) -> Result<Login, Refusal> {
        let owner = account.name.clone();
        let number = account.account_key.id;
        let stored = self.directory.call(move |directory| {
            let marks = directory.marks(number)?;
            Ok((directory.blocked(&owner)?, directory.blockers(&owner)?, marks))
        });
        let (blocked, blocked_by, marks) = stored.await.map_err(|error| busy(&error))?;
        Ok(Login {
            level: account.level,
            account: Some(account.name),
            account_key: account.account_key,
            token,
            token_hash,
            blocked,
            blocked_by,
            marks,
        })
    }

    /// Writes marks down, and returns those that are news.
    ///
    /// # Errors
    /// [`DirectoryError`]; the marks are given back, none of them was written.
    pub async fn set_marks(&self, marks: Vec<ReadMark>) -> MarksWritten {
        let new = |mark: &ReadMark| NewMark {
            account: mark.account.id,
            with: mark.with.clone(),
            upto: mark.upto,
        };
        let new: Vec<_> = marks.iter().map(new).collect();
        match self.directory.call(move |directory| directory.set_marks(&new)).await {
            Ok(news) => {
                let marks = marks.into_iter().zip(news);
                Ok(marks.filter(|(_, is_new)| *is_new).map(|(mark, _)| mark).collect())
            }
            Err(error) => Err((error, marks)),
        }
    }

    /// Stores the token that was issued for this login, once the user has joined.
    ///
    /// # Errors
    /// [`DirectoryError`]; the token is not valid then.
    pub async fn store_token(&self, login: &Login) -> Result<(), DirectoryError> {
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
            // The account was removed, or its password changed, while the user joined.
            _ => Ok(()),
        };
        self.directory.call(keep).await
    }

    /// The account that has this name, or one that looks like it.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn owner_or_look_alike(
        &self,
        name: &Username,
    ) -> Result<Option<LoggedIn>, DirectoryError> {
        let name = name.clone();
        let account =
            self.directory.call(move |directory| match owner_or_look_alike(directory, &name)? {
                Some(owner) => directory.account(&owner),
                None => Ok(None),
            });
        let login =
            |account: Account| LoggedIn { account: account.name, account_key: account.account_key };
        Ok(account.await?.map(login))
    }

    /// The accounts that block this user.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn blockers(&self, name: &Username) -> Result<Vec<(i64, Username)>, DirectoryError> {
        let name = name.clone();
        self.directory.call(move |directory| directory.blockers(&name)).await
    }

    /// The account of a name.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn account(&self, name: &Username) -> Result<Option<Account>, DirectoryError> {
        let name = name.clone();
        self.directory.call(move |directory| directory.account(&name)).await
    }

    /// The first accounts, in the order of their names.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn list(&self, limit: usize) -> Result<Vec<Account>, DirectoryError> {
        self.directory.call(move |directory| directory.list(limit)).await
    }

    /// Counts an attempt at a password, if the rate limit allows one.
    pub(super) fn begin(&self, name: &Username, peer: IpAddr) -> Result<Try, TooMany> {
        let now = self.now();
        self.limits().passwords.begin(now, name.key(), peer)
    }

    /// Verifies a password, and rehashes it if the hash has another cost. An error of the server does not count as an
    /// attempt.
    pub(super) async fn verify(
        &self,
        name: &Username,
        secret: Secret,
        attempt: &Try,
    ) -> Result<Account, Refused> {
        let checked = async {
            let account = self.account(name).await?;
            let hash = account.as_ref().map(|account| account.password.clone());
            let verdict = self.hashing.check(secret.clone(), hash).await?;
            Ok::<_, Refused>((account, verdict))
        };
        let (account, verdict) = checked.await.inspect_err(|_| {
            self.limits().passwords.give_up(attempt);
        })?;
        let account = account.ok_or(Refused::NoAccount)?;
        match verdict {
            Verdict::Wrong => return Err(Refused::WrongPassword),
            Verdict::Right => {}
            Verdict::RightButOld => self.rehash(&account, secret).await,
        }
        Ok(account)
    }

    /// Replaces the hash; if it fails, the next login tries again.
    async fn rehash(&self, account: &Account, secret: Secret) {
        let Ok(new) = self.hashing.make(secret).await else { return };
        let (name, old): (Username, PasswordHash) =
            (account.name.clone(), account.password.clone());
        let replaced =
            self.directory.call(move |directory| directory.replace_hash(&name, &old, &new)).await;
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
