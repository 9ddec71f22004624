//! Who a member is: the one record of a person who is here, whatever they speak.
//!
//! The hub keeps it for everybody, base clients included. Names say who is meant; whether two members have the same
//! account is decided by the account's number, because a name can be registered anew by somebody else.

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;
use std::sync::Arc;

use chatterbox_proto::{Capabilities, Username};
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::filing::Party;
use crate::level::Level;

/// An account, whatever its name, and which of its logins are good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountKey {
    /// Never used twice: a name that is registered anew has an account of another number.
    pub id: i64,
    /// Counts what ended all logins: a new password, logging out everywhere.
    pub epoch: i64,
}

/// The account that a login proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// Its name, as it was registered.
    pub account: Username,
    /// Its number and epoch.
    pub account_key: AccountKey,
}

impl LoggedIn {
    /// Whether both are logins of one account, in whatever epoch.
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.account_key.id == other.account_key.id
    }
}

/// Who somebody is at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name under which they are here.
    pub name: Username,
    /// The account that they are logged in with, which a nick does not change; `None` is a guest.
    pub login: Option<LoggedIn>,
    /// The level of the account; 0 without one.
    pub level: Level,
    /// Whether they have given the admin password.
    pub elevated: bool,
    /// Where they come from; `None` where nobody can tell.
    pub address: Option<IpAddr>,
    /// When they joined, in seconds since 1970 UTC.
    pub since: i64,
    /// What they said when they went away, which may be nothing; `None` while they are not away (PR-2).
    pub away: Option<Arc<str>>,
    /// What is in force; `None` for a client that offered nothing.
    pub agreed: Option<Capabilities>,
}

/// What permissions are decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The level at the moment.
    pub level: Level,
    /// Whether they are logged in with an account.
    pub registered: bool,
}

impl Identity {
    /// A guest who speaks the base protocol.
    pub fn guest(name: Username) -> Self {
        Self {
            name,
            login: None,
            level: Level::GUEST,
            elevated: false,
            address: None,
            since: 0,
            away: None,
            agreed: None,
        }
    }

    /// The name of their account.
    pub fn account(&self) -> Option<&Username> {
        self.login.as_ref().map(|login| &login.account)
    }

    /// The names under which they are known now.
    pub fn names(&self) -> impl Iterator<Item = &Username> {
        std::iter::once(&self.name).chain(self.account())
    }

    /// What is filed under them from now on.
    pub fn party(&self) -> Party {
        self.login.as_ref().map_or_else(
            || Party::Guest(self.name.clone()),
            |login| Party::Account(login.account_key.id),
        )
    }

    /// All that they may read: what is filed under their name, and under their account.
    pub fn parties(&self) -> Vec<Party> {
        let account = self.login.as_ref().map(|login| Party::Account(login.account_key.id));
        std::iter::once(Party::Guest(self.name.clone())).chain(account).collect()
    }

    /// Whether they speak the base protocol only.
    pub fn is_base(&self) -> bool {
        self.agreed.unwrap_or_default().is_empty()
    }

    /// What they may do now.
    pub fn actor(&self) -> Actor {
        let level = if self.elevated { Level::ADMIN } else { self.level };
        Actor { level, registered: self.login.is_some() }
    }
}

impl Digest for AccountKey {
    fn digest(&self, to: &mut Digester) {
        let Self { id, epoch } = self;
        to.add(id).add(epoch);
    }
}

impl Digest for LoggedIn {
    fn digest(&self, to: &mut Digester) {
        let Self { account, account_key } = self;
        to.add(account).add(account_key);
    }
}

impl Digest for Identity {
    fn digest(&self, to: &mut Digester) {
        let Self { name, login, level, elevated, address, since, away, agreed } = self;
        to.add(name).add(login).add(&level.number()).add(elevated).add(address).add(since);
        to.add(away).add(agreed);
    }
}
