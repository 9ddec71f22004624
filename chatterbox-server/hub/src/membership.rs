//! Joining, leaving, resuming and renaming, as the connections of this node ask for it.

use std::sync::Arc;

use chatterbox_proto::frame::TooLong;
use chatterbox_proto::{Capability, Refusal, Username};

use crate::block_lists::BlockLists;
use crate::greeting::{Greeting, JoinReply, Secrets};
use crate::hub::Hub;
use crate::identity::{Identity, LoggedIn};
use crate::ids::{MemberId, SessionKey, Verifier};
use crate::mark::StoredMark;
use crate::own_device::OwnDevice;
use crate::record::{Record, Sequence};
use crate::replica::effect::Refused;
use crate::replica::ended_logins::AccountChange;
use crate::replica::proposal::{Amendment, Incarnation, Join, Proposal, Rename, Resume};
use crate::stepping::{Applied, Outcome};
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

impl From<Refused> for JoinError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotResumable => Self::NotResumable,
            refused => Self::Refused(refused.into()),
        }
    }
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
    /// How many messages the welcome has at most, unless it resumes a session (RC-1).
    pub recent: Option<u16>,
    /// How far they have read, as it was read from the store (MK-2).
    pub marks: &'a [StoredMark],
    /// Which device of their account they are (EE-4).
    pub device: Option<&'a OwnDevice>,
    /// 128 random bits, for a new session. They don't leave this node, but for the client.
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
            recent: None,
            marks: &[],
            device: None,
            random: 0,
            hold: 0,
        }
    }

    /// What is decided by all nodes, and what this one says.
    pub fn into_parts(self) -> (Join, Greeting<'a>) {
        let Self { mut identity, lists, info, extra, resume, recent, marks, device, random, hold } =
            self;
        // How its frames are written is no affair of other nodes.
        let zstd = identity.agreed.is_some_and(|agreed| agreed.has(Capability::Zstd));
        identity.agreed = identity.agreed.map(|agreed| agreed.without(Capability::Zstd));
        let after = resume.map(|resume| resume.after);
        let key = resume.and_then(|resume| resume.key);
        let secrets = Secrets { fresh: random, shown: key.map(|key| key.secret) };
        let verifier = Verifier::of(random);
        let resume =
            resume.map(|Resuming { only, .. }| Resume { key: key.map(SessionKey::proof), only });
        let lists = Arc::new(lists);
        let greeting = Greeting { info, extra, after, recent, marks, device, zstd, secrets };
        (Join { identity, lists, resume, verifier, hold }, greeting)
    }
}

impl Hub {
    /// The session of a key, if it can be resumed under this name: the account of its user, if there is one.
    pub fn resumable(&self, key: SessionKey, name: &Username) -> Option<Option<LoggedIn>> {
        self.replica.resumable(key.proof(), name)
    }

    /// Applies a proposal at once, where there is no order that it would have to go through.
    fn propose(&mut self, proposal: Proposal, greeting: Option<Greeting<'_>>) -> Applied {
        self.replica.tick(self.now);
        self.step(Incarnation::default(), proposal, greeting)
    }

    /// Lets a user in. User list, history, cursor and notice are of one moment, because this is one call. A connection that
    /// resumes a session takes the place of the one that had it, unseen by the others (ID-7).
    ///
    /// # Errors
    /// [`JoinError`] when the name is in use or looks like one that is (TK-1, NM-2).
    pub fn admit(&mut self, request: JoinRequest<'_>) -> Result<JoinReply, JoinError> {
        let (join, greeting) = request.into_parts();
        match self.propose(Proposal::Join(Box::new(join)), Some(greeting)).outcome? {
            Outcome::Welcomed(reply) => Ok(*reply),
            Outcome::NotWelcomed(member, error) => {
                let _ = self.leave(member);
                Err(error.into())
            }
            Outcome::Said(_) | Outcome::Rooms(_) | Outcome::Moderated(_) | Outcome::Done => {
                Err(Refusal::Busy.into())
            }
        }
    }

    /// Notes what the welcome of a member takes, now that it was put together: what is hidden may have made it a copy.
    pub fn welcome_takes(&mut self, id: MemberId, own_bytes: usize) {
        self.with_member(id, |member| member.hand_out_own(own_bytes));
    }

    /// Lets a member go. Leaving twice is leaving once.
    pub fn leave(&mut self, id: MemberId) -> Wake {
        self.propose(Proposal::Leave(id), None).wake
    }

    /// Gives a member another name, told to everybody (RN-1, RN-2). Name, session and block lists change in this one step.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; nothing changes then.
    pub fn rename(&mut self, id: MemberId, rename: Rename) -> Result<Wake, Refusal> {
        let applied = self.propose(Proposal::Rename(id, rename), None);
        applied.outcome.map(|_| applied.wake).map_err(Refusal::from)
    }

    /// Changes the account or the level of a member; the name stays. A session that is resumed does not prove its account
    /// again, so it remembers it.
    pub fn amend(&mut self, id: MemberId, amendment: Amendment) {
        self.propose(Proposal::Amend(id, amendment), None);
    }

    /// Notes that a member is away, with these words, or is back (PR-2).
    pub fn set_away(&mut self, id: MemberId, words: Option<&str>) {
        self.propose(Proposal::SetAway(id, words.map(Arc::from)), None);
    }

    /// Replaces a member's own block list.
    pub fn set_blocked(&mut self, id: MemberId, blocked: Vec<Username>) {
        self.propose(Proposal::SetBlocked(id, blocked), None);
    }

    /// Removes the members whose logins a change has ended, and gives their numbers: the others are going to be told.
    pub fn change_account(&mut self, change: &AccountChange) -> Vec<MemberId> {
        self.propose(Proposal::EndLogins(change.clone()), None).removed
    }

    /// Takes a message in under this number, whoever has said it.
    pub fn apply(&mut self, number: Sequence, record: Record) -> Wake {
        self.replica.tick(self.now);
        let said = self.replica.address(number, record);
        let mut applied = Applied::unseen(Ok(Outcome::Done));
        self.deliver(said, &mut applied);
        applied.wake
    }
}
