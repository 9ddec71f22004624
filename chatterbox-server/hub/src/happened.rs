//! What has happened, for whoever keeps track of it: who was here when, and what is logged of it.

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;

use crate::hub::Hub;
use crate::identity::Identity;
use crate::record::Record;
use crate::replica::rooms::definition::RoomKeep;

/// Something that has happened.
#[derive(Debug, Clone)]
pub enum Happened {
    /// Somebody is here. A session that goes on over another connection is none.
    Joined(Box<Identity>),
    /// Somebody is not here any more.
    Left(Box<Identity>),
    /// Somebody has another name.
    Renamed(Username, Box<Identity>),
    /// A user has said something.
    Said {
        /// Who.
        by: Username,
        /// The message as JSON, in ASCII; of a private one nothing is told, neither what was said nor to whom.
        message: Option<Bytes>,
    },
}

/// What is kept track of.
#[derive(Debug, Default)]
pub(crate) struct Track {
    users: bool,
    messages: bool,
    happened: Vec<Happened>,
}

impl Hub {
    /// Keeps track of who comes and goes from now on, and of what is said, if that is wanted. Whoever asks for it has to
    /// take it with [`Hub::take_happened`] again and again.
    pub fn keep_track(&mut self, messages: bool) {
        (self.track.users, self.track.messages) = (true, messages);
    }

    /// What has happened since.
    pub fn take_happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.track.happened)
    }

    pub(crate) fn note(&mut self, happened: impl FnOnce(&Self) -> Option<Happened>) {
        if self.track.users {
            let happened = happened(self);
            self.track.happened.extend(happened);
        }
    }

    /// Notes that something was said. Of rooms that keep nothing there is no trace.
    pub(crate) fn note_said(&mut self, record: &Record) {
        if !self.track.messages {
            return;
        }
        let message = match &record.destination {
            Destination::All => Some(record.json.clone()),
            Destination::User(_) => None,
            Destination::Room(room) => {
                let room = self.replica.rooms.get(room.number);
                let keep = room.map(|room| room.definition.settings.keep);
                if keep.is_none_or(|keep| keep == RoomKeep::Off) {
                    return;
                }
                Some(record.json.clone())
            }
        };
        self.track.happened.push(Happened::Said { by: record.source.clone(), message });
    }
}
