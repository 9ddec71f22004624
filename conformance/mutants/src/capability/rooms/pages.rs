//! What was said in rooms: pages of it, and what a resumed session has missed.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    super::{
        history::Wanted,
        state::{Refusal, Resumption},
    },
    room::{Membership, Room, STAFF},
    saying::stranger,
};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
    session::Session,
};

/// The most messages of one room that are sent again.
const MOST_MISSED: usize = 500;

impl Session {
    /// Answers HISTORY WITH a room.
    pub(in super::super) async fn room_history(&self, wanted: &Wanted) -> bool {
        let chat = self.shared.chat.lock().await;
        if let Some(member) = chat.member(self.connection) {
            let page = match chat.room_page(member, wanted) {
                Ok(page) => page,
                Err(refusal) => nothing(wanted, refusal),
            };
            self.outbox.send(&json!({"HISTORY": page}));
        }
        true
    }
}

/// The answer to who may not read.
fn nothing(wanted: &Wanted, refusal: Refusal) -> Map<String, Value> {
    let empty = Vec::<Value>::new();
    let pairs = [
        ("WITH", json!(wanted.with)),
        ("MESSAGES", json!(empty)),
        ("IDS", json!(empty)),
        ("MORE", json!(false)),
        ("CODE", json!(refusal.code)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Chat {
    fn room_page(&self, member: &Member, wanted: &Wanted) -> Result<Map<String, Value>, Refusal> {
        let f = &self.faults;
        let party = member.party();
        let unknown = Refusal::new("no-such-room", "there is no such room");
        let number = self.rooms.find(&wanted.with, f).ok_or(unknown)?;
        let room = self.rooms.get(number).ok_or(unknown)?;
        let since = match room.membership(&party) {
            Some(membership) => membership.since,
            None if room.former.contains(&party) && f.acts(Fault::RoomPagesAfterLeaving) => 0,
            None if f.acts(Fault::RoomPagesForAll) => 0,
            None => return Err(stranger(room, f)),
        };
        let since = if room.show_joined && !f.acts(Fault::RoomShowIgnored) { since } else { 0 };
        let shown: Vec<&Entry> = room.past.iter().filter(|entry| entry.id > since).collect();
        let all = shown.len();
        let shown = self.without_blocked(room, member, shown);
        let hidden = shown.len() < all;
        let mut page = self.page_of(member, shown, wanted);
        if hidden && f.acts(Fault::RoomMoreEnds) {
            page.insert("MORE".into(), json!(false));
        }
        Ok(page)
    }

    fn without_blocked<'a>(
        &self,
        room: &Room,
        member: &Member,
        mut entries: Vec<&'a Entry>,
    ) -> Vec<&'a Entry> {
        if room.level_of(&member.party()) < STAFF {
            entries.retain(|entry| {
                !self.blocks_either(&member.name, entry.src())
                    || self.faults.acts(Fault::RoomBlockPaged)
            });
        }
        entries
    }

    /// Whether a room has a message of this id.
    pub(in super::super) fn was_said_in_room(&self, name: &str, id: u64) -> bool {
        let number = self.rooms.find(name, &self.faults);
        let room = number.and_then(|number| self.rooms.get(number));
        room.is_some_and(|room| room.past.iter().any(|entry| entry.id == id))
    }

    /// Whether somebody is a member of a room.
    pub(in super::super) fn is_in_room(&self, name: &str, of: &Member) -> bool {
        let number = self.rooms.find(name, &self.faults);
        let room = number.and_then(|number| self.rooms.get(number));
        room.is_some_and(|room| room.membership(&of.party()).is_some())
    }

    /// What a session has missed in its rooms.
    pub(crate) fn missed_in_rooms(&self, member: &Member, resumption: &Resumption) -> Vec<&Entry> {
        let mut missed = Vec::new();
        if !member.agreed.has("rooms") || self.faults.acts(Fault::RoomResumeWithout) {
            return missed;
        }
        let party = member.party();
        for room in self.rooms.of(&party) {
            let Some(membership) = room.membership(&party) else { continue };
            let newest = self.missed_in(room, member, membership, resumption);
            let all = newest.len() > MOST_MISSED && self.faults.acts(Fault::RoomReplayUnbounded);
            let most = if all { newest.len() } else { MOST_MISSED };
            missed.extend(newest.into_iter().rev().take(most).rev());
        }
        for room in self.rooms.all.iter().filter(|room| room.former.contains(&party)) {
            let late = room.past.iter().filter(|entry| entry.id > resumption.after);
            missed.extend(late.filter(|_| self.faults.acts(Fault::RoomLeftReplayed)));
        }
        missed
    }

    fn missed_in<'a>(
        &self,
        room: &'a Room,
        member: &Member,
        membership: &Membership,
        resumption: &Resumption,
    ) -> Vec<&'a Entry> {
        let after = resumption.after.max(membership.since);
        let missed = room.past.iter().filter(|entry| entry.id > after).collect();
        self.without_blocked(room, member, missed)
    }

    /// Whether some of what a session has missed in a room is not sent again (RH-6).
    pub(super) fn has_gap(&self, room: &Room, member: &Member, resumption: &Resumption) -> bool {
        let Some(membership) = room.membership(&member.party()) else { return false };
        let after = resumption.after.max(membership.since);
        let more = self.missed_in(room, member, membership, resumption).len() > MOST_MISSED;
        (room.dropped > after || more) && !self.faults.acts(Fault::RoomGapUntold)
    }
}
