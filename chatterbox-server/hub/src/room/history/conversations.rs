//! How far the conversations of a reader go, and how much of them is unread (MK-1, MK-2).

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chatterbox_proto::Username;

use super::{History, PrivateMessage};
use crate::record::Sequence;
use crate::room::mailboxes::Kept;
use crate::room::reader::Reader;
use crate::room::segment::Segment;
use crate::unread::Unread;

/// So many of the newest private messages of a reader are looked at where conversations are told apart.
const LOOKED_AT: usize = 4096;

impl History {
    /// The number of the newest public message that is kept.
    pub(crate) fn newest_public(&self) -> Sequence {
        let sealed = self.sealed.back().map_or(0, |segment| segment.marks().last());
        self.open.marks().last().max(sealed)
    }

    /// What the owner of an account has not read of the public messages.
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
        Unread::count(each, read)
    }

    /// The newest private messages of a reader, the newest first: the number, whether they have sent it, and with whom it is.
    fn newest_privates(&self, reader: &Reader) -> Vec<(Sequence, bool, &Username)> {
        let mut all: Vec<(Sequence, &Kept<PrivateMessage>)> = Vec::new();
        for party in &reader.parties {
            all.extend(self.mailboxes.newest(&party.key()).take(LOOKED_AT));
        }
        all.extend(self.sent(reader, 0).rev().take(LOOKED_AT));
        all.sort_unstable_by_key(|(id, _)| Reverse(*id));
        all.truncate(LOOKED_AT);
        let with = all.into_iter().map(|(id, kept)| {
            let is_own = Some(kept.sender.number) == reader.sender;
            let PrivateMessage { source, destination, .. } = &kept.message;
            (id, is_own, destination.as_ref().filter(|_| is_own).unwrap_or(source))
        });
        with.collect()
    }

    /// The number of the newest private message between a reader and whoever has, or had, a name.
    pub(crate) fn newest_with(&self, reader: &Reader, other: &Username) -> Option<Sequence> {
        let mut newest = self.newest_privates(reader).into_iter();
        newest.find(|(_, _, with)| *with == other).map(|(id, ..)| id)
    }

    /// The private conversations of a reader with the newest messages: with whom, and of each message, the newest first, its
    /// number and whether they have sent it.
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
            if let Some((_, messages)) = all.get_mut(place) {
                messages.push((id, is_own));
            }
        }
        all
    }
}
