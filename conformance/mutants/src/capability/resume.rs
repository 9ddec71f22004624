//! `RESUME`: going on where a connection broke off.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    agreed::Agreed,
    notices::last_words,
    state::{Resumption, Standing},
};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
};

impl Chat {
    /// Whether a session can go on under this name.
    pub(crate) fn resumption(
        &self,
        asked: &Value,
        name: &str,
        agreed: &Agreed,
    ) -> Option<Resumption> {
        let f = &self.faults;
        if f.acts(Fault::NeverResumes) {
            return None;
        }
        let after = asked.get("AFTER")?.as_u64()?;
        let token = asked.get("TOKEN")?.as_str()?;
        match self.sessions.get(token) {
            Some(session) if session.name == name || f.acts(Fault::TokenOfAnybody) => {}
            None if f.acts(Fault::AnyTokenResumes) => {}
            _ => return None,
        }
        // The name may be somebody else's by now.
        let account = self.sessions.get(token).and_then(|session| session.account.clone());
        let is_device = |member: &Member| {
            let speak = agreed.has("devices") && member.agreed.has("devices");
            account.is_some()
                && member.account == account
                && (speak || f.acts(Fault::DeviceResumedOfNoOffer))
                && !f.acts(Fault::DeviceResumedAnew)
        };
        let mut here =
            self.members.iter().filter(|member| member.name == name && member.token != token);
        if here.any(|member| !is_device(member)) {
            return None;
        }
        Some(Resumption { token: token.to_owned(), after })
    }

    /// Puts an end to the connection that the session had; true when there was one.
    pub(crate) fn replace(&mut self, resumption: &Resumption) -> bool {
        let f = self.faults.clone();
        let here = |member: &Member| member.token == resumption.token;
        let Some(at) = self.members.iter().position(here) else { return false };
        let old = self.members.remove(at);
        if f.acts(Fault::ResumeAnnounced) {
            self.announce_left(&old.name);
            return false;
        }
        if !f.acts(Fault::OldConnectionStays) {
            if !f.acts(Fault::OldClosedSilently) {
                let text = "this session goes on elsewhere";
                last_words(&old.outbox, &old.agreed, &f, "replaced", text);
            }
            old.outbox.close();
        }
        true
    }

    /// The token of a session: that of the one that goes on, or a new one.
    pub(crate) fn sit_down(
        &mut self,
        name: &str,
        resumption: Option<&Resumption>,
        standing: &Standing,
    ) -> String {
        let f = self.faults.clone();
        let token = match resumption {
            Some(resumption) => resumption.token.clone(),
            None => format!("{:032x}", rand::random::<u128>()),
        };
        let session = self.sessions.entry(token.clone()).or_default();
        name.clone_into(&mut session.name);
        session.account = standing.account().map(str::to_owned);
        if resumption.is_some() && f.acts(Fault::ResumeForgetsTags) {
            session.used.clear();
        }
        token
    }

    /// The messages that a resumed session has missed.
    pub(crate) fn missed(&self, member: &Member, resumption: &Resumption) -> Vec<&Entry> {
        let (f, name) = (&self.faults, member.name.as_str());
        let all = f.acts(Fault::ResumeSendsAll);
        let has_own = member.agreed.has("devices") && !f.acts(Fault::DeviceResumedWithoutOwn);
        let due = |entry: &&Entry| {
            (all || entry.id > resumption.after)
                && (entry.dest() == "ALL"
                    || (entry.dest() == name && !f.acts(Fault::ResumeWithoutPrivate))
                    || (entry.src() == name && has_own))
                && !(entry.src() == name && f.acts(Fault::ResumeWithoutOwn))
        };
        let skipped = usize::from(f.acts(Fault::ResumeOffByOne));
        let mut missed: Vec<&Entry> = self.history.iter().filter(due).skip(skipped).collect();
        missed.extend(self.missed_in_rooms(member, resumption));
        if !f.acts(Fault::RoomResumeUnsorted) {
            missed.sort_by_key(|entry| entry.id);
        }
        missed
    }

    /// The keys of the welcome about the session.
    pub(crate) fn tell_session(
        &self,
        member: &Member,
        asked: bool,
        resumed: bool,
        welcome: &mut Map<String, Value>,
    ) {
        if !member.agreed.has("ids") {
            return;
        }
        if !self.faults.acts(Fault::NoResumeToken) {
            let changes = resumed && self.faults.acts(Fault::TokenChanges);
            let token = if changes { "another" } else { &member.token };
            welcome.insert("RESUME".into(), json!(token));
        }
        if asked {
            welcome.insert("RESUMED".into(), json!(resumed));
        }
    }
}
