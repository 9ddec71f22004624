//! All rooms under one clock: what happens in any of them has a stamp of its own, so one order holds for all.

use std::sync::Arc;

use crate::encode::batch::Batch;
use crate::encode::view::View;
use crate::event::Event;
use crate::ids::{MemberId, RoomId};
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
    /// The members of this node who are told what happens in it, in order. Shared with whoever wakes them without the lock.
    /// Nobody is in that of the lobby, where everybody is.
    readers: Arc<Vec<MemberId>>,
}

impl Room {
    fn new(limits: TimelineLimits) -> Self {
        Self { timeline: Timeline::new(limits), runs: Runs::default(), readers: Arc::default() }
    }

    /// The members of this node who are told what happens in it.
    pub(crate) const fn readers(&self) -> &Arc<Vec<MemberId>> {
        &self.readers
    }

    /// Adds a reader.
    pub(crate) fn add_reader(&mut self, id: MemberId) {
        if let Err(place) = self.readers.binary_search(&id) {
            Arc::make_mut(&mut self.readers).insert(place, id);
        }
    }

    /// Removes a reader.
    pub(crate) fn remove_reader(&mut self, id: MemberId) {
        if let Ok(place) = self.readers.binary_search(&id) {
            Arc::make_mut(&mut self.readers).remove(place);
        }
    }
}

/// A place for a room.
#[derive(Debug)]
struct Slot {
    /// How many rooms have had it.
    generation: u32,
    room: Option<Box<Room>>,
}

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    /// The stamp of whatever happens next.
    clock: Stamp,
    /// The bytes of all events ever.
    bytes: u64,
    lobby: Room,
    /// The other rooms; the lobby has number 0, so the first of these has number 1.
    others: Vec<Slot>,
    /// The places that no room has.
    free: Vec<u32>,
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
            free: Vec::new(),
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
        let Some(other) = id.slot.checked_sub(1) else { return Some(&self.lobby) };
        let slot = self.others.get(other as usize)?;
        slot.room.as_deref().filter(|_| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        let Some(other) = id.slot.checked_sub(1) else { return Some(&mut self.lobby) };
        let slot = self.others.get_mut(other as usize)?;
        slot.room.as_deref_mut().filter(|_| slot.generation == id.generation)
    }

    /// A new room in which nothing has happened.
    pub fn open(&mut self, limits: TimelineLimits) -> RoomId {
        let room = Some(Box::new(Room::new(limits)));
        if let Some(free) = self.free.pop()
            && let Some(slot) = self.others.get_mut(free as usize)
        {
            slot.room = room;
            return RoomId { slot: free + 1, generation: slot.generation };
        }
        self.others.push(Slot { generation: 0, room });
        // There is a bound on rooms far below this.
        RoomId { slot: u32::try_from(self.others.len()).unwrap_or(u32::MAX), generation: 0 }
    }

    /// Closes a room: what its readers have not been handed out of it is gone. The lobby stays open.
    pub fn close(&mut self, id: RoomId) {
        if self.get(id).is_none() {
            return;
        }
        for view in View::all() {
            while let Some((number, run)) = self.get_mut(id).and_then(|room| room.runs.pop(view)) {
                self.runs.retire(number, run.frames);
            }
        }
        let Some(other) = id.slot.checked_sub(1) else { return };
        let Some(slot) = self.others.get_mut(other as usize) else { return };
        if let Some(room) = slot.room.take() {
            self.rings.change(id, room.timeline.weight(), 0);
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(other);
        }
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
        if id != RoomId::LOBBY
            && let Some(room) = self.get_mut(id)
        {
            let before = room.timeline.weight();
            change(&mut room.timeline);
            let after = room.timeline.weight();
            self.rings.change(id, before, after);
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

    /// Notes that a member who takes compressed frames is handed a run that is kept, and says whether it is to be given them.
    pub fn hand_to_zstd(&mut self, frames: &Batch) -> bool {
        self.runs.hand_to_zstd(frames)
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
