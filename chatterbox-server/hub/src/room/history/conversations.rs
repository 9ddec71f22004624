//! How far the conversations of a reader go, and how much of them is unread (MK-1, MK-2).

use std::collections::{HashMap, HashSet};

use chatterbox_proto::Username;

use super::{History, PrivateMessage};
use crate::record::Sequence;
use crate::room::mailboxes::Kept;
use crate::room::reader::Reader;
use crate::room::segment::Segment;
use crate::unread::{COUNTED_IN_ROOMS, Unread};

/// So many of the newest private messages of a reader are looked at where conversations are told apart, or one is looked for.
const LOOKED_AT: usize = 4096;

/// So many of the newest public messages are looked at for what is unread. Where a reader hides those who say the most, it is more
/// than are counted; the whole history would be a million of them.
const COUNTED_IN_LOBBY: usize = 10 * COUNTED_IN_ROOMS;

/// Messages of one place, the newest first.
type NewestFirst<'a> = Box<dyn Iterator<Item = (Sequence, &'a Kept<PrivateMessage>)> + 'a>;

impl History {
    /// The number of the newest public message that is kept.
    pub(crate) fn newest_public(&self) -> Sequence {
        let sealed = self.sealed.back().map_or(0, |segment| segment.marks().last());
        self.open.marks().last().max(sealed)
    }

    /// What the owner of an account has not read of the newest public messages.
    pub(crate) fn unread_public(
        &self,
        account: i64,
        read: Sequence,
        hidden: &HashSet<Username>,
    ) -> Unread {
        let sealed = self.sealed.iter().map(Segment::marks);
        let segments = sealed.chain([self.open.marks()]).rev();
        let each = segments.flat_map(|marks| {
            let among = (!hidden.is_empty()).then(|| marks.sources().among(hidden)).flatten();
            (0..marks.len()).rev().map(move |place| {
                let sources = marks.sources();
                let index = sources.index_at(place);
                let is_hidden = among.as_ref().zip(index).and_then(|(all, index)| all.get(index));
                let is_own = sources.sender_of(place) == account;
                (marks.id_at(place), is_own, is_hidden != Some(&true))
            })
        });
        Unread::count(each.take(COUNTED_IN_LOBBY), read)
    }

    /// The newest private messages of a reader, the newest first: the number, whether they have sent it, and with whom it is. Of
    /// the mailboxes and of what they have sent the newest is taken again and again, so nothing is gathered or sorted.
    fn newest_privates<'a>(
        &'a self,
        reader: &'a Reader,
    ) -> impl Iterator<Item = (Sequence, bool, &'a Username)> {
        let received = reader
            .parties
            .iter()
            .map(|party| -> NewestFirst<'a> { Box::new(self.mailboxes.newest(&party.key())) });
        let sent: NewestFirst<'a> = Box::new(self.sent(reader, 0).rev());
        let places = received.chain([sent]);
        let mut places: Vec<_> = places.map(|mut place| (place.next(), place)).collect();
        let newest = std::iter::from_fn(move || {
            let (head, rest) =
                places.iter_mut().max_by_key(|(head, _)| head.as_ref().map(|(id, _)| *id))?;
            std::mem::replace(head, rest.next())
        });
        newest.take(LOOKED_AT).map(move |(id, kept)| {
            let is_own = Some(kept.sender.number) == reader.sender;
            let PrivateMessage { source, destination, .. } = &kept.message;
            (id, is_own, destination.as_ref().filter(|_| is_own).unwrap_or(source))
        })
    }

    /// The number of the newest private message between a reader and whoever has, or had, a name, if it is among the newest that are
    /// looked at; and how many were.
    pub(crate) fn newest_with(
        &self,
        reader: &Reader,
        other: &Username,
    ) -> (Option<Sequence>, usize) {
        let mut looked_at = 0;
        let mut newest = self.newest_privates(reader).inspect(|_| looked_at += 1);
        let found = newest.find(|(_, _, with)| *with == other).map(|(id, ..)| id);
        drop(newest);
        (found, looked_at)
    }

    /// The private conversations of a reader with the newest messages: with whom, and of each of the newest messages, the newest
    /// first, its number and whether they have sent it.
    pub(crate) fn private_conversations(
        &self,
        reader: &Reader,
        most: usize,
    ) -> Vec<(Username, Vec<(Sequence, bool)>)> {
        let mut places = HashMap::new();
        let mut all: Vec<(Username, Vec<_>)> = Vec::new();
        for (id, is_own, with) in self.newest_privates(reader) {
            let place = match places.get(with) {
                Some(place) => *place,
                None if all.len() == most => continue,
                None => {
                    places.insert(with.clone(), all.len());
                    all.push((with.clone(), Vec::new()));
                    all.len() - 1
                }
            };
            if let Some((_, messages)) = all.get_mut(place)
                && messages.len() < COUNTED_IN_ROOMS
            {
                messages.push((id, is_own));
            }
        }
        all
    }
}
