//! Joining, leaving, resuming and renaming: whatever changes who is here, for everybody at the same moment.

use std::sync::Arc;

use chatterbox_proto::capability::ids::{RESUME, RESUMED};
use chatterbox_proto::frame::TooLong;
use chatterbox_proto::json::{self, LIST_SEPARATOR, Object};
use chatterbox_proto::{Refusal, Username};

use crate::block_lists::{BlockFilter, BlockLists};
use crate::encode::view::View;
use crate::encode::welcome::Welcome;
use crate::event::Event;
use crate::guard::network;
use crate::hub::Hub;
use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionId, SessionKey};
use crate::member::Member;
use crate::presence::Stale;
use crate::record::Sequence;
use crate::removal::Removal;
use crate::roster::{Claimant, RECENT_RENAMES, RENAME_FOLLOWED, RecentRename};
use crate::wake::Wake;

/// Why a user could not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The name can't be had.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The session that was to be resumed is not there any more.
    #[error("the session is not there any more")]
    NotResumable,
    /// The history does not fit into a frame.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// A user who wants to join.
#[derive(Debug)]
pub struct JoinRequest<'a> {
    /// Who they are, under the name that they ask for.
    pub identity: Identity,
    /// Whom they block, and who blocks them.
    pub lists: BlockLists,
    /// What the welcome says to a person.
    pub info: &'a str,
    /// More JSON members of the welcome, for clients that offered capabilities; at least one.
    pub extra: &'a [u8],
    /// Which session to resume.
    pub resume: Option<Resuming>,
    /// 128 random bits, for a new session.
    pub random: u128,
    /// For how long their name is reserved after they have left, in milliseconds.
    pub hold: u64,
}

/// A session that is to be resumed (ID-7).
#[derive(Debug, Clone, Copy)]
pub struct Resuming {
    /// The session; `None` when the token is none of ours.
    pub key: Option<SessionKey>,
    /// The number of the last message that the client has.
    pub after: Sequence,
    /// Whether they may join only if they resume it: nothing else proves that the name is theirs.
    pub only: bool,
}

/// Another name for a member (RN-1).
#[derive(Debug)]
pub struct Rename {
    /// The name.
    pub name: Username,
    /// Whether it was proven to be theirs.
    pub owns: bool,
    /// The accounts that block whoever has it: number and name.
    pub blocked_by: Vec<(i64, Username)>,
}

impl<'a> JoinRequest<'a> {
    /// A guest who speaks the base protocol.
    pub fn base(name: &Username, info: &'a str) -> Self {
        // Not under the lock, where the roster looks at it.
        name.looks();
        Self {
            identity: Identity::guest(name.clone()),
            lists: BlockLists::default(),
            info,
            extra: b"",
            resume: None,
            random: 0,
            hold: 0,
        }
    }
}

/// What a new member gets.
#[derive(Debug)]
pub struct JoinReply {
    /// The member.
    pub id: MemberId,
    /// The name, in the spelling under which the others know it.
    pub name: Username,
    /// The welcome, still to be put together: not under a lock, since that reads what is hidden for this member.
    pub welcome: Welcome,
    /// The member whose session this one resumes, and who is not here any more.
    pub replaced: Option<MemberId>,
}

impl Hub {
    /// The session of a key, if it can be resumed under this name: the account of its user, if there is one.
    pub fn resumable(&self, key: SessionKey, name: &Username) -> Option<Option<LoggedIn>> {
        let (_, session) = self.sessions.find(key, name)?;
        // Somebody else may have the name now.
        (self.who(name) == session.member).then(|| session.account.clone())
    }

