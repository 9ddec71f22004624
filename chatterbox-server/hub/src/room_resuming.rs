//! What somebody who resumes a session has missed in their rooms (RH-6).
//!
//! It is read from the timelines of the rooms: what these have dropped, and what is more than fits a welcome, is a gap, which
//! HISTORY fills.

use bytes::Bytes;
use chatterbox_proto::ALL;
use chatterbox_proto::capability::rooms::{DEFAULT, ROOMS, ROOMS_LEFT};
use chatterbox_proto::json::{LIST_SEPARATOR, Object};
use chatterbox_proto::limits;

use crate::block_lists::BlockFilter;
use crate::event::{Body, Event};
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::record::Sequence;
use crate::replica::rooms::definition::RoomKeep;
use crate::replica::rooms::room::{Room, Who};
use crate::replica::rooms::told::Lost;
use crate::room::cut_part::OwnMessage;
use crate::room_object;
use crate::room_telling::room_left;

/// What was missed in all rooms together takes so many bytes of a welcome at most; what is more is a gap as well.
const WELCOME_BYTES: usize = 1024 * 1024;

/// What was missed in one room.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    /// The newest of it, oldest first.
    pub(crate) messages: Vec<OwnMessage>,
    /// Whether there is more.
    pub(crate) has_gap: bool,
}

/// What a welcome has of the rooms of its user.
#[derive(Debug, Default)]
pub(crate) struct OwnRooms {
    /// ROOMS, DEFAULT, ROOMS_LEFT.
    pub(crate) members: Bytes,
    pub(crate) numbers: Vec<RoomNumber>,
    /// Whether some of them is not for everybody, so that all this is a secret.
    pub(crate) are_private: bool,
    /// What was missed, if a session goes on.
    pub(crate) missed: Vec<OwnMessage>,
}

impl Hub {
    /// What a welcome has of the rooms of its user (RM-5); `after` is the number of the last message that a session which goes on
    /// has, and `lost` what is known already to be lost of it.
    pub(crate) fn own_rooms(
        &mut self,
        member: MemberId,
        after: Option<Sequence>,
        lost: &[Lost],
        filter: &BlockFilter,
    ) -> OwnRooms {
        let mut own = OwnRooms::default();
        let Some(who) = self.replica.room_member(member) else { return own };
        let who = Who::from(&who);
        own.numbers = self.replica.rooms.rooms_of(who).map(|(number, _)| number).collect();
        let mut objects = vec![room_object::lobby(self.replica.rooms.lobby())];
        let mut bytes_left = WELCOME_BYTES;
        for number in &own.numbers {
            let Some(room) = self.replica.rooms.get(*number) else { continue };
            own.are_private |= !room.definition.settings.are_open();
            let missed = after.zip(room.since(who));
            let missed =
                missed.map(|(after, since)| self.missed_in(room, since, after, bytes_left));
            let mut missed = missed.unwrap_or_default();
            if self.is_room_staff(member, *number) {
                // The welcome leaves out who blocks its user; staff reads them in HISTORY.
                let hides = |message: &OwnMessage| filter.hidden.contains(&message.source);
                missed.has_gap |= missed.messages.iter().any(hides);
            }
            bytes_left = bytes_left
                .saturating_sub(missed.messages.iter().map(|message| message.json.len()).sum());
            own.missed.extend(missed.messages);
            objects.extend(self.whole_room(member, *number, missed.has_gap));
        }
        let default = self.replica.rooms.default_of(who);
        let default = default.map_or(ALL, |room| room.definition.name.as_str());
        let size = objects.iter().map(|object| object.len() + 2).sum::<usize>();
        let mut members =
            Object::with_capacity(size + 64).list(ROOMS, objects).string(DEFAULT, default);
        if let Some(after) = after {
            let found = self.replica.rooms_lost(member, after);
            let lost = lost.iter().chain(&found);
            let lost: Vec<_> = lost
                .map(|Lost { room, code, by, info }| room_left(room, code, Some(by), info))
                .collect();
            if !lost.is_empty() {
                members = members.list(ROOMS_LEFT, lost);
            }
        }
        own.members = members.into_members();
        own
    }

    /// What was said in a room behind a number, as far as its members are told it again.
    ///
    /// At most so many bytes: they are copied, into one piece for each room.
    pub(crate) fn missed_in(
        &self,
        room: &Room,
        since: Sequence,
        after: Sequence,
        most_bytes: usize,
    ) -> Missed {
        let definition = &room.definition;
        let after = after.max(since).max(definition.floor);
        let mut missed = Missed::default();
        if room.last <= after {
            return missed;
        }
        let most = match definition.settings.keep {
            RoomKeep::Off => 0,
            RoomKeep::Newest(newest) => usize::try_from(newest).unwrap_or(usize::MAX),
            RoomKeep::All => usize::MAX,
        };
        let most = most.min(limits::ROOM_REPLAY);
        let timeline = self.desk.id(definition.number).and_then(|id| self.rooms.get(id));
        let Some(timeline) = timeline.map(|room| &room.timeline) else { return missed };
        let floor = self.desk.replay_floors.get(&definition.number).copied().unwrap_or(0);
        missed.has_gap = timeline.lost_message() > after || floor > after;
        let after = after.max(floor);
        let mut bytes = 0;
        for message in timeline.newest_first().filter_map(message) {
            if message.id <= after {
                break;
            }
            let meta = message.meta.as_ref().map_or(0, |meta| meta.json.len());
            let with_it = bytes + LIST_SEPARATOR.len() + message.json.len() + meta;
            if missed.messages.len() == most || with_it > most_bytes.min(limits::ROOM_REPLAY_BYTES)
            {
                missed.has_gap = true;
                break;
            }
            bytes = with_it;
            missed.messages.push(message);
        }
        missed.messages.reverse();
        let mut all = Vec::with_capacity(bytes);
        for message in &missed.messages {
            all.extend_from_slice(LIST_SEPARATOR);
            all.extend_from_slice(&message.json);
        }
        let mut rest = Bytes::from(all);
        for message in &mut missed.messages {
            let length = LIST_SEPARATOR.len() + message.json.len();
            message.json = rest.split_to(length.min(rest.len()));
        }
        missed
    }
}

fn message(event: &Event) -> Option<OwnMessage> {
    match &event.body {
        Body::Message { id, source, json, arrived, meta } => {
            let (source, json, meta) = (source.clone(), json.clone(), meta.clone());
            Some(OwnMessage { id: *id, source, json, arrived: *arrived, meta })
        }
        _ => None,
    }
}
