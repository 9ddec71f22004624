//! Several members that are one user.

use super::*;

impl Model {
    /// The places of all devices of the user of one.
    pub(super) fn devices(&self, place: usize) -> Vec<usize> {
        let name = self.members[place].name;
        (0..self.members.len()).filter(|other| self.members[*other].name == name).collect()
    }

    /// Whether those who have a name are devices of whoever has logged in like this.
    pub(super) fn are_fellows(&self, wanted: usize, login: Option<(i64, i64)>) -> bool {
        let here: Vec<_> = self.members.iter().filter(|member| member.name == wanted).collect();
        let are_all = here.iter().all(|one| {
            one.has_devices && login.is_some_and(|(id, _)| one.login.is_some_and(|own| own.0 == id))
        });
        are_all && !here.is_empty()
    }

    /// What somebody is told who may only resume, and can't: the name is taken where their session is there, but not for a
    /// connection without devices beside those that are here.
    pub(super) fn not_resumable(
        &self,
        wanted: usize,
        login: Option<(i64, i64)>,
        join: &Join,
    ) -> Refused {
        let agreed = join.identity.agreed.unwrap();
        let is_alone = agreed.has(Capability::Ids) && !agreed.has(Capability::Devices);
        let key = join.resume.and_then(|resume| resume.key);
        let is_theirs = key.is_some_and(|key| {
            let number = usize::try_from(key.id().0).unwrap();
            let Some(session) = self.sessions.get(number) else { return false };
            let is_kept = session.member.is_some() || self.now - session.ended < RESUMABLE;
            let is_same = session.name == wanted && session.login == login;
            let is_beside = match session.member {
                Some(member) => {
                    self.members.iter().any(|one| one.id == member && one.name == wanted)
                }
                None => self.are_fellows(wanted, login),
            };
            is_kept && is_same && is_beside && session.secret == key.verifier.0
        });
        if is_alone && is_theirs { Refusal::Taken.into() } else { Refused::NotResumable }
    }

    /// The name that the user of a session has now, where somebody resumes it by the name of the account.
    pub(super) fn name_of_now(
        &self,
        wanted: usize,
        login: Option<(i64, i64)>,
        join: &Join,
    ) -> usize {
        let agreed = join.identity.agreed.unwrap();
        let speaks = agreed.has(Capability::Ids) && agreed.has(Capability::Devices);
        let (Some(key), Some((account, _))) =
            (join.resume.and_then(|resume| resume.key), login.filter(|_| speaks))
        else {
            return wanted;
        };
        let is_own = ACCOUNTS[usize::try_from(account).unwrap()] == NAMES[wanted];
        let session = self.sessions.get(usize::try_from(key.id().0).unwrap());
        let session = session.filter(|session| {
            let is_there = session.member.is_some() || self.now - session.ended < RESUMABLE;
            let is_theirs = session.secret == key.verifier.0 && session.login == login;
            is_there && is_theirs && self.are_fellows(session.name, login)
        });
        session.filter(|_| is_own && self.who(wanted).is_none()).map_or(wanted, |one| one.name)
    }

    /// What devices are called that are cut off, when one that is here is called otherwise.
    pub(super) fn rename_cut_off(&mut self, place: usize, old: usize, to: usize) {
        let login = self.members[place].login;
        if !self.are_fellows(to, login) {
            return;
        }
        let account = |login: Option<(i64, i64)>| login.map(|(id, _)| id);
        for session in &mut self.sessions {
            let is_theirs = account(session.login) == account(login);
            if session.member.is_none() && is_theirs && session.name == old {
                session.name = to;
            }
        }
    }

    /// Somebody has another account, or none any more. One of several devices goes for it: the name is not its own.
    pub(super) fn logs_in_otherwise(&mut self, place: usize, login: Option<(i64, i64)>) -> String {
        let is_other = self.members[place].login.map(|(id, _)| id) != login.map(|(id, _)| id);
        if let Some(session) = self.members[place].session {
            self.sessions[session].login = login;
        }
        if !is_other || self.devices(place).len() == 1 {
            self.members[place].login = login;
            return "unseen".to_owned();
        }
        let told = if login.is_none() { "logged out" } else { "logins ended" };
        told.to_owned() + &self.remove(place)
    }

    /// Who gets a private message beside the one that it is to.
    pub(super) fn copies(&self, by: u64, to: Option<u64>) -> Vec<u64> {
        let name_of = |id: u64| {
            let found = self.members.iter().find(|member| member.id == id);
            found.map(|member| member.name)
        };
        let names = [name_of(by), to.and_then(name_of)];
        let others = self.members.iter().filter(|one| one.id != by && Some(one.id) != to);
        others.filter(|one| names.contains(&Some(one.name))).map(|one| one.id).collect()
    }
}
