//! How much is kept of what was said in rooms, and in which of them something has to go (RH-2).
//!
//! Each room has bounds of its own, so a busy one pushes out nothing of others. All rooms together have a bound as well, since
//! there may be a thousand: beyond it the fullest room loses its oldest. Both stores decide by this, and remove in their own way.

use std::collections::{BTreeMap, BTreeSet};

use chatterbox_hub::{Keep, RoomDefinition, RoomKeep, RoomNumber, RoomRecord, Sequence};

/// One room has so much at most, whatever its KEEP is.
pub const ROOM_MOST: Keep = Keep { messages: 100_000, bytes: 16 * 1024 * 1024 };

/// What a message weighs beside its bytes when two rooms are compared: without it, many empty ones would be free.
const OVERHEAD: u64 = 128;

/// What is kept of all rooms, without the messages.
#[derive(Debug)]
pub(super) struct KeptRooms {
    /// The bound of all rooms together.
    most: Keep,
    held: Keep,
    rooms: BTreeMap<RoomNumber, Room>,
    /// The rooms that have messages, by what these weigh.
    by_weight: BTreeSet<(u64, RoomNumber)>,
    /// The rooms whose oldest message may have to go.
    suspects: BTreeSet<RoomNumber>,
}

#[derive(Debug)]
struct Room {
    held: Keep,
    /// Nothing where KEEP is `off`, and where the room was deleted.
    most: Keep,
    floor: Sequence,
    /// How many of the newest may be read; none is all that there are.
    newest: Option<u32>,
}

/// A room that is not there: all that it has left has to go.
const GONE: Room = Room { held: Keep::NOTHING, most: Keep::NOTHING, floor: 0, newest: Some(0) };

/// What may be read of a room, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Readable {
    /// Only what has a greater number.
    pub(super) above: Sequence,
    /// Only the newest so many.
    pub(super) newest: Option<u32>,
}

impl KeptRooms {
    /// No rooms, beside a lobby that has these bounds.
    pub(super) fn new(lobby: Keep) -> Self {
        Self {
            most: lobby.of_rooms(),
            held: Keep::NOTHING,
            rooms: BTreeMap::new(),
            by_weight: BTreeSet::new(),
            suspects: BTreeSet::new(),
        }
    }

    /// Follows what has changed of rooms, as far as it concerns what is kept.
    pub(super) fn apply(&mut self, record: &RoomRecord) {
        match record {
            RoomRecord::Defined(definition) => {
                let RoomDefinition { number, floor, settings, .. } = &**definition;
                self.define(*number, settings.keep, *floor);
            }
            RoomRecord::Deleted(number) => self.delete(*number),
            RoomRecord::Entered { .. }
            | RoomRecord::Left { .. }
            | RoomRecord::LevelSet { .. }
            | RoomRecord::Invited { .. }
            | RoomRecord::Uninvited { .. }
            | RoomRecord::DefaultSet { .. } => {}
        }
    }

    /// There is such a room, and so much of it is kept. The lobby is not one of these.
    pub(super) fn define(&mut self, number: RoomNumber, keep: RoomKeep, floor: Sequence) {
        if number == RoomNumber::LOBBY {
            return;
        }
        let (most, newest) = match keep {
            RoomKeep::Off => (Keep::NOTHING, Some(0)),
            RoomKeep::All => (ROOM_MOST, None),
            RoomKeep::Newest(count) => {
                let messages = ROOM_MOST.messages.min(u64::from(count));
                (Keep { messages, ..ROOM_MOST }, Some(count))
            }
        };
        let room = self.rooms.entry(number).or_insert(GONE);
        if floor > room.floor || most.is_exceeded_by(room.held) {
            self.suspects.insert(number);
        }
        *room = Room { held: room.held, most, floor, newest };
    }

