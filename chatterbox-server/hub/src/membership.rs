//! Coming, going, going on and changing names: whatever changes who is here.

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use bytes::Bytes;
use chatterbox_proto::capability::ids::{RESUME, RESUMED};
use chatterbox_proto::frame::TooLong;
use chatterbox_proto::json::Object;
use chatterbox_proto::{Capabilities, Refusal, Username, json};

use crate::encode::view::View;
use crate::encode::welcome;
use crate::event::Event;
use crate::hub::Hub;
use crate::identity::LoggedIn;
use crate::ids::{MemberId, SessionId, SessionKey};
use crate::member::{IgnoreFilter, Member};
use crate::record::Sequence;
use crate::removal::Removal;
use crate::room::history::Wanted;
use crate::roster::{Claimant, RECENT_RENAMES, RENAME_FOLLOWED, RecentRename};
use crate::wake::Wake;

/// Why somebody could not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The name is not to be had.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The session that was to go on is not there any more.
    #[error("the session is not there any more")]
    NotResumable,
    /// The history does not fit into a frame.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Somebody who wants to join.
#[derive(Debug)]
pub struct JoinRequest<'a> {
    /// Under which name.
    pub name: &'a Username,
    /// What the welcome says to a person.
    pub info: &'a str,
    /// What is in force, for whoever offered anything.
    pub agreed: Option<Capabilities>,
    /// Members of the welcome for whoever offered anything, as JSON; at least one.
    pub extra: &'a [u8],
    /// Which session to go on with.
    pub resume: Option<Resuming>,
    /// 128 random bits, for a new session.
    pub random: u128,
    /// The account that they are logged in with.
    pub account: Option<LoggedIn>,
    /// Whom they have ignored out.
    pub ignored: IgnoreFilter,
    /// The address they come from, or its network.
    pub address: Option<IpAddr>,
    /// For how long their name is kept after they have left, in milliseconds.
    pub hold: u64,
}

/// The wish to go on with a session (ID-7).
#[derive(Debug, Clone, Copy)]
pub struct Resuming {
    /// Which; `None` when its token is none.
    pub key: Option<SessionKey>,
    /// What was seen last.
    pub after: Sequence,
    /// Whether they may join only if they go on: nothing else proves that the name is theirs.
    pub only: bool,
}

