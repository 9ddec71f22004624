//! Keeps track of what happens, where somebody asks for it.

use chatterbox_proto::session::Destination;

use crate::hub::Hub;
use crate::record::Record;
use crate::replica::rooms::definition::RoomKeep;
use crate::track::Happened;

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