    fn delete(&mut self, number: RoomNumber) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        *room = Room { held: room.held, ..GONE };
        if room.held.messages > 0 {
            self.suspects.insert(number);
        } else {
            self.rooms.remove(&number);
        }
    }

    /// Whether a message that is said now in a room is written down at all.
    pub(super) fn keeps(&self, number: RoomNumber) -> bool {
        self.rooms.get(&number).is_some_and(|room| room.most.messages > 0)
    }

    /// What may be read of a room; nothing of one that is not there.
    pub(super) fn readable(&self, number: RoomNumber) -> Option<Readable> {
        let room = self.rooms.get(&number)?;
        // Where there are no more than that, nobody has to count them.
        let newest = room.newest.filter(|newest| u64::from(*newest) < room.held.messages);
        Some(Readable { above: room.floor, newest })
    }

    /// Counts kept messages of a room.
    pub(super) fn add(&mut self, number: RoomNumber, many: Keep) {
        let room = self.rooms.entry(number).or_insert(GONE);
        let old = room.held;
        room.held = old.plus(many);
        if room.most.is_exceeded_by(room.held) {
            self.suspects.insert(number);
        }
        let new = room.held;
        self.weigh(number, old, new);
    }

    /// Counts messages of a room that are not kept any more.
    pub(super) fn remove(&mut self, number: RoomNumber, many: Keep) {
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let old = room.held;
        room.held = old.minus(many);
        let new = room.held;
        self.weigh(number, old, new);
    }

    /// Takes it back that messages of a room are not kept any more.
    pub(super) fn restore(&mut self, number: RoomNumber, many: Keep) {
        self.add(number, many);
        self.suspects.insert(number);
    }

    fn weigh(&mut self, number: RoomNumber, old: Keep, new: Keep) {
        self.held = self.held.minus(old).plus(new);
        self.by_weight.remove(&(weight(old), number));
        if new.messages > 0 {
            self.by_weight.insert((weight(new), number));
        }
    }

    /// A room whose oldest message may have to go.
    pub(super) fn suspect(&self) -> Option<RoomNumber> {
        self.suspects.first().copied().or_else(|| self.fullest_of_too_much())
    }

    fn fullest_of_too_much(&self) -> Option<RoomNumber> {
        if !self.most.is_exceeded_by(self.held) {
            return None;
        }
        self.by_weight.last().map(|(_, number)| *number)
    }

    /// Whether the oldest message of a room has to go, whatever its age.
    pub(super) fn has_to_go(&self, number: RoomNumber, oldest: Sequence) -> bool {
        let room = self.rooms.get(&number).unwrap_or(&GONE);
        oldest <= room.floor
            || room.most.is_exceeded_by(room.held)
            || self.fullest_of_too_much() == Some(number)
    }

    /// The oldest message of a room does not have to go.
    pub(super) fn is_settled(&mut self, number: RoomNumber) {
        self.suspects.remove(&number);
    }

    /// A room has no messages left, whatever was counted.
    pub(super) fn is_empty(&mut self, number: RoomNumber) {
        self.suspects.remove(&number);
        let Some(room) = self.rooms.get_mut(&number) else { return };
        let old = std::mem::replace(&mut room.held, Keep::NOTHING);
        if room.newest == GONE.newest && room.most == GONE.most && room.floor == GONE.floor {
            self.rooms.remove(&number);
        }
        self.weigh(number, old, Keep::NOTHING);
    }

    /// The rooms that have messages.
    pub(super) fn with_messages(&self) -> Vec<RoomNumber> {
        self.by_weight.iter().map(|(_, number)| *number).collect()
    }
}

fn weight(held: Keep) -> u64 {
    held.bytes.saturating_add(held.messages.saturating_mul(OVERHEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: RoomNumber = RoomNumber(1);
    const TWO: RoomNumber = RoomNumber(2);
    const LOBBY: Keep = Keep { messages: 1_000_000, bytes: 64 << 20 };

    fn rooms(lobby: Keep, keep: RoomKeep) -> KeptRooms {
        let mut rooms = KeptRooms::new(lobby);
        rooms.define(ONE, keep, 0);
        rooms.define(TWO, keep, 0);
        rooms
    }

    #[test]
    fn a_room_has_so_many_messages_at_most_whatever_its_keep_is() {
        for keep in [RoomKeep::All, RoomKeep::Newest(u32::MAX), RoomKeep::Newest(100_000)] {
            let mut rooms = rooms(LOBBY, keep);
            rooms.add(ONE, Keep { messages: 100_000, bytes: 16 << 20 });
            assert_eq!(rooms.suspect(), None);
            rooms.add(ONE, Keep::one(0));
            assert_eq!(rooms.suspect(), Some(ONE));
            assert!(rooms.has_to_go(ONE, 7) && !rooms.has_to_go(TWO, 7));
            rooms.remove(ONE, Keep::one(0));
            assert!(!rooms.has_to_go(ONE, 7));
            rooms.is_settled(ONE);
            assert_eq!(rooms.suspect(), None);
        }
    }

    #[test]
    fn all_rooms_have_four_times_what_the_lobby_has_and_the_fullest_gives() {
        let mut rooms = rooms(Keep { messages: 25, bytes: 1000 }, RoomKeep::All);
        // Many empty messages are more than one of some bytes.
        rooms.add(ONE, Keep { messages: 99, bytes: 0 });
        rooms.add(TWO, Keep::one(4000));
        assert_eq!(rooms.suspect(), None);
        rooms.add(TWO, Keep::one(0));
        assert!(rooms.has_to_go(ONE, 7) && !rooms.has_to_go(TWO, 7));
        rooms.remove(ONE, Keep::one(0));
        assert_eq!(rooms.suspect(), None);
        rooms.add(TWO, Keep::one(1));
        assert_eq!(rooms.suspect(), Some(ONE), "of bytes as well");
        rooms.remove(ONE, Keep { messages: 80, bytes: 0 });
        assert_eq!(rooms.suspect(), Some(TWO));
    }

    #[test]
    fn what_a_room_has_left_is_counted_until_it_has_gone() {
        let mut rooms = rooms(LOBBY, RoomKeep::All);
        rooms.add(ONE, Keep { messages: 2, bytes: 9 });
        rooms.apply(&RoomRecord::Deleted(ONE));
        rooms.apply(&RoomRecord::Deleted(TWO));
        assert_eq!(rooms.rooms.len(), 1, "one without messages leaves nothing");
        assert!(rooms.has_to_go(ONE, u64::MAX));
        assert!(!rooms.keeps(ONE));
        rooms.remove(ONE, Keep { messages: 2, bytes: 9 });
        assert_eq!(rooms.suspect(), Some(ONE));
        rooms.is_empty(ONE);
        assert_eq!((rooms.suspect(), rooms.rooms.len(), rooms.held), (None, 0, Keep::NOTHING));
        // Unless nothing of that has happened.
        rooms.restore(ONE, Keep { messages: 2, bytes: 9 });
        assert_eq!((rooms.suspect(), rooms.held.bytes), (Some(ONE), 9));
        assert!(rooms.has_to_go(ONE, 1));
    }
}
