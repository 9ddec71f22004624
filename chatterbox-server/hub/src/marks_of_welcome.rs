//! What a welcome says of how far its user has read, and how much is unread (MK-2).

use std::collections::HashMap;

use bytes::Bytes;
use chatterbox_proto::capability::marks::{READ, UNREAD, numbers};
use chatterbox_proto::{ALL, Capability};

use crate::block_lists::BlockFilter;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::mark::{Marked, StoredMark};
use crate::record::Sequence;
use crate::replica::rooms::definition::{RoomKeep, RoomShow};
use crate::replica::rooms::room::{Room, Who};
use crate::room::reader::Reader;
use crate::unread::Unread;

/// The private conversations of which a welcome tells: those with the newest messages.
const PRIVATE_CONVERSATIONS: usize = 100;

/// What is told of them.
pub(crate) struct MarksOfWelcome {
    /// READ and UNREAD.
    pub(crate) members: Bytes,
    /// Whether they name whom the user talks with in private, which nobody else is to learn (ZS-3).
    pub(crate) is_private: bool,
}

impl Hub {
    /// READ and UNREAD of a welcome; `None` for who has no account, or did not agree to them.
    pub(crate) fn marks_of_welcome(
        &self,
        id: MemberId,
        stored: &[StoredMark],
        filter: &BlockFilter,
    ) -> Option<MarksOfWelcome> {
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
        let is_private = !conversations.is_empty();
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
        let members = read.members(&numbers(UNREAD, unread).into_members()).into_members();
        Some(MarksOfWelcome { members, is_private })
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
