//! All rooms under one clock: what happens in any of them has a stamp of its own, so one order holds for all.

use crate::encode::view::View;
use crate::event::Event;
use crate::ids::RoomId;
use crate::room::limits::TimelineLimits;
use crate::room::ring_budget::RingBudget;
use crate::room::stamp::Stamp;
use crate::room::timeline::{Lag, Timeline};
use crate::run_budget::RunBudget;
use crate::runs::{Run, Runs};

/// A room, as far as delivery is concerned.
#[derive(Debug)]
pub struct Room {
    pub(crate) timeline: Timeline,
    pub(crate) runs: Runs,
}

impl Room {
    fn new(limits: TimelineLimits) -> Self {
        Self { timeline: Timeline::new(limits), runs: Runs::default() }
    }
}

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    /// The stamp of whatever happens next.
    clock: Stamp,
    /// The bytes of all events ever.
    bytes: u64,
    lobby: Room,
    others: Vec<Room>,
    pub(crate) rings: RingBudget,
    runs: RunBudget,
}

impl Rooms {
    /// The lobby alone.
    pub fn new(lobby: TimelineLimits) -> Self {
        Self {
            clock: Stamp::default(),
            bytes: 0,
            lobby: Room::new(lobby),
            others: Vec::new(),
            rings: RingBudget::default(),
            runs: RunBudget::default(),
        }
    }

    /// The stamp of whatever happens next.
    pub const fn clock(&self) -> Stamp {
        self.clock
    }

    /// The volume of everything that has happened in any room.
    pub const fn volume(&self) -> Lag {
        Lag { events: self.clock.count(), bytes: self.bytes }
    }

    /// The room in which everybody is.
    pub const fn lobby(&self) -> &Room {
        &self.lobby
    }

    /// A room, if there is one of this number.
    pub fn get(&self, id: RoomId) -> Option<&Room> {
        match id.0.checked_sub(1) {
            None => Some(&self.lobby),
            Some(other) => self.others.get(other),
        }
    }

    fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        match id.0.checked_sub(1) {
            None => Some(&mut self.lobby),
            Some(other) => self.others.get_mut(other),
        }
    }

    /// A new room in which nothing has happened.
    pub fn open(&mut self, limits: TimelineLimits) -> RoomId {
        self.others.push(Room::new(limits));
        RoomId(self.others.len())
    }

    fn tick(&mut self, event: &Event) -> Stamp {
        let stamp = self.clock;
        self.clock = stamp.next();
        self.bytes += event.size() as u64;
        stamp
    }

    /// Adds an event to the lobby.
    pub fn push_lobby(&mut self, event: Event) {
        let stamp = self.tick(&event);
        self.lobby.timeline.push(stamp, event);
    }

    /// Adds an event to a room, and drops the oldest of whichever room has to give way; says whether there is the room.
    pub fn push(&mut self, id: RoomId, event: Event) -> bool {
        if id == RoomId::LOBBY {
            self.push_lobby(event);
            return true;
        }
        if self.get(id).is_none() {
            return false;
        }
        let stamp = self.tick(&event);
        self.change_ring(id, |timeline| timeline.push(stamp, event));
        while let Some(ring) = self.get(id).map(|room| &room.timeline)
            && let Some(loser) = self.rings.who_drops(id, ring.weight(), ring.len())
        {
            self.change_ring(loser, Timeline::drop_oldest);
        }
        true
    }

    fn change_ring(&mut self, id: RoomId, change: impl FnOnce(&mut Timeline)) {
        if let Some(room) = id.0.checked_sub(1).and_then(|other| self.others.get_mut(other)) {
            let before = room.timeline.weight();
            change(&mut room.timeline);
            self.rings.change(id, before, room.timeline.weight());
        }
    }

    /// Keeps a run for others who are at the same place of a room.
    pub fn keep(&mut self, id: RoomId, view: View, run: Run) {
        let number = self.runs.add(id, view, &run.frames);
        if let Some((number, run)) =
            self.get_mut(id).and_then(|room| room.runs.put(view, number, run))
        {
            self.runs.retire(number, run.frames);
        }
        while let Some((id, view)) = self.runs.excess()
            && let Some((number, run)) = self.get_mut(id).and_then(|room| room.runs.pop(view))
        {
            self.runs.retire(number, run.frames);
        }
    }

    /// The bytes of runs that are not kept any more and may still be on their way to somebody.
    pub const fn outstanding(&self) -> usize {
        self.runs.outstanding()
    }

    /// Forgets those that nobody is writing any more.
    pub fn forget_written(&mut self) {
        self.runs.forget_written();
    }
}