    /// Lets a user in. User list, history, cursor and notice are of one moment, because this is one call. A connection that
    /// resumes a session takes the place of the one that had it, unseen by the others (ID-7).
    ///
    /// # Errors
    /// [`JoinError`] when the name is in use or looks like one that is (TK-1, NM-2).
    pub fn admit(&mut self, mut request: JoinRequest<'_>) -> Result<JoinReply, JoinError> {
        self.sessions.forget(self.now);
        // The account may have been removed, or its password changed, since this login was checked.
        if request.identity.login.as_ref().is_some_and(|login| self.ended_logins.has(login)) {
            return Err(JoinError::Refused(Refusal::Busy));
        }
        let id = MemberId(self.next);
        let session = self.session_of(&request);
        if session.is_none() && request.resume.is_some_and(|resume| resume.only) {
            return Err(JoinError::NotResumable);
        }
        let old = session.and_then(|session| self.sessions.session_mut(session)?.member);
        match old.and_then(|old| self.name_of(old)) {
            // The session goes on under the name that it has now, which may be a nick.
            Some(name) => request.identity.name = name.clone(),
            None => {
                let claimant = Claimant {
                    owns: request.identity.account() == Some(&request.identity.name),
                    address: request.identity.address.map(network),
                    resumes: session.is_some(),
                };
                self.presence.roster().check(&request.identity.name, claimant, self.now)?;
            }
        }
        let filter = Arc::new(self.presence.filter_for(&request.identity, &request.lists, old));
        let (welcome, session) = self.welcome(&request, &filter, session, old, id)?;
        self.next += 1;
        if let Some((_, stale)) = old.and_then(|old| self.presence.remove(old)) {
            self.mark_stale(stale);
        }
        let JoinRequest { identity, lists, hold, .. } = request;
        let (name, view) = (identity.name.clone(), View::of(identity.agreed.unwrap_or_default()));
        let stale = self.presence.insert(id, identity, lists);
        self.mark_stale(stale);
        match old {
            Some(old) => {
                if let Some(member) = self.members.remove(&old) {
                    self.budget.change(member.own_bytes(), 0);
                    self.removed.insert(old, Removal::Resumed);
                }
            }
            None => self.rooms.push_lobby(Event::joined(json::string(name.as_str()))),
        }
        let mut member = Member::new(self.rooms.clock(), self.now);
        member.view = view;
        if session.is_some() {
            member.extras().session = session;
        }
        if hold > 0 {
            member.extras().hold = hold;
        }
        member.set_filter(filter);
        member.hand_out_own(welcome.own_bytes());
        member.welcomed_at = self.history.drops();
        self.budget.change(0, member.own_bytes());
        self.members.insert(id, member);
        Ok(JoinReply { id, name, welcome, replaced: old })
    }

    /// Notes what the welcome of a member takes, now that it was put together: what is hidden may have made it a copy.
    pub fn welcome_takes(&mut self, id: MemberId, own_bytes: usize) {
        self.with_member(id, |member| member.hand_out_own(own_bytes));
    }

    /// The session that somebody can resume.
    fn session_of(&self, request: &JoinRequest<'_>) -> Option<SessionId> {
        let key = request.resume?.key?;
        let name = &request.identity.name;
        let (id, _) = self.sessions.find(key, name)?;
        // It may have been logged out, or in, since the login was checked; and a user who was let in as somebody else
        // resumes nothing of it.
        self.resumable(key, name).filter(|login| *login == request.identity.login).map(|_| id)
    }

    /// The welcome, and the session that begins or goes on with it.
    fn welcome(
        &mut self,
        request: &JoinRequest<'_>,
        filter: &Arc<BlockFilter>,
        session: Option<SessionId>,
        old: Option<MemberId>,
        id: MemberId,
    ) -> Result<(Welcome, Option<SessionId>), TooLong> {
        let Identity { name, login, agreed, .. } = &request.identity;
        let parties = request.identity.parties();
        // The joiner is in the list (UL-5), and told of what happens from now on (UJ-3).
        let mut users = self.presence.user_list(old);
        users.push([LIST_SEPARATOR, &json::string(name.as_str())].concat().into());
        let Some(agreed) = *agreed else {
            let welcome = Welcome::base(request.info, users, self.history.cut(&parties, 0));
            welcome.fits()?;
            return Ok((welcome, None));
        };
        let after = request.resume.filter(|_| session.is_some()).map(|resume| resume.after);
        let after = after.filter(|after| self.history.reaches(&parties, *after));
        let history = self.history.cut(&parties, after.unwrap_or(0));
        let mut rest = Object::with_capacity(256).members(request.extra);
        let view = View::of(agreed);
        let mut key = None;
        if view.ids() {
            let begun = match session.and_then(|session| self.sessions.key(session)) {
                Some(key) => key,
                None => {
                    self.sessions.begin(name.clone(), login.clone(), id, request.random, self.now)
                }
            };
            rest = rest.string(RESUME, &begun.to_string());
            if request.resume.is_some() {
                rest = rest.boolean(RESUMED, after.is_some());
            }
            key = Some(begun.id());
        }
        let rest = rest.into_members();
        let filter = Arc::clone(filter);
        let welcome = Welcome::extended(request.info, users, history, filter, view, rest);
        welcome.fits()?;
        if let Some(session) = key.and_then(|key| self.sessions.session_mut(key)) {
            (session.member, session.account) = (Some(id), login.clone());
        }
        Ok((welcome, key))
    }

