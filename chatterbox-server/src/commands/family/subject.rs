//! The user that a command is about, who may be here or not.

use std::net::IpAddr;

use chatterbox_hub::{
    AccountRef, Level, LoggedIn, MemberId, RoomMember, Sanction, SanctionSubject,
};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::context::Context;
use crate::commands::moderating::ModerationPort;
use crate::commands::reply::Rejection;
use crate::commands::state::CommandState;

/// A user, who may be online or not.
#[derive(Debug)]
pub(in crate::commands) struct Subject {
    pub(in crate::commands) name: Username,
    pub(in crate::commands) account: Option<LoggedIn>,
    /// The highest of the account's level and the levels of all its connections.
    pub(in crate::commands) level: Level,
    /// The member who is here under the name, if anybody is.
    member: Option<MemberId>,
    /// Where they come from.
    address: Option<IpAddr>,
}

impl Subject {
    /// The user of a name: the member who has it now, otherwise the account of that name.
    ///
    /// # Errors
    /// [`Rejection`] with `no-such-user`, or that accounts can't be read.
    pub(super) async fn find(context: &Context<'_>, name: &Username) -> Result<Self, Rejection> {
        Self::find_by(context.state, context.caller.port.moderation(), name).await
    }

    /// The same for whoever is no caller.
    ///
    /// # Errors
    /// As [`Subject::find`].
    pub(in crate::commands) async fn find_by(
        state: &CommandState,
        port: &dyn ModerationPort,
        name: &Username,
    ) -> Result<Self, Rejection> {
        let (member, here) = port.here(name).unzip();
        let account = match &here {
            Some(here) => here.account(),
            None => Some(name),
        };
        let stored = match account {
            Some(account) => state.accounts.account(account).await?,
            None => None,
        };
        // An account of the same name may have another owner by now.
        let claimed = here.as_ref().and_then(|here| here.login.as_ref());
        let stored = stored.filter(|account| {
            claimed.is_none_or(|login| login.account_key.id == account.account_key.id)
        });
        let account = stored.as_ref().map(|account| LoggedIn {
            account: account.name.clone(),
            account_key: account.account_key,
        });
        let now = here.as_ref().map(|here| here.actor().level);
        let lasting = stored.as_ref().map(|account| account.level);
        let members = account.as_ref().map(|login| port.with_account(login)).unwrap_or_default();
        let anywhere = members.iter().map(|(_, identity)| identity.actor().level).max();
        let mut member = member;
        let mut level = now.max(lasting).max(anywhere);
        if level.is_none() {
            // A guest whose connection has ended may come back to where they were.
            member = port.cut_off(name);
            level = member.map(|_| Level::GUEST);
        }
        let Some(level) = level else { return Err(nobody(name)) };
        let address = here.as_ref().and_then(|here| here.address);
        let spelling = here.map(|here| here.name).or_else(|| stored.map(|account| account.name));
        let name = spelling.unwrap_or_else(|| name.clone());
        Ok(Self { name, account, level, member, address })
    }

    /// The highest of an account's level and the levels of all its connections; the lowest when it is there no more.
    ///
    /// # Errors
    /// [`Rejection`]: accounts can't be read.
    pub(super) async fn level_of(
        context: &Context<'_>,
        on: &AccountRef,
    ) -> Result<Level, Rejection> {
        let stored = context.state.accounts.account(&on.name).await?;
        let stored = stored.filter(|account| account.account_key.id == on.id);
        let Some(stored) = stored else { return Ok(Level::GUEST) };
        let login = LoggedIn { account: stored.name, account_key: stored.account_key };
        let members = context.caller.port.moderation().with_account(&login);
        let anywhere = members.iter().map(|(_, identity)| identity.actor().level).max();
        Ok(anywhere.map_or(stored.level, |anywhere| anywhere.max(stored.level)))
    }

    /// The same as rooms know them: by the account, or a guest as long as they are here.
    ///
    /// # Errors
    /// [`Rejection`] with `no-such-user` when they have left.
    pub(in crate::commands) fn as_room_member(&self) -> Result<RoomMember, Rejection> {
        let account =
            self.account.as_ref().map(|login| RoomMember::Account(AccountRef::from(login)));
        let member = account.or_else(|| self.member.map(RoomMember::Guest));
        member.ok_or_else(|| nobody(&self.name))
    }

    /// The same as sanctions know them: by the account, or a guest by name and connection, for they may have another name when
    /// the sanction holds.
    pub(in crate::commands) fn as_sanctioned(&self) -> SanctionSubject {
        match &self.account {
            Some(login) => SanctionSubject::Account(AccountRef::from(login)),
            None => SanctionSubject::Guest {
                name: self.name.clone(),
                session: None,
                member: self.member,
            },
        }
    }

    /// The member who is here under the name, if anybody is.
    pub(in crate::commands) const fn member(&self) -> Option<MemberId> {
        self.member
    }

    /// Where they come from, if they are here and anybody can tell.
    pub(in crate::commands) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether a sanction is on them, whatever they were called then.
    pub(in crate::commands) fn is_under(&self, sanction: &Sanction) -> bool {
        match &sanction.subject {
            SanctionSubject::Account(on) => {
                self.account.as_ref().is_some_and(|login| login.account_key.id == on.id)
            }
            SanctionSubject::Guest { member, .. } => member.is_some() && *member == self.member,
            SanctionSubject::Name(_) | SanctionSubject::Network { .. } => false,
        }
    }

    /// Whether they are the caller.
    pub(super) fn is_caller(&self, context: &Context<'_>) -> bool {
        let own = context.who().login;
        let same =
            self.account.as_ref().zip(own).is_some_and(|(its, own)| its.is_same_account(&own));
        same || self.member == Some(context.caller.port.id())
    }
}

fn nobody(name: &Username) -> Rejection {
    Rejection::new(OutcomeCode::NoSuchUser, format!("There is nobody called {name}."))
}
