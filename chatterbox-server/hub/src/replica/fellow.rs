//! Who comes as another device of a user who is here, and who goes on with a session of theirs (DV-1, DV-2).

use chatterbox_proto::{Capability, Refusal, Username, limits};

use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionId, SessionProof};
use crate::replica::proposal::Join;
use crate::replica::state::Replica;

impl Replica {
    /// The session of a key, if it can be resumed under this name: the account of its user, if there is one.
    pub(crate) fn resumable(&self, key: SessionProof, name: &Username) -> Option<Option<LoggedIn>> {
        let (_, session) = self.sessions.find(key, name)?;
        let is_theirs = match (self.who(name), session.member) {
            // Somebody else may have the name now, unless they are another device of the same user.
            (Some(here), None) => self.presence.identity(here).is_some_and(|here| {
                has_devices(here) && is_same_account(here.login.as_ref(), session.account.as_ref())
            }),
            (Some(here), Some(member)) => self.presence.devices(here).any(|id| id == member),
            (None, member) => member.is_none(),
        };
        is_theirs.then(|| session.account.clone())
    }

    /// The device of a user who is here that somebody joins as another one (DV-1): both speak of devices, and they have proven
    /// the same account.
    ///
    /// # Errors
    /// [`Refusal::TooManyDevices`].
    pub(super) fn fellow(&self, identity: &Identity) -> Result<Option<MemberId>, Refusal> {
        let here = self.presence.find(&identity.name).filter(|(_, here)| {
            let both = has_devices(here) && has_devices(identity);
            both && is_same_account(here.login.as_ref(), identity.login.as_ref())
        });
        let Some((here, _)) = here else { return Ok(None) };
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
        let goes_on = || {
            let member = self.sessions.member(id);
            member.is_some()
                || self.who(name).is_none()
                || self.fellow(&join.identity).is_ok_and(|one| one.is_some())
        };
        (login == join.identity.login && goes_on()).then_some(id)
    }
}

/// Whether several connections of a user may be here (DV-1).
fn has_devices(identity: &Identity) -> bool {
    identity.agreed.unwrap_or_default().has(Capability::Devices)
}

fn is_same_account(one: Option<&LoggedIn>, other: Option<&LoggedIn>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.is_same_account(other))
}
