//! What is stored of what was applied, for a node that stores it afterwards.
//!
//! A node that is alone stores first, and asks before what is going to follow. One of several can't know that before it is
//! decided, so the step leaves here what it has made true.

use crate::durable::Durable;
use crate::hub::Hub;
use crate::record::{Record, Sequence};
use crate::replica::rooms::record::RoomRecord;

impl Hub {
    /// Leaves from now on what has to be stored. Whoever asks for it has to take it with [`Hub::take_durable`] after each step.
    pub fn leave_durable(&mut self) {
        self.durable.get_or_insert_default();
    }

    /// What has to be stored since it was taken, in the order of its numbers.
    pub fn take_durable(&mut self) -> Vec<Durable> {
        self.durable.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// All that is so of rooms, as facts that make them again when they are applied in this order.
    pub fn room_facts(&self) -> Vec<RoomRecord> {
        self.replica.rooms.facts()
    }

    pub(crate) fn leave_message(&mut self, number: Sequence, record: &Record) {
        if let Some(durable) = &mut self.durable {
            durable.push(Durable::Message(number, record.clone()));
        }
    }

    pub(crate) fn leave_removed(&mut self, account: i64) {
        if let Some(durable) = &mut self.durable {
            durable.push(Durable::AccountRemoved(account));
        }
    }

    pub(crate) fn leave_rooms(&mut self, number: Sequence, mut records: Vec<RoomRecord>) {
        if let Some(durable) = &mut self.durable {
            records.retain(RoomRecord::is_durable);
            if !records.is_empty() {
                durable.push(Durable::Rooms(number, records));
            }
        }
    }
}