impl<'a> JoinRequest<'a> {
    /// Somebody who speaks the base protocol.
    pub fn base(name: &'a Username, info: &'a str) -> Self {
        Self {
            name,
            info,
            agreed: None,
            extra: b"",
            resume: None,
            random: 0,
            account: None,
            ignored: IgnoreFilter::default(),
            address: None,
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
    /// The welcome: pieces of one frame.
    pub welcome: Vec<Bytes>,
    /// The member whose session goes on with this one, and who is not here any more.
    pub replaced: Option<MemberId>,
}

impl Hub {
    /// The session of a key, if it can be gone on with under this name: the account of its user, if there is one.
    pub fn resumable(&self, key: SessionKey, name: &Username) -> Option<Option<LoggedIn>> {
        let (_, session) = self.sessions.find(key, name)?;
        // Somebody else may have the name now.
        (self.roster.who(name) == session.member).then(|| session.account.clone())
    }

    /// Lets somebody in: list, history, cursor and notice are of one moment, because this is one call. Who goes on with a
    /// session takes the place of the connection that had it, unseen by the others (ID-7).
    ///
    /// # Errors
    /// [`JoinError`] when the name is in use or looks like one that is (TK-1, NM-2).
    pub fn admit(&mut self, request: JoinRequest<'_>) -> Result<JoinReply, JoinError> {
        self.sessions.forget(self.now);
        let id = MemberId(self.next);
        let session = self.session_of(&request);
        if session.is_none() && request.resume.is_some_and(|resume| resume.only) {
            return Err(JoinError::NotResumable);
        }
        let old = session.and_then(|session| self.sessions.session_mut(session)?.member);
        let name = match old.and_then(|old| self.members.get(&old)) {
            Some(member) => member.name.clone(),
            None => {
                let claimant = Claimant {
                    owns: request
                        .account
                        .as_ref()
                        .is_some_and(|login| login.account == *request.name),
                    address: request.address,
                    resumes: session.is_some(),
                };
                self.roster.check(request.name, claimant, self.now)?;
                request.name.clone()
            }
        };
        let name_json = json::string(name.as_str());
        let welcome = self.welcome(&request, &name, &name_json, session, old, id)?;
        self.next += 1;
        match old {
            Some(old) => {
                self.members.remove(&old);
                self.removed.insert(old, Removal::Resumed);
            }
            None => self.lobby.push(Event::joined(name_json.clone())),
        }
        let mut member = Member::new(name.clone(), name_json, self.lobby.head(), self.now);
        member.view = View::of(request.agreed.unwrap_or_default());
        if welcome.session.is_some() {
            member.extras().session = welcome.session;
        }
        if !request.ignored.is_empty() {
            member.extras().ignored = request.ignored;
        }
        if request.hold > 0 {
            member.extras().hold = Some((request.hold, request.address));
        }
        self.members.insert(id, member);
        self.roster.take(&name, id);
        Ok(JoinReply { id, name, welcome: welcome.pieces, replaced: old })
    }

    /// The session that somebody can go on with.
    fn session_of(&self, request: &JoinRequest<'_>) -> Option<SessionId> {
        let key = request.resume?.key?;
        let (id, _) = self.sessions.find(key, request.name)?;
        // It may have been logged out, or in, since the gate was asked; and who was let in as somebody else goes on with
        // nothing of it.
        self.resumable(key, request.name).filter(|login| *login == request.account).map(|_| id)
    }

    fn welcome(
        &mut self,
        request: &JoinRequest<'_>,
        name: &Username,
        name_json: &Bytes,
        session: Option<SessionId>,
        old: Option<MemberId>,
        id: MemberId,
    ) -> Result<Welcome, TooLong> {
        // The joiner is in the list (UL-5), and told of what happens from now on (UJ-3).
        let others = self.members.iter().filter(|(member, _)| Some(**member) != old);
        let users = others.map(|(_, member)| &member.name_json).chain([name_json]);
        let Some(agreed) = request.agreed else {
            let pieces = welcome::welcome(request.info, users, self.history.for_user(name))?;
            return Ok(Welcome { pieces, session: None });
        };
        let after = request.resume.filter(|_| session.is_some()).map(|resume| resume.after);
        let after = after.filter(|after| self.history.reaches(name, *after));
        let (messages, ids) = self.history.for_user_with_ids(Wanted {
            user: name,
            after: after.unwrap_or(0),
            hidden: &request.ignored.hidden,
        });
        let mut rest = Object::with_capacity(256).members(request.extra);
        let has_ids = View::of(agreed).ids();
        let mut key = None;
        if has_ids {
            let begun = match session.and_then(|session| self.sessions.key(session)) {
                Some(key) => key,
                None => {
                    let account = request.account.clone();
                    self.sessions.begin(name.clone(), account, id, request.random)
                }
            };
            rest = rest.string(RESUME, &begun.to_string());
            if request.resume.is_some() {
                rest = rest.boolean(RESUMED, after.is_some());
            }
            key = Some(begun.id());
        }
        let rest = rest.into_members();
        let ids = has_ids.then_some(ids);
        let pieces = welcome::extended(request.info, users, messages, ids, &rest)?;
        if let Some(session) = key.and_then(|key| self.sessions.session_mut(key)) {
            (session.member, session.account) = (Some(id), request.account.clone());
        }
        Ok(Welcome { pieces, session: key })
    }

    /// Lets somebody go. Leaving twice is leaving once.
    pub fn leave(&mut self, id: MemberId) -> Wake {
        self.removed.remove(&id);
        let Some(member) = self.members.remove(&id) else {
            return Wake::Nobody;
        };
        self.roster.free(&member.name);
        if let Some(extras) = &member.extras {
            if let Some(session) = extras.session {
                self.sessions.end(session, self.now);
            }
            if let Some((time, address)) = extras.hold {
                self.roster.hold(&member.name, address, self.now.saturating_add(time), self.now);
            }
        }
        self.lobby.push(Event::left(member.name_json));
        Wake::AllSoon
    }

    /// Gives a member another name, told to everybody (RN-1, RN-2); `owns` says whether it was proven to be theirs.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub fn rename(&mut self, id: MemberId, name: &Username, owns: bool) -> Result<Wake, Refusal> {
        let Some(member) = self.members.get_mut(&id) else { return Err(Refusal::Busy) };
        let address =
            member.extras.as_ref().and_then(|extras| extras.hold).and_then(|(_, from)| from);
        let claimant = Claimant { owns, address, resumes: false };
        self.roster.change(&member.name, name, claimant, self.now)?;
        let old = std::mem::replace(&mut member.name, name.clone());
        let new_json = json::string(name.as_str());
        let old_json = std::mem::replace(&mut member.name_json, new_json.clone());
        let session = member.extras.as_ref().and_then(|extras| extras.session);
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
        self.lobby.push(Event::renamed(old_json, new_json));
        Ok(Wake::All)
    }

    /// Notes the account that a member is logged in with; a session that goes on does not prove it again.
    pub fn set_account(&mut self, id: MemberId, account: Option<LoggedIn>) {
        let session = self.members.get(&id).and_then(|member| member.extras.as_ref()?.session);
        if let Some(session) = session.and_then(|session| self.sessions.session_mut(session)) {
            session.account = account;
        }
    }

    /// Who is here under a name, or was a moment ago and is here under another one now.
    pub(crate) fn recipient(&self, name: &Username) -> Option<MemberId> {
        self.roster.who(name).or_else(|| {
            let newest = self.recent_renames.iter().rev();
            newest
                .take_while(|followed| self.now < followed.until)
                .find(|followed| followed.old == *name)
                .map(|followed| followed.member)
        })
    }
}

/// A welcome, and the session that begins or goes on with it.
struct Welcome {
    pieces: Vec<Bytes>,
    session: Option<SessionId>,
}
