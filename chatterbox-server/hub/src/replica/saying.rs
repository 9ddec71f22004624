//! What is said: whether it was sent before, under whom it is filed, and whom it is for.

use std::collections::HashSet;

use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::session::Destination;

use crate::filing::Party;
use crate::identity::{AccountKey, LoggedIn};
use crate::ids::MemberId;
use crate::record::{Record, Sequence};
use crate::replica::effect::{Refused, Said};
use crate::replica::proposal::{Incarnation, Say};
use crate::replica::state::Replica;

impl Replica {
    /// Takes a message of a member who is here, unless its session has sent it before: two connections of one session can't
    /// both be the first (ID-5).
    pub(super) fn say(&mut self, say: Say) -> Result<Said, Refused> {
        let Say { member, number, tag, mut record } = say;
        let session = self.session(member);
        let tagged = session.zip(tag);
        if let Some((session, tag)) = &tagged
            && let Some(known) = self.known_tag(*session, tag)
        {
            return Err(Refused::Known(known));
        }
        self.may_be_heard(&record, member)?;
        if number == 0 {
            // Its node did not expect it to be accepted, and has not stored it.
            return Err(Refused::NotHere);
        }
        if let Some((session, tag)) = &tagged {
            self.note_tag(*session, tag, number);
        }
        self.uses(number);
        if let Some(room) = record.room() {
            self.rooms.said(room, number);
        }
        self.file_to(&mut record);
        let back = self.presence.set_away(member, None).then_some(member);
        let mut said = Said { by: Some(member), back, ..self.address(number, record) };
        if matches!(said.record.destination, Destination::User(_)) {
            let own = self.presence.other_devices(member);
            let mut copies = std::mem::take(&mut said.copies);
            copies.retain(|id| *id != member);
            // Of a message to oneself the recipient's devices are one's own.
            copies.extend(own.filter(|id| said.to != Some(*id)));
            copies.sort_unstable();
            copies.dedup();
            said.copies = copies;
        }
        Ok(said)
    }

    /// Numbers the messages that are going to be accepted if a node proposes them next, from `first` on, and files them as they
    /// are going to be filed. Says of each whether it is one of them.
    ///
    /// A node that is alone stores messages before it proposes them, and only these.
    pub(crate) fn judge(&self, from: Incarnation, says: &mut [Say], first: Sequence) -> Vec<bool> {
        let mut next = first;
        let mut tags = HashSet::new();
        let mut judge = |say: &mut Say| {
            let session = self.session(say.member);
            let is_new = session.zip(say.tag.clone()).is_none_or(|(session, tag)| {
                self.known_tag(session, &tag).is_none() && tags.insert((session, tag))
            });
            let is_accepted = is_new
                && self.speaks_for(from, say.member).is_ok()
                && self.may_be_heard(&say.record, say.member).is_ok();
            if is_accepted {
                say.number = next;
                next += 1;
                self.file_to(&mut say.record);
            }
            is_accepted
        };
        says.iter_mut().map(&mut judge).collect()
    }

    /// Whether the room of a message is still there, with its sender as a member (RM-3). What else has to hold was looked at when
    /// it was sent.
    fn may_be_heard(&self, record: &Record, member: MemberId) -> Result<(), Refused> {
        if self.sanctions.has_mutes() {
            let to = match &record.destination {
                Destination::User(name) => Some(name),
                Destination::All | Destination::Room(_) => None,
            };
            self.is_not_muted(member, record.room(), to, record.arrived).map_err(Refused::Muted)?;
        }
        let Some(number) = record.room() else { return Ok(()) };
        let room = self.rooms.get(number).ok_or(Refused::Room(OutcomeCode::NoSuchRoom))?;
        let is_member = self.membership(member, room).is_some();
        if is_member { Ok(()) } else { Err(Refused::Room(OutcomeCode::NotAMember)) }
    }

    /// Files a private message to a guest who has changed names meanwhile under the new one.
    pub(crate) fn file_to(&self, record: &mut Record) {
        if let Some(Party::Guest(name)) = &record.filing.to
            && let Some(identity) = self.recipient(name).and_then(|id| self.presence.identity(id))
            && identity.login.is_none()
        {
            record.filing.to = Some(identity.party());
        }
    }

    /// Finds whom a message is for.
    pub(crate) fn address(&self, number: Sequence, mut record: Record) -> Said {
        let to = self.addressee(&mut record);
        let copies = to.map(|to| self.presence.other_devices(to).collect()).unwrap_or_default();
        Said { number, by: None, record, to, copies, back: None }
    }

    /// The member that a private message is for, if they are here. One that is not filed yet is filed under them, or under the
    /// name: who has left finds it in the snapshot of the next join.
    fn addressee(&self, record: &mut Record) -> Option<MemberId> {
        let Destination::User(name) = &record.destination else { return None };
        let found =
            self.recipient(name).or_else(|| self.with_account(name, record.filing.to.as_ref()));
        let here = found.and_then(|member| Some((member, self.presence.identity(member)?)));
        // Somebody else may have the name of an account by now.
        let here = here.filter(|(_, identity)| match &record.filing.to {
            Some(to @ Party::Account(_)) => identity.party() == *to,
            _ => true,
        });
        let filed = || here.map_or_else(|| Party::Guest(name.clone()), |(_, who)| who.party());
        record.filing.to.get_or_insert_with(filed);
        here.map(|(member, _)| member)
    }

    /// Who is logged in with the account of this name, under another one: what is said to an account is theirs.
    fn with_account(&self, name: &Username, to: Option<&Party>) -> Option<MemberId> {
        let Some(Party::Account(id)) = to else { return None };
        let account_key = AccountKey { id: *id, epoch: 0 };
        let account = LoggedIn { account: name.clone(), account_key };
        self.presence.logged_in(&account).next().map(|(member, _)| member)
    }

    /// Who is here under a name, or was a moment ago and is here under another one now.
    pub(super) fn recipient(&self, name: &Username) -> Option<MemberId> {
        let renamed = || self.presence.first_of(self.recent_renames.who(name, self.now)?);
        self.who(name).or_else(renamed)
    }
}
