//! Acts against users, as the command line asks for them. Whoever implements [`Moderator`] decides, keeps and audits them.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// Puts users out, keeps them out and lets them in again, with the rights of the server itself: no rank is above it.
pub trait Moderator: Send + Sync + Debug {
    /// Ends all connections of a user (MO-2).
    fn kick(&self, kick: Kick) -> BoxFuture<'_, Result<Done, NotDone>>;

    /// Keeps somebody out; the connections that it hits have ended when this is done (MO-4, MO-5).
    fn ban(&self, ban: Ban) -> BoxFuture<'_, Result<Done, NotDone>>;

    /// Ends a ban.
    fn unban(&self, unban: Unban) -> BoxFuture<'_, Result<Done, NotDone>>;
}

/// A user is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kick {
    /// The user's name, as it was typed.
    pub user: String,
    /// Why, for the user; it may be empty.
    pub reason: String,
    /// Nobody but the user is told.
    pub silent: bool,
}

/// Somebody is to stay out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// A user's name, an address or a CIDR, as it was typed.
    pub subject: String,
    /// For how many seconds; `None` is until it is ended.
    pub seconds: Option<u64>,
    /// Why, for the user; it may be empty.
    pub reason: String,
    /// Nobody but the user is told.
    pub silent: bool,
    /// Of an address, only who is not logged in.
    pub guests: bool,
    /// That it hits others as well has been answered with yes (MO-6).
    pub sure: bool,
}

/// A ban is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unban {
    /// A user's name, an address, a CIDR or the number of a ban, as it was typed.
    pub subject: String,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Whom it is about: the name or the network as it is written.
    pub about: String,
    /// The number of the ban.
    pub number: Option<i64>,
    /// When it ends, in seconds since 1970 UTC.
    pub until: Option<i64>,
    /// How many connections have ended.
    pub ended: usize,
    /// The whole for a person: one sentence.
    pub info: String,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// Nobody of this name is here, or has an account.
    #[error("there is no user {0}")]
    NoSuchUser(String),
    /// No ban is on this subject, or has this number.
    #[error("there is no ban {0}")]
    NoSuchBan(String),
    /// It would end connections of so many others (MO-6).
    #[error("this would also end the connections of {0} others")]
    HitsOthers(usize),
    /// It would keep out whoever must not be kept out.
    #[error("this would lock out {0}")]
    WouldLockOut(String),
    /// The arguments make no sense.
    #[error("{0}")]
    BadArguments(String),
    /// Nobody may do it.
    #[error("{0}")]
    Forbidden(String),
    /// The server has failed at it.
    #[error("{0}")]
    Failed(String),
    /// It can't be stored.
    #[error("the server can't store this now: nothing was done")]
    NotStored,
    /// This server has no accounts, or is about to stop.
    #[error("this server can't do that now")]
    Unknown,
}
