//! A frame that is worked off event by event.
//!
//! Millions of events may result from one frame. They are made one at a time, when the user has been told of those
//! before, so they never exist at the same time; the lists stay in the frame until then.

use std::collections::VecDeque;
use std::vec;

use super::changes::Changes;
use super::event::Event;
use super::numbered::Numbered;
use crate::capability::notices::Notice;
use crate::capability::presence::UserPresence;
use crate::capability::rooms::{RoomLeft, RoomTold};
use crate::server_frame::{Deviation, Deviations, Names};
use crate::text::WireText;

/// What is left of a frame, in the order of the protocol (PB-2, CP-10).
#[derive(Debug, Default)]
pub(super) struct Unfolding {
    parts: VecDeque<Part>,
    /// What the server did otherwise than the protocol says; told at the end of the frame.
    pub(super) notes: Deviations,
    /// Whether the frame has an ERROR.
    pub(super) complains: bool,
}

/// A room, and names of its members.
pub(super) type RoomUser = (WireText<'static>, Vec<WireText<'static>>);

/// A part of a frame.
#[derive(Debug)]
pub(super) enum Part {
    Event(Box<Event>),
    Joined(Names),
    RoomUsersJoined(vec::IntoIter<RoomUser>),
    Rooms(vec::IntoIter<RoomTold>),
    Notices(vec::IntoIter<Notice>),
    RoomUsersLeft(vec::IntoIter<RoomUser>),
    RoomsLeft(vec::IntoIter<RoomLeft>),
    Renamed(vec::IntoIter<(WireText<'static>, WireText<'static>)>),
    /// The history of the first welcome.
    History(Numbered),
    /// The messages of a later welcome, and whether each of them was missed.
    Missed(Numbered, vec::IntoIter<bool>),
    /// Who came and left while the connection was lost.
    Changes(Changes),
    Live(Numbered),
    Presence(vec::IntoIter<UserPresence>),
    Left(Names),
    Notes(vec::IntoIter<Deviation>),
}

impl Unfolding {
    pub(super) fn push(&mut self, part: Part) {
        self.parts.push_back(part);
    }

    pub(super) fn event(&mut self, event: Event) {
        self.push(Part::Event(Box::new(event)));
    }

    /// Takes the first part.
    pub(super) fn next_part(&mut self) -> Option<Part> {
        self.parts.pop_front()
    }

    /// Puts a part back whose events are not over.
    pub(super) fn put_back(&mut self, part: Part) {
        self.parts.push_front(part);
    }

    pub(super) fn is_over(&self) -> bool {
        self.parts.is_empty()
    }
}
