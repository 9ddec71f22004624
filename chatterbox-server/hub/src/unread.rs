//! How much somebody has not read of a conversation (MK-2).

use std::collections::{HashMap, HashSet, VecDeque};

use chatterbox_proto::Username;

use crate::ids::RoomNumber;
use crate::record::{Record, Sequence};

/// So much is counted of one conversation; it means at least so much.
pub(crate) const UNREAD_MOST: usize = 100;

/// So many of the newest messages of a room are known: what is hidden from a reader is not counted, so some more than that.
pub const COUNTED_IN_ROOMS: usize = 2 * UNREAD_MOST;

/// What is unread of a conversation: how many messages of others that the reader is shown, and the newest of the reader's own
/// before which nothing was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) count: usize,
    pub(crate) own: Option<Sequence>,
}

impl Unread {
    /// Counts messages, the newest first, up to a number: of each its own number, whether it is the reader's own, and whether they
    /// are shown it.
    pub(crate) fn count(
        newest_first: impl IntoIterator<Item = (Sequence, bool, bool)>,
        read: Sequence,
    ) -> Self {
        let mut unread = Self::default();
        for (id, is_own, is_shown) in newest_first {
            if id <= read || unread.count == UNREAD_MOST {
                break;
            }
            if is_own {
                unread.own = Some(id);
                break;
            }
            unread.count += usize::from(is_shown);
        }
        unread
    }
}

/// The newest messages of each room, as far as they are counted: their numbers, senders and sources.
#[derive(Debug, Default)]
pub(crate) struct NewestInRooms(HashMap<RoomNumber, VecDeque<(Sequence, i64, Username)>>);

impl NewestInRooms {
    /// Notes a message of a room.
    pub(crate) fn note(&mut self, room: RoomNumber, id: Sequence, record: &Record) {
        let newest = self.0.entry(room).or_default();
        if newest.len() == COUNTED_IN_ROOMS {
            newest.pop_front();
        }
        newest.push_back((id, record.filing.sender.number, record.source.clone()));
    }

    /// Forgets a room.
    pub(crate) fn forget(&mut self, room: RoomNumber) {
        self.0.remove(&room);
    }

    /// What is unread of a room for the owner of an account.
    pub(crate) fn unread(
        &self,
        room: RoomNumber,
        account: i64,
        read: Sequence,
        hidden: &HashSet<Username>,
    ) -> Unread {
        let newest = self.0.get(&room).into_iter().flatten().rev();
        let each = newest.map(|(id, sender, source)| {
            (*id, *sender == account, hidden.is_empty() || !hidden.contains(source))
        });
        Unread::count(each, read)
    }
}
