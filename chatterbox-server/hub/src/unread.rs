//! What a welcome says of how far its user has read, and how much is unread (MK-2).

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;
use chatterbox_proto::capability::marks::{READ, UNREAD, numbers};
use chatterbox_proto::{ALL, Capability, Username};

use crate::block_lists::BlockFilter;
use crate::hub::Hub;
use crate::ids::{MemberId, RoomNumber};
use crate::read_marks::Marked;
use crate::record::{Record, Sequence};
use crate::replica::rooms::definition::{RoomKeep, RoomShow};
use crate::replica::rooms::room::{Room, Who};
use crate::room::reader::Reader;

/// So much is counted of one conversation; it means at least so much.
pub(crate) const UNREAD_MOST: usize = 100;

/// The private conversations of which a welcome tells: those with the newest messages.
pub(crate) const PRIVATE_CONVERSATIONS: usize = 100;

/// A mark of an account, as it was read from the store.
pub type StoredMark = (Marked, Sequence);

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
        // What is hidden from a reader is not counted, so some more are known.
        if newest.len() == 2 * UNREAD_MOST {
            newest.pop_front();
        }
        newest.push_back((id, record.filing.sender.number, record.source.clone()));
    }

    /// Forgets a room.
    pub(crate) fn forget(&mut self, room: RoomNumber) {
        self.0.remove(&room);
    }

    /// What is unread of a room for the owner of an account.
    fn unread(
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

impl Hub {
    /// READ and UNREAD of a welcome; `None` for who has no account, or did not agree to them.
    pub(crate) fn marks_of_welcome(
        &self,
        id: MemberId,
        stored: &[StoredMark],
        filter: &BlockFilter,
    ) -> Option<Bytes> {
        let identity = self.identity(id)?;
        let agreed = identity.agreed.filter(|agreed| agreed.has(Capability::Marks))?;
        let account = identity.login.as_ref()?.account_key.id;
        let stored: HashMap<&Marked, Sequence> =
            stored.iter().map(|(with, upto)| (with, *upto)).collect();
        let read = |with: &Marked| {
            let known = self.marks.known(&(account, with.clone()));
            stored.get(with).copied().unwrap_or(0).max(known)
        };
        let mut all = Vec::new();
        let lobby = read(&Marked::Lobby);
        let unread = self.history.unread_public(account, lobby, &filter.hidden);
        all.push((ALL.to_owned(), lobby, unread));
        if agreed.has(Capability::Rooms) {
            for (number, room) in self.replica.rooms.rooms_of(Who::Account(account)) {
                let mark = read(&Marked::Room(number));
                let hidden = match self.is_room_staff(id, number) {
                    true => &filter.ignored,
                    false => &filter.hidden,
                };
                let shown = mark.max(shown_after(room, account));
                let unread = self.newest_in_rooms.unread(number, account, shown, hidden);
                all.push((room.definition.name.as_str().to_owned(), mark, unread));
            }
        }
        let reader = Reader::of(identity);
        let conversations = self.history.private_conversations(&reader, PRIVATE_CONVERSATIONS);
        for (name, newest_first) in conversations {
            let mark = read(&Marked::User(name.clone()));
            let is_shown = !filter.hidden.contains(&name);
            let each = newest_first.into_iter().map(|(id, is_own)| (id, is_own, is_shown));
            all.push((name.as_str().to_owned(), mark, Unread::count(each, mark)));
        }
        let read = all.iter().map(|(with, mark, unread)| {
            (with.as_str(), unread.own.map_or(*mark, |own| own.max(*mark)))
        });
        let read = numbers(READ, read);
        let unread = all.iter().map(|(with, _, unread)| (with.as_str(), unread.count as u64));
        Some(read.members(&numbers(UNREAD, unread).into_members()).into_members())
    }
}

/// Nothing up to this number is shown of a room to the owner of an account.
fn shown_after(room: &Room, account: i64) -> Sequence {
    let settings = &room.definition.settings;
    if settings.keep == RoomKeep::Off {
        // What nobody keeps nobody can read later.
        return Sequence::MAX;
    }
    let since = match settings.show {
        RoomShow::All => 0,
        RoomShow::Joined => room.since(Who::Account(account)).unwrap_or(0),
    };
    since.max(room.definition.floor)
}
