//! What somebody who resumes a session has missed in their rooms (RH-6).
//!
//! It is read from the timelines of the rooms: what these have dropped, and what is more than fits a welcome, is a gap, which
//! HISTORY fills.

use bytes::Bytes;
use chatterbox_proto::{Username, limits};

use crate::event::{Body, Event};
use crate::hub::Hub;
use crate::record::Sequence;
use crate::replica::rooms::definition::RoomKeep;
use crate::replica::rooms::room::Room;

/// A message that was missed.
#[derive(Debug, Clone)]
pub(crate) struct MissedMessage {
    pub(crate) id: Sequence,
    pub(crate) source: Username,
    pub(crate) json: Bytes,
}

/// What was missed in one room.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    /// The newest of it, oldest first.
    pub(crate) messages: Vec<MissedMessage>,
    /// Whether there is more.
    pub(crate) has_gap: bool,
}

impl Hub {
    /// What was said in a room behind a number, as far as its members are told it again.
    pub(crate) fn missed_in(&self, room: &Room, since: Sequence, after: Sequence) -> Missed {
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
        missed.has_gap = timeline.lost_message() > after;
        let mut bytes = 0;
        for message in timeline.newest_first().filter_map(message) {
            if message.id <= after {
                break;
            }
            bytes += message.json.len();
            if missed.messages.len() == most || bytes > limits::ROOM_REPLAY_BYTES {
                missed.has_gap = true;
                break;
            }
            missed.messages.push(message);
        }
        missed.messages.reverse();
        missed
    }
}

fn message(event: &Event) -> Option<MissedMessage> {
    match &event.body {
        Body::Message { id, source, json, .. } => {
            Some(MissedMessage { id: *id, source: source.clone(), json: json.clone() })
        }
        _ => None,
    }
}
