//! Who comes as another device of a user who is here, and who goes on with a session of theirs (DV-1, DV-2).

use chatterbox_proto::{Capability, Refusal, Username, limits};

use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionId, SessionProof};
use crate::replica::proposal::Join;
use crate::replica::sessions::Session;
use crate::replica::state::Replica;

impl Replica {
    /// The session of a key, if it can be resumed under this name: the account of its user, if there is one.
    pub(crate) fn resumable(&self, key: SessionProof, name: &Username) -> Option<Option<LoggedIn>> {
        let (_, session) = self.session_by(key, name)?;
        let is_theirs = match (self.who(&session.name), session.member) {
            // Somebody else may have the name now, unless they are another device of the same user.
            (Some(here), None) => self.are_devices_of(here, session.account.as_ref()),
            (Some(here), Some(member)) => self.presence.devices(here).any(|id| id == member),
            (None, member) => member.is_none(),
        };
        is_theirs.then(|| session.account.clone())
    }

    /// The session of a key, by its name. A device that was cut off does not know that another one has changed the name since: by the
    /// name of its account, which nobody else has meanwhile, it finds its session as well (DV-2).
    fn session_by(&self, key: SessionProof, name: &Username) -> Option<(SessionId, &Session)> {
        let (id, session) = self.sessions.of_key(key)?;
        let is_of_account = || session.account.as_ref().is_some_and(|login| login.account == *name);
        let is_of_nick = || {
            let here = self.who(&session.name);
            here.is_some_and(|here| self.are_devices_of(here, session.account.as_ref()))
        };
        let is_found =
            session.name == *name || (is_of_account() && self.who(name).is_none() && is_of_nick());
        is_found.then_some((id, session))
    }

    /// The name under which a device goes on with its session, if that is another one than it has asked for.
    pub(super) fn name_of_now(&self, join: &Join) -> Option<Username> {
        let Join { identity, resume, .. } = join;
        let (_, session) = self.session_by(resume.as_ref()?.key?, &identity.name)?;
        let is_theirs = session.account.is_some() && session.account == identity.login;
        let is_other = session.name != identity.name;
        (is_other && is_theirs && has_devices(identity)).then(|| session.name.clone())
    }

    /// The device of a user who is here that somebody joins as another one (DV-1): all of them speak of devices, and they have
    /// proven the same account.
    ///
    /// # Errors
    /// [`Refusal::TooManyDevices`].
    pub(super) fn fellow(&self, identity: &Identity) -> Result<Option<MemberId>, Refusal> {
        let here = self.who(&identity.name).filter(|here| {
            has_devices(identity) && self.are_devices_of(*here, identity.login.as_ref())
        });
        let Some(here) = here else { return Ok(None) };
        let is_full = self.presence.devices(here).count() >= limits::DEVICES;
        if is_full { Err(Refusal::TooManyDevices) } else { Ok(Some(here)) }
    }

    /// The session that somebody can resume.
    pub(super) fn session_of(&self, join: &Join) -> Option<SessionId> {
        let key = join.resume?.key?;
        let name = &join.identity.name;
        let (id, _) = self.sessions.find(key, name)?;
        // It may have been logged out, or in, since the login was checked; and a user who was let in as somebody else
        // resumes nothing of it.
        let login = self.resumable(key, name)?;
        let goes_on = || match self.sessions.member(id) {
            // It takes the place of that one, and is one of several devices as that was.
            Some(member) => {
                has_devices(&join.identity) || self.presence.other_devices(member).next().is_none()
            }
            None => {
                self.who(name).is_none()
                    || self.fellow(&join.identity).is_ok_and(|one| one.is_some())
            }
        };
        (login == join.identity.login && goes_on()).then_some(id)
    }

    /// Whether somebody's session is there and theirs, but other devices of their user are here and it does not speak of devices: it
    /// can resume when these have gone (DV-2).
    pub(super) fn is_beside_devices(&self, join: &Join) -> bool {
        let name = &join.identity.name;
        let key = join.resume.and_then(|resume| resume.key);
        let session = key.and_then(|key| self.resumable(key, name));
        let is_theirs = session.is_some_and(|login| login == join.identity.login);
        is_theirs && !has_devices(&join.identity) && self.who(name).is_some()
    }

    /// Whether all connections of the user of a member speak of devices (DV-1).
    pub(super) fn have_devices(&self, member: MemberId) -> bool {
        let mut all = self.presence.devices(member);
        all.all(|device| self.presence.identity(device).is_some_and(has_devices))
    }

    /// Whether they do, and have proven this account.
    fn are_devices_of(&self, member: MemberId, account: Option<&LoggedIn>) -> bool {
        let login = self.presence.identity(member).and_then(|here| here.login.as_ref());
        is_same_account(login, account) && self.have_devices(member)
    }
}

/// Whether a connection agreed to be one of several of its user.
fn has_devices(identity: &Identity) -> bool {
    identity.agreed.unwrap_or_default().has(Capability::Devices)
}

fn is_same_account(one: Option<&LoggedIn>, other: Option<&LoggedIn>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.is_same_account(other))
}
