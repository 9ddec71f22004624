//! Messages to rooms: who may write, and whom it reaches.

use std::time::Duration;

use conformance_kit::clock::{self, Clock};
use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::state::{Party, Refusal, Taken},
    room::{Membership, Room, STAFF},
};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
    faults::Faults,
    outbox::Outbox,
    session::Session,
};

impl Session {
    /// Whether a DEST is that of a room, for this user.
    pub(crate) fn means_room(&self, dest: &str) -> bool {
        let f = &self.shared.faults;
        let open = || match self.agreed.offered() {
            true => f.acts(Fault::RoomOpenToUndeclared),
            false => f.acts(Fault::RoomOpenToBase),
        };
        dest.starts_with('#') && (self.agreed.has("rooms") || open())
    }

    /// The room of the first message of a frame, where all that stands behind it goes there, too.
    pub(crate) fn room_of_first<'a>(&self, n: usize, first: Option<&'a str>) -> Option<&'a str> {
        let first = first.filter(|dest| n > 0 && self.means_room(dest))?;
        self.shared.faults.acts(Fault::RoomFrameByFirst).then_some(first)
    }
}

impl Chat {
    /// Delivers a message to a room, or refuses it.
    pub(crate) fn say_in_room(
        &mut self,
        connection: u64,
        dest: &str,
        parts: &[Value],
        tag: Option<(&str, u64)>,
    ) -> Result<Taken, Refusal> {
        let f = self.faults.clone();
        let member = self.member(connection).cloned().ok_or("who are you?")?;
        if let Some((tag, earlier)) = tag
            && let Some(id) = self.used(connection, tag, earlier)
            && !f.acts(Fault::RoomTagDelivered)
        {
            return Ok(Taken::Before(id));
        }
        let party = member.party();
        let unknown = Refusal::new("no-such-room", "there is no such room");
        let number = self.rooms.find(dest, &f).ok_or(unknown)?;
        let room = self.rooms.get_mut(number).ok_or(unknown)?;
        let text = parts.get(3).and_then(Value::as_str).unwrap_or_default();
        match room.membership(&party) {
            None if f.acts(Fault::RoomStrangerHeard) => {}
            None if !member.agreed.offered() && f.acts(Fault::RoomOpenToBase) => {}
            None => return Err(stranger(room, &f)),
            Some(membership) => {
                if let Err(refusal) = room.takes(membership, text, &f) {
                    if f.acts(Fault::RoomRefusalCosts) {
                        room.has_spoken(&party);
                    }
                    return Err(refusal);
                }
            }
        }
        room.has_spoken(&party);
        room.said += 1;
        let said = room.said;
        let mut parts = parts.to_vec();
        if let Some(dest) = parts.get_mut(1)
            && !f.acts(Fault::RoomDestAsTyped)
        {
            *dest = json!(room.name);
        }
        self.last_id += 1;
        let id = if f.acts(Fault::RoomIdsOwn) { said } else { self.last_id };
        let (tag, name) = (tag.map(|(tag, _)| tag), room.name.clone());
        let (meta, taken) = (self.meta.take(), clock::unix_seconds());
        let entry = Entry { id, parts, tag: tag.map(str::to_owned), taken, meta };
        if let (Some(tag), true) = (tag, f.acts(Fault::RoomAckFirst)) {
            member.outbox.send(&json!({"ACKS": {tag: id}}));
        }
        self.deliver_to_room(number, &member, &entry);
        if let Some(room) = self.rooms.get_mut(number) {
            room.keep_entry(entry, &f);
        }
        self.said_by(connection, &name, id);
        if let Some(tag) = tag {
            self.remember(connection, tag, id);
        }
        Ok(Taken::Now(id))
    }

