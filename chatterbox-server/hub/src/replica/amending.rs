//! Who is logged in with which account: what commands change of it for one member, and what ends the logins of many.

use crate::identity::{AccountKey, Identity, LoggedIn};
use crate::ids::MemberId;
use crate::removal::Removal;
use crate::replica::effect::{Effect, LoginsEnded, Refused};
use crate::replica::ended_logins::{AccountChange, AccountChangeKind};
use crate::replica::presence::Stale;
use crate::replica::proposal::{Amendment, Login};
use crate::replica::rooms::definition::AccountRef;
use crate::replica::rooms::told::RoomTold;
use crate::replica::sanctions::Known;
use crate::replica::state::Replica;

impl Replica {
    /// Changes the account or the level of a member. One of several devices that is not logged in with their account any more
    /// is removed: it has their name by that account alone.
    pub(super) fn amended(
        &mut self,
        member: MemberId,
        amendment: Amendment,
    ) -> Result<Effect, Refused> {
        let person = self.presence.person(member).ok_or(Refused::NotHere)?;
        let before = person.identity.login.as_ref();
        let stays = match &amendment.login {
            None => true,
            Some(Login::In(login)) => before.is_some_and(|before| before.is_same_account(login)),
            Some(Login::Out) => before.is_none(),
        };
        if stays || self.presence.other_devices(member).next().is_none() {
            let (stale, rooms) = self.amend(member, amendment)?;
            return Ok(Effect::Unseen(stale, rooms));
        }
        let (asked, after) = match amendment.login {
            Some(Login::In(login)) => (false, Some(login)),
            Some(Login::Out) | None => (true, None),
        };
        // Whoever resumes the session later has to show the login that it has now.
        let session = person.connection.session;
        if let Some(session) = session.and_then(|session| self.sessions.session_mut(session)) {
            session.account = after;
        }
        let left = self.remove(member).ok_or(Refused::NotHere)?;
        if asked {
            return Ok(Effect::LoggedOut(left));
        }
        Ok(Effect::LoginsEnded(LoginsEnded {
            left: vec![left],
            reason: Removal::LoggedOut,
            removed: None,
            stale: Stale::default(),
            rooms: Vec::new(),
        }))
    }

    /// Changes the account or the level of a member; the name stays. A session that is resumed does not prove its account
    /// again, so it remembers it.
    fn amend(
        &mut self,
        member: MemberId,
        amendment: Amendment,
    ) -> Result<(Stale, Vec<RoomTold>), Refused> {
        let person = self.presence.person(member).ok_or(Refused::NotHere)?;
        let session = person.connection.session;
        let before = person.identity.login.clone();
        let after = match &amendment.login {
            None => before.clone(),
            Some(Login::In(login)) => Some(login.clone()),
            Some(Login::Out) => None,
        };
        let is_other = before.as_ref().map(|login| login.account_key.id)
            != after.as_ref().map(|login| login.account_key.id);
        if let (None, Some(login)) = (&before, &after) {
            let who = Known { identity: &person.identity, member: Some(member), session };
            self.sanctions.follow(who, &AccountRef::from(login));
        }
        let level = person.identity.actor().level;
        let switched = is_other
            .then(|| self.account_changed_in_rooms(member, before.as_ref(), after.as_ref()));
        let after = after.filter(|_| is_other);
        let in_rooms = [before, after].map(|login| self.names_in_rooms(login.as_ref()));
        let stale = self.presence.amend(member, |identity| amendment.apply(identity));
        let login = self.presence.identity(member).and_then(|identity| identity.login.clone());
        if let Some(session) = session.and_then(|session| self.sessions.session_mut(session)) {
            session.account = login;
        }
        let mut rooms = Vec::from_iter(switched);
        rooms.extend(in_rooms.into_iter().flat_map(|names| self.renamed_in_rooms(names)));
        if !is_other {
            rooms.extend(self.promoted_in_rooms(member, level));
        }
        Ok((stale, rooms))
    }

    /// Removes the members whose logins a change has ended. Their sessions can't be resumed: who resumes one has to show a
    /// login that is good.
    ///
    /// A login is checked before its user joins, so a change may come between the two. The newest changes are therefore
    /// remembered, and nobody is let in with a login that one of them has ended.
    pub(super) fn end_logins(&mut self, change: &AccountChange) -> LoginsEnded {
        self.ended_logins.note(change);
        let account = LoggedIn {
            account: change.name.clone(),
            account_key: AccountKey { id: change.account, epoch: 0 },
        };
        let (spared, reason) = match change.kind {
            AccountChangeKind::Removed => (None, Removal::AccountRemoved),
            AccountChangeKind::LoginsEnded { spared, .. } => (spared, Removal::LoggedOut),
        };
        let is_over = |identity: &Identity| {
            identity.login.as_ref().is_some_and(|login| self.ended_logins.has(login))
        };
        let with_account = self.presence.logged_in(&account);
        let ended: Vec<_> = with_account
            .filter(|(member, identity)| Some(*member) != spared && is_over(identity))
            .map(|(member, _)| member)
            .collect();
        let left = ended.into_iter().filter_map(|member| self.remove(member)).collect();
        let mut stale = Stale::default();
        if let (Some(spared), AccountChangeKind::LoginsEnded { epoch, .. }) = (spared, change.kind)
            && let Some(login) = self.presence.identity(spared).and_then(|who| who.login.clone())
            && login.is_same_account(&account)
        {
            let AccountKey { id, epoch: before } = login.account_key;
            let account_key = AccountKey { id, epoch: before.max(epoch) };
            let amendment = Amendment::logged_in(LoggedIn { account_key, ..login });
            stale.extend(self.amend(spared, amendment).unwrap_or_default().0);
        }
        let removed = (change.kind == AccountChangeKind::Removed).then_some(change.account);
        if let Some(removed) = removed {
            self.sanctions.forget(|sanction| sanction.is_on_account(removed));
        }
        let account = AccountRef::from(&account);
        let rooms = removed.map(|_| self.account_leaves_rooms(&account)).unwrap_or_default();
        LoginsEnded { left, reason, removed, stale, rooms }
    }
}