    /// Lets a member go. Leaving twice is leaving once.
    pub fn leave(&mut self, id: MemberId) -> Wake {
        self.removed.remove(&id);
        self.budget.has_left(id);
        let (Some(member), Some((person, stale))) =
            (self.members.remove(&id), self.presence.remove(id))
        else {
            return Wake::Nobody;
        };
        self.budget.change(member.own_bytes(), 0);
        self.mark_stale(stale);
        if let Some(extras) = &member.extras {
            if let Some(session) = extras.session {
                let network = person.identity.address.map(network);
                self.sessions.end(session, network, self.now);
            }
            if extras.hold > 0 {
                let Identity { name, address, .. } = &person.identity;
                let until = self.now.saturating_add(extras.hold);
                self.presence.roster_mut().hold(name, address.map(network), until, self.now);
            }
        }
        self.rooms.push_lobby(Event::left(person.name_json));
        Wake::AllSoon
    }

    /// Gives a member another name, told to everybody (RN-1, RN-2). Name, session and block lists change in this one step.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub fn rename(&mut self, id: MemberId, rename: Rename) -> Result<Wake, Refusal> {
        let Rename { name, owns, blocked_by } = rename;
        let Some(person) = self.presence.person(id) else { return Err(Refusal::Busy) };
        let (old, old_json) = (person.identity.name.clone(), person.name_json.clone());
        let address = person.identity.address.map(network);
        let claimant = Claimant { owns, address, resumes: false };
        let stale = self.presence.rename(id, &name, blocked_by, claimant, self.now)?;
        self.mark_stale(stale);
        let session = self.members.get(&id).and_then(|member| member.extras.as_ref()?.session);
        if let Some(session) = session.and_then(|session| self.sessions.session_mut(session)) {
            session.name = name.clone();
        }
        if self.recent_renames.len() == RECENT_RENAMES {
            self.recent_renames.pop_front();
        }
        self.recent_renames.push_back(RecentRename {
            old,
            member: id,
            until: self.now + RENAME_FOLLOWED,
        });
        self.rooms.push_lobby(Event::renamed(old_json, json::string(name.as_str())));
        Ok(Wake::AllSoon)
    }

    /// Changes the account or the level of a member; the name stays. A session that is resumed does not prove its account
    /// again, so it remembers it.
    pub fn amend(&mut self, id: MemberId, amend: impl FnOnce(&mut Identity)) {
        let stale = self.presence.amend(id, amend);
        self.mark_stale(stale);
        let session = self.members.get(&id).and_then(|member| member.extras.as_ref()?.session);
        let login = self.presence.identity(id).and_then(|identity| identity.login.clone());
        if let Some(session) = session.and_then(|session| self.sessions.session_mut(session)) {
            session.account = login;
        }
    }

    /// Replaces a member's own block list.
    pub fn set_blocked(&mut self, id: MemberId, blocked: Vec<Username>) {
        let stale = self.presence.set_blocked(id, blocked);
        self.mark_stale(stale);
    }

    fn mark_stale(&mut self, stale: Stale) {
        for id in stale.0 {
            if let Some(member) = self.members.get_mut(&id) {
                member.mark_filter_stale();
            }
        }
    }

    /// Who is here under a name, or was a moment ago and is here under another one now.
    pub(crate) fn recipient(&self, name: &Username) -> Option<MemberId> {
        self.who(name).or_else(|| {
            let newest = self.recent_renames.iter().rev();
            newest
                .take_while(|followed| self.now < followed.until)
                .find(|followed| followed.old == *name)
                .map(|followed| followed.member)
        })
    }
}
