//! The user that a command is about, who may be here or not.

use chatterbox_hub::{AccountRef, Level, LoggedIn, MemberId, RoomMember};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::context::Context;
use crate::commands::reply::Rejection;

/// A user, who may be online or not.
pub(super) struct Subject {
    pub(super) name: Username,
    pub(super) account: Option<LoggedIn>,
    /// The highest of the account's level and the levels of all its connections.
    pub(super) level: Level,
    /// The member who is here under the name, if anybody is.
    member: Option<MemberId>,
}

impl Subject {
    /// The user of a name: the member who has it now, otherwise the account of that name.
    ///
    /// # Errors
    /// [`Rejection`] with `no-such-user`, or that accounts can't be read.
    pub(super) async fn find(context: &Context<'_>, name: &Username) -> Result<Self, Rejection> {
        let port = &context.caller.port;
        let here = port.find(name);
        let member = port.member_named(name);
        let account = match &here {
            Some(here) => here.account(),
            None => Some(name),
        };
        let stored = match account {
            Some(account) => context.state.accounts.account(account).await?,
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
        let members = account.as_ref().map(|login| port.logged_in(login)).unwrap_or_default();
        let anywhere = members.iter().map(|(_, identity)| identity.actor().level).max();
        let Some(level) = now.max(lasting).max(anywhere) else { return Err(nobody(name)) };
        let spelling = here.map(|here| here.name).or_else(|| stored.map(|account| account.name));
        Ok(Self { name: spelling.unwrap_or_else(|| name.clone()), account, level, member })
    }

    /// The same as rooms know them: by the account, or a guest as long as they are here.
    ///
    /// # Errors
    /// [`Rejection`] with `no-such-user` when they have left.
    pub(super) fn as_room_member(&self) -> Result<RoomMember, Rejection> {
        let account =
            self.account.as_ref().map(|login| RoomMember::Account(AccountRef::from(login)));
        let member = account.or_else(|| self.member.map(RoomMember::Guest));
        member.ok_or_else(|| nobody(&self.name))
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