    fn deliver_to_room(&mut self, number: u64, sender: &Member, entry: &Entry) {
        let f = self.faults.clone();
        let Some(room) = self.rooms.get_mut(number) else { return };
        let late = room.late.take();
        let Some(room) = self.rooms.get(number) else { return };
        let mut due: Vec<&Member> = Vec::new();
        for member in &self.members {
            let own = member.connection == sender.connection;
            let lost = own && f.acts(Fault::RoomEchoMissing);
            if hears(room, member, &f) && !lost && !self.hides_in_room(room, member, &sender.name) {
                due.push(member);
            }
        }
        let last = due.iter().rposition(|member| member.connection != sender.connection);
        if let Some(last) = last
            && f.acts(Fault::RoomMessageLost)
        {
            due.remove(last);
        }
        let times = if f.acts(Fault::RoomMessageTwice) { 2 } else { 1 };
        for member in due {
            let framed = self.framed(member, entry);
            for _ in 0..times {
                member.outbox.send(&framed);
            }
        }
        if let Some(late) = late {
            self.tell_room(room, &late, None);
        }
    }

    /// Whether one of two users blocks the other.
    pub(super) fn blocks_either(&self, one: &str, other: &str) -> bool {
        self.blocks.iter().any(|(a, b)| (a == one && b == other) || (a == other && b == one))
    }

    /// Whether a message in a room is not for a member.
    fn hides_in_room(&self, room: &Room, member: &Member, sender: &str) -> bool {
        let blocks = |one: &str, other: &str| self.blocks.contains(&(one.into(), other.into()));
        let hidden = (blocks(&member.name, sender) && !self.faults.acts(Fault::RoomBlockHeard))
            || blocks(sender, &member.name);
        hidden && room.level_of(&member.party()) < STAFF
    }

    /// Sends the history of a room to who has just joined it, for a server that does so unasked.
    pub(super) fn send_past(&self, room: &Room, member: &Member, outbox: &Outbox) {
        for entry in &room.past {
            outbox.send(&self.framed(member, entry));
        }
    }
}

impl Room {
    /// Whether a member may say this now.
    fn takes(&self, membership: &Membership, text: &str, f: &Faults) -> Result<(), Refusal> {
        let level = self.level_of(&membership.party);
        if level < self.talk && !f.acts(Fault::RoomTalkIgnored) {
            return Err(Refusal::new("read-only", "you may read here"));
        }
        if text.chars().count() > self.length && !f.acts(Fault::RoomLengthIgnored) {
            return Err(Refusal::new("too-long", "that is too long for this room"));
        }
        let pause = Duration::from_secs(self.slow);
        let left = membership.spoke.and_then(|last| pause.checked_sub(last.elapsed()));
        let Some(left) = left.filter(|left| level < STAFF && !left.is_zero()) else {
            return Ok(());
        };
        if f.acts(Fault::RoomSlowIgnored) {
            return Ok(());
        }
        let wait = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let wait = (!f.acts(Fault::RoomSlowWithoutWait)).then_some(wait);
        Err(Refusal { wait, ..Refusal::new("slow-mode", "not so fast") })
    }

    fn has_spoken(&mut self, party: &Party) {
        if let Some(membership) = self.membership_mut(party) {
            membership.spoke = Some(Clock::start());
        }
    }
}

/// The answer to who is no member.
pub(super) fn stranger(room: &Room, f: &Faults) -> Refusal {
    if f.acts(Fault::RoomStrangerUntold) {
        return Refusal::new("no-such-user", "nobody there");
    }
    if room.hidden && !f.acts(Fault::RoomHiddenTold) {
        return Refusal::new("no-such-room", "there is no such room");
    }
    Refusal::new("not-a-member", "you are no member of that room")
}

/// Whether somebody gets what is said in a room.
fn hears(room: &Room, member: &Member, f: &Faults) -> bool {
    let party = member.party();
    if !member.agreed.offered() {
        return f.acts(Fault::RoomMessageToBase);
    }
    if room.has(&party) {
        return member.agreed.has("rooms") || f.acts(Fault::RoomsToUndeclared);
    }
    let former = room.former.contains(&party) && f.acts(Fault::RoomLeaverHears);
    member.agreed.has("rooms") && (former || f.acts(Fault::RoomMessageToAll))
}
