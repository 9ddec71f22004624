//! The welcome of a new member, made when its own joining is applied: user list, history, cursor and notice are of one moment.

use std::fmt;
use std::sync::Arc;

use chatterbox_proto::capability::ids::{RESUME, RESUMED};
use chatterbox_proto::frame::TooLong;
use chatterbox_proto::json::Object;
use chatterbox_proto::{Capability, Username};

use crate::encode::view::View;
use crate::encode::welcome::Welcome;
use crate::hub::Hub;
use crate::ids::{MemberId, SessionKey, SessionProof};
use crate::mark::StoredMark;
use crate::member::Member;
use crate::own_device::OwnDevice;
use crate::record::Sequence;
use crate::replica::rooms::told::Lost;
use crate::room::reader::Reader;
use crate::room_resuming::OwnRooms;

/// What the welcome of a user says beside what the chat is like at that moment. Only the node that welcomes them needs it.
#[derive(Debug, Clone, Copy)]
pub struct Greeting<'a> {
    /// What it says to a person.
    pub info: &'a str,
    /// More JSON members, for clients that offered capabilities; at least one.
    pub extra: &'a [u8],
    /// The number of the last message that they have, if they asked to resume a session.
    pub after: Option<Sequence>,
    /// How many messages it has at most, if they asked for a short one (RC-1).
    pub recent: Option<u16>,
    /// How far they have read, as it was read from the store: by conversation (MK-2).
    pub marks: &'a [StoredMark],
    /// Which device of their account they are, if they have said so and it is published (EE-4).
    pub device: Option<&'a OwnDevice>,
    /// Whether they take compressed frames.
    pub zstd: bool,
    /// What the key of their session is made of.
    pub secrets: Secrets,
}

/// The secrets of a user's sessions. Nobody but the node that welcomes them has these.
#[derive(Clone, Copy, Default)]
pub struct Secrets {
    /// Of the session that begins: 128 random bits.
    pub fresh: u128,
    /// Of the session that they have asked to resume.
    pub shown: Option<u128>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
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

/// A user who is here from now on, as the replicated state says.
pub(crate) struct Newcomer {
    pub(crate) id: MemberId,
    /// Their session, where they have one.
    pub(crate) session: Option<SessionProof>,
    /// Whether that session had begun before.
    pub(crate) is_resumed: bool,
    pub(crate) replaced: Option<MemberId>,
    /// The rooms that a guest's session was in and is not in any more.
    pub(crate) lost: Vec<Lost>,
}

impl Hub {
    /// Welcomes a user of this node. From here on they are told what happens (UJ-3).
    ///
    /// # Errors
    /// [`TooLong`] when the history does not fit into a frame; nobody is told anything then.
    pub(crate) fn welcome(
        &mut self,
        newcomer: &Newcomer,
        greeting: Greeting<'_>,
    ) -> Result<Option<JoinReply>, TooLong> {
        let Newcomer { id, session, is_resumed, replaced, lost } = newcomer;
        let (id, is_resumed) = (*id, *is_resumed);
        let Some(identity) = self.identity(id) else { return Ok(None) };
        let (name, agreed) = (identity.name.clone(), identity.agreed);
        let devices = agreed.is_some_and(|agreed| agreed.has(Capability::Devices));
        let sender = identity.login.as_ref().filter(|_| devices).map(|login| login.account_key.id);
        let device = greeting.device.cloned();
        let reader = Reader { parties: identity.parties(), sender, device };
        let filter = Arc::new(self.replica.presence().filter(id));
        // The joiner is in the list, as its last (UL-5).
        let users = self.replica.presence().user_list();
        let view = View::of(agreed.unwrap_or_default());
        let after = greeting.after.filter(|_| is_resumed);
        let after = after.filter(|after| self.history.reaches(&reader, *after));
        let mut rooms = OwnRooms::default();
        if agreed.is_some_and(|agreed| agreed.has(Capability::Rooms)) {
            rooms = self.own_rooms(id, after, lost, &filter);
        }
        let welcome = if agreed.is_some() {
            // A session that goes on misses nothing, however much it is.
            let history = match greeting.recent.filter(|_| after.is_none()) {
                Some(newest) => self.history.cut_newest(&reader, newest, !filter.hidden.is_empty()),
                None => self.history.cut_with(&reader, after.unwrap_or(0), rooms.missed),
            };
            let mut rest = Object::with_capacity(256).members(greeting.extra);
            if let Some(session) = session {
                let Secrets { fresh, shown } = greeting.secrets;
                let secret = shown.filter(|_| is_resumed).unwrap_or(fresh);
                let key = SessionKey { id: session.id(), secret };
                rest = rest.string(RESUME, &key.to_string());
                if greeting.after.is_some() {
                    rest = rest.boolean(RESUMED, after.is_some());
                }
            }
            rest = rest.members(&rooms.members);
            let mut is_private = rooms.are_private;
            if let Some(marks) = self.marks_of_welcome(id, greeting.marks, &filter) {
                rest = rest.members(&marks.members);
                is_private |= marks.is_private;
            }
            let states = view.presence().then(|| self.replica.presence().states());
            let (filter, rest) = (Arc::clone(&filter), rest.into_members());
            let welcome = Welcome::extended(greeting.info, users, history, filter, view, rest);
            let is_plain = is_resumed || is_private;
            let welcome = if is_plain { welcome } else { welcome.of_new_session() };
            welcome.with_states(states)
        } else {
            Welcome::base(greeting.info, users, self.history.cut(&reader, 0))
        };
        welcome.fits()?;
        let mut member = Member::new(self.rooms.clock(), self.now);
        member.view = view;
        member.is_marking = agreed.is_some_and(|agreed| agreed.has(Capability::Marks));
        member.zstd = greeting.zstd;
        if reader.device.is_some() {
            member.extras().device = reader.device;
        }
        member.set_filter(filter);
        member.hand_out_own(welcome.own_bytes());
        member.welcomed_at = self.history.drops();
        self.budget.change(0, member.own_bytes());
        self.members.insert(id, member);
        for room in rooms.numbers {
            self.let_in(id, room);
        }
        let replaced = *replaced;
        Ok(Some(JoinReply { id, name, welcome, replaced }))
    }
}
