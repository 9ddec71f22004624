//! The history: messages encoded once, for every user who joins later (HI-1 to HI-6, OR-1).
//!
//! Public messages lie in segments of encoded JSON that all joiners share. A snapshot for a joiner is a list of
//! segments, cut only where a private message of this user belongs between two public ones. Public and private messages
//! have bounds of their own, so that nobody can push out public messages by sending private ones to themselves, and
//! nobody has more than a share of either.
//!
//! Every message has its number (ID-2), and the numbers are the order.

mod conversations;

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::json::LIST_SEPARATOR;
use chatterbox_proto::session::Destination;

use crate::filing::Party;
use crate::own_device::OwnDevice;
use crate::record::{Record, Sequence};
use crate::record_meta::RecordMeta;
use crate::room::cut::HistoryCut;
use crate::room::cut_part::OwnMessage;
use crate::room::limits::Keep;
use crate::room::mailboxes::{Kept, Mailboxes};
use crate::room::reader::Reader;
use crate::room::segment::{Marks, Segment};
use crate::room::shares::Shares;

/// The size in bytes at which a segment is sealed; from then on it is shared without copying.
const SEGMENT: u64 = 64 * 1024;

/// Segments are dropped as a whole, so each is at most this part of the bounds.
const SEGMENT_PART: u64 = 16;

/// Segments that are written anew for one message at most; a share that is exceeded after that is cut by the next messages.
const CUTS: usize = 8;

#[derive(Debug)]
struct PrivateMessage {
    source: Username,
    /// To whom it is, as its tuple says.
    destination: Option<Username>,
    /// With its separator.
    json: Bytes,
    /// What goes with it, for all devices of its reader.
    meta: Option<Arc<RecordMeta>>,
}

/// All messages that are kept.
#[derive(Debug)]
pub struct History {
    sealed: VecDeque<Segment<Bytes>>,
    open: Segment<Vec<u8>>,
    public: Keep,
    shares: Shares,
    mailboxes: Mailboxes<PrivateMessage>,
    keep: Keep,
    /// The number of the newest message ever.
    newest: Sequence,
    /// Dropped segments that welcomes still hold, with their places in the order in which they were dropped, and their size.
    pinned: VecDeque<(u64, Pinned)>,
    pinned_bytes: usize,
    /// Segments that were dropped.
    drops: u64,
    /// The segment that is not sealed, as those get it who join before the next message.
    frozen: OnceLock<Bytes>,
    /// Public messages up to this number may be missing. What was removed before this history began has no session missed that
    /// can be resumed: these are as old as the process, as it is.
    public_forgotten: Sequence,
}

impl History {
    /// An empty history.
    pub fn new(keep: Keep) -> Self {
        Self {
            sealed: VecDeque::new(),
            open: Segment::default(),
            public: Keep::NOTHING,
            shares: Shares::new(keep),
            mailboxes: Mailboxes::new(keep.of_private()),
            keep,
            newest: 0,
            pinned: VecDeque::new(),
            pinned_bytes: 0,
            drops: 0,
            frozen: OnceLock::new(),
            public_forgotten: 0,
        }
    }

    /// The number of the newest message; 0 when there was none.
    pub fn newest(&self) -> Sequence {
        self.newest
    }

    /// Adds a public message.
    pub fn push_public(&mut self, id: Sequence, record: &Record) {
        self.newest = id;
        let part = self.keep.part(SEGMENT_PART);
        let open = self.open.held();
        let full =
            open.bytes + record.weight() as u64 > part.bytes || open.messages >= part.messages;
        if full || !self.open.takes(id, record.arrived) {
            self.seal();
        }
        self.thaw();
        self.open.push(id, record);
        let (sender, many) =
            (record.filing.sender, Keep::one((record.weight() + LIST_SEPARATOR.len()) as u64));
        self.public = self.public.plus(many);
        self.shares.add(sender, many);
        if self.open.held().bytes >= SEGMENT {
            self.seal();
        }
        for _ in 0..CUTS {
            let Some(sender) = self.shares.exceeded_by(sender.number) else { break };
            if !self.cut_share(sender, id) {
                break;
            }
        }
        while self.keep.is_exceeded_by(self.public) {
            if self.sealed.is_empty() {
                self.seal();
            }
            self.drop_segment();
        }
    }

    /// Adds a private message to somebody.
    pub fn push_private(&mut self, id: Sequence, recipient: &Party, record: &Record) {
        self.newest = id;
        let json: Bytes = [LIST_SEPARATOR, &record.json].concat().into();
        let kept = Kept {
            sender: record.filing.sender,
            arrived: record.arrived,
            // As in the database, so that the same ones go there.
            bytes: record.weight() as u64,
            message: PrivateMessage {
                source: record.source.clone(),
                destination: match &record.destination {
                    Destination::User(name) => Some(name.clone()),
                    Destination::All | Destination::Room(_) => None,
                },
                json,
                meta: record.meta.clone(),
            },
        };
        self.mailboxes.push(id, &recipient.key(), kept);
    }

    /// The senders of the messages to an account behind a number, or where that is not known, of those that arrived at `since`
    /// or later, in seconds since 1970 UTC; the newest first.
    pub(crate) fn waiting(
        &self,
        account: i64,
        behind: Option<Sequence>,
        since: i64,
    ) -> impl Iterator<Item = i64> {
        let newest = self.mailboxes.newest(&Party::Account(account).key());
        let waits = move |id: Sequence, arrived| behind.map_or(arrived >= since, |last| id > last);
        newest
            .take_while(move |(id, kept)| waits(*id, kept.arrived))
            .map(|(_, kept)| kept.sender.number)
    }

    /// The accounts to which there are private messages.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = i64> {
        self.mailboxes.owners().filter_map(|owner| match Party::of_key(owner) {
            Party::Account(id) => Some(id),
            Party::Guest(_) => None,
        })
    }

    /// Forgets all private messages to an account, which is removed.
    pub fn forget_account(&mut self, account: i64) {
        self.mailboxes.seal(&Party::Account(account).key());
    }

    /// Whether all messages to this reader after this number are still kept, and those that they sent where they get these.
    pub(crate) fn reaches(&self, reader: &Reader, after: Sequence) -> bool {
        let reaches = |party: &Party| after >= self.mailboxes.forgotten(&party.key());
        let sent = |sender: i64| after >= self.mailboxes.sent_forgotten(sender);
        after >= self.public_forgotten
            && reader.parties.iter().all(reaches)
            && reader.sender.is_none_or(sent)
    }

    /// The public messages and those of a reader after a number, in their order; 0 for all.
    pub(crate) fn cut(&self, reader: &Reader, after: Sequence) -> HistoryCut {
        self.cut_with(reader, after, Vec::new())
    }

    /// The private messages that a reader sent after a number, where they get these (DV-2). What they sent to themselves is in a
    /// mailbox of theirs.
    fn sent(
        &self,
        reader: &Reader,
        after: Sequence,
    ) -> impl DoubleEndedIterator<Item = (Sequence, &Kept<PrivateMessage>)> {
        let own: Vec<_> = reader.parties.iter().map(|party| party.key().into_owned()).collect();
        let sent = reader.sender.into_iter().flat_map(move |one| self.mailboxes.sent(one, after));
        let others = sent.filter(move |(_, owner, _)| !own.iter().any(|key| key == owner));
        others.map(|(id, _, kept)| (id, kept))
    }

    /// The same together with others that only this reader gets (RH-6).
    pub(crate) fn cut_with(
        &self,
        reader: &Reader,
        after: Sequence,
        mut own: Vec<OwnMessage>,
    ) -> HistoryCut {
        let mut out = HistoryCut::with_capacity(self.sealed.len() + 1);
        let as_read = |one| own_message(one, reader.device.as_ref());
        for party in &reader.parties {
            own.extend(self.mailboxes.after(&party.key(), after).map(as_read));
        }
        own.extend(self.sent(reader, after).map(as_read));
        own.sort_unstable_by_key(|message| message.id);
        let mut own = own.into_iter().peekable();
        for (json, marks) in self.segments() {
            let mut from = marks.place_of(after + 1);
            while let Some(message) = own.next_if(|message| marks.last() > message.id) {
                let to = marks.place_of(message.id);
                out.take(json, marks, from..to);
                out.take_own(message);
                from = to;
            }
            out.take(json, marks, from..marks.len());
        }
        own.for_each(|message| out.take_own(message));
        out
    }

    /// The newest of the public messages and of those to these, for a short welcome (RC-1). Where the reader hides nobody, it
    /// looks at no more of them than are asked for, and one; else at all segments, since only whoever writes the cut counts
    /// what is hidden.
    ///
    /// Beyond them it has all private messages from the first one on whose encrypted text the reader's device has not read (EE-9):
    /// whatever it is told later comes behind these, and what it says to have read is dropped.
    pub(crate) fn cut_newest(&self, reader: &Reader, newest: u16, hides: bool) -> HistoryCut {
        let owed = self.first_unread(reader);
        let mut out = HistoryCut::of_newest(newest, owed);
        let as_read = |one| own_message(one, reader.device.as_ref());
        let most = if hides { usize::MAX } else { usize::from(newest) + 1 };
        let mut privates = Vec::new();
        for party in &reader.parties {
            privates.extend(newest_of(self.mailboxes.newest(&party.key()), most, owed));
        }
        privates.extend(newest_of(self.sent(reader, 0).rev(), most, owed));
        privates.sort_unstable_by_key(|(id, _)| Reverse(*id));
        let mut privates = privates.into_iter().peekable();
        let (mut count, mut is_enough) = (0, false);
        for (json, marks) in self.segments().rev() {
            if !hides && out.has_enough(count) {
                is_enough = true;
                break;
            }
            let mut to = marks.len();
            while let Some((id, private)) = privates.next_if(|(id, _)| marks.id_at(0) < *id) {
                let from = marks.place_of(id);
                out.take(json, marks, from..to);
                out.take_own(as_read((id, private)));
                count += to - from + 1;
                to = from;
            }
            out.take(json, marks, 0..to);
            count += to;
        }
        // Where there are enough without the rest, only what is owed is wanted of it.
        let is_wanted = |id: Sequence| !is_enough || owed.is_some_and(|owed| id >= owed);
        for private in privates.filter(|(id, _)| is_wanted(*id)) {
            out.take_own(as_read(private));
        }
        out
    }

    /// The number of the first message to a reader, or of theirs, with an encrypted text that their device has not read.
    fn first_unread(&self, reader: &Reader) -> Option<Sequence> {
        let own = reader.device.as_ref()?;
        let is_unread = |id: Sequence, kept: &Kept<PrivateMessage>| {
            let meta = kept.message.meta.as_ref();
            let device = own.reads(id, kept.arrived);
            meta.zip(device).is_some_and(|(meta, device)| meta.is_for(device))
        };
        let first = |party: &Party| {
            let mut mailbox = self.mailboxes.after(&party.key(), own.done);
            mailbox.find(|&(id, kept)| is_unread(id, kept)).map(|(id, _)| id)
        };
        let mut sent = self.sent(reader, own.done);
        let sent = sent.find(|&(id, kept)| is_unread(id, kept)).map(|(id, _)| id);
        reader.parties.iter().filter_map(first).chain(sent).min()
    }

    /// All segments, the open one as it is now.
    fn segments(&self) -> impl DoubleEndedIterator<Item = (&Bytes, &Arc<Marks>)> {
        let freeze = || self.frozen.get_or_init(|| Bytes::copy_from_slice(self.open.json()));
        let open = (!self.open.is_empty()).then(|| (freeze(), self.open.marks()));
        self.sealed.iter().map(|segment| (segment.json(), segment.marks())).chain(open)
    }

    /// Drops messages that arrived before `oldest`; public ones only when their whole segment did.
    pub fn expire(&mut self, oldest: i64) {
        if !self.open.is_empty() && self.open.newest() < oldest {
            self.seal();
        }
        while self.sealed.front().is_some_and(|segment| segment.newest() < oldest) {
            self.drop_segment();
        }
        while self.mailboxes.expire_one(oldest).is_some() {}
    }

    /// Forgets the public messages up to this number, which no message that is kept is above: the lobby was cleared (RH-4).
    pub fn clear(&mut self, floor: Sequence) {
        let forgotten = self.public_forgotten;
        self.seal();
        while self.sealed.front().is_some_and(|segment| segment.marks().last() <= floor) {
            self.drop_segment();
        }
        // Nobody has missed what nobody is shown any more, so sessions can still be resumed (ID-8).
        self.public_forgotten = forgotten;
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.thaw();
            self.sealed.push_back(std::mem::take(&mut self.open).seal());
        }
    }

    fn drop_segment(&mut self) {
        if let Some(segment) = self.sealed.pop_front() {
            self.public = self.public.minus(segment.held());
            for (sender, held) in segment.marks().those_that(|_, _| true).by_sender {
                self.shares.remove(sender, held);
            }
            self.public_forgotten = self.public_forgotten.max(segment.marks().last());
            self.pin(Pinned::from(segment));
        }
    }

    /// Notes a dropped segment for as long as a welcome holds it.
    fn pin(&mut self, dropped: Pinned) {
        if !dropped.json.is_unique() {
            self.pinned_bytes += dropped.bytes;
            self.pinned.push_back((self.drops, dropped));
        }
        self.drops += 1;
        // The oldest are held by the fewest.
        while self.pinned.front().is_some_and(|(_, dropped)| dropped.json.is_unique()) {
            self.pinned_bytes -= self.pinned.pop_front().map_or(0, |(_, dropped)| dropped.bytes);
        }
    }

    /// What joiners were given of the open segment is not what the next one gets.
    fn thaw(&mut self) {
        if let Some(frozen) = self.frozen.take() {
            // What goes with its messages is shared with the segment that goes on.
            self.pin(Pinned { bytes: frozen.len(), json: frozen });
        }
    }

    /// How many segments have been dropped.
    pub fn drops(&self) -> u64 {
        self.drops
    }

    /// The bytes of dropped segments that welcomes still hold, and maybe of some that they do not hold any more.
    pub fn pinned(&self) -> usize {
        self.pinned_bytes
    }

    /// Those of them that were dropped as the `from`th or later, and before the `to`th.
    pub fn pinned_between(&self, from: u64, to: u64) -> usize {
        let between = self.pinned.iter().filter(|(place, _)| (from..to).contains(place));
        between.map(|(_, dropped)| dropped.bytes).sum()
    }

    /// Forgets the dropped segments that nobody holds any more.
    pub fn forget_unpinned(&mut self) {
        self.pinned.retain(|(_, dropped)| !dropped.json.is_unique());
        self.pinned_bytes = self.pinned.iter().map(|(_, dropped)| dropped.bytes).sum();
    }

    /// Drops what a sender has in the oldest segment with anything of it, and what others have there who have to go with it, but
    /// not the message of this number; says `false` when there is nothing else.
    fn cut_share(&mut self, sender: i64, newest: Sequence) -> bool {
        let has = |segment: &Segment<Bytes>| segment.marks().has_sender(sender);
        if !self.sealed.iter().any(has) {
            self.seal();
        }
        let Some(place) = self.sealed.iter().position(has) else { return false };
        let Some(segment) = self.sealed.get(place) else { return false };
        let together: HashSet<i64> = self.shares.together_with(sender, segment.marks().senders());
        let goes = |of: i64, id: Sequence| together.contains(&of) && id != newest;
        let gone = segment.marks().those_that(goes);
        let Some(last) = gone.last else { return false };
        self.public_forgotten = self.public_forgotten.max(last);
        for (sender, held) in gone.by_sender {
            self.public = self.public.minus(held);
            self.shares.remove(sender, held);
        }
        self.write_anew(place, goes);
        true
    }

    /// Writes a segment anew without some of its messages: a joiner gets a segment as one piece, so there are no holes in it.
    /// What is left of it goes into the segment before, so that there are not more and more small ones.
    fn write_anew(&mut self, place: usize, goes: impl Fn(i64, Sequence) -> bool) {
        let Some(old) = self.sealed.remove(place) else { return };
        let mut rest = Segment::<Vec<u8>>::default();
        rest.push_those(&old, |sender, id| !goes(sender, id));
        self.pin(Pinned::from(old));
        if rest.is_empty() {
            return;
        }
        let rest = rest.seal();
        let most = self.keep.part(SEGMENT_PART);
        if let Some(before) = place.checked_sub(1).and_then(|place| self.sealed.get_mut(place))
            && before.takes_all_of(&rest)
        {
            let both = before.held().plus(rest.held());
            if both.bytes <= SEGMENT && !most.is_exceeded_by(both) {
                let mut joined = Segment::<Vec<u8>>::default();
                joined.push_those(before, |_, _| true);
                joined.push_those(&rest, |_, _| true);
                let replaced = std::mem::replace(before, joined.seal());
                self.pin(Pinned::from(replaced));
                return;
            }
        }
        self.sealed.insert(place, rest);
    }
}

/// A dropped segment.
#[derive(Debug)]
struct Pinned {
    json: Bytes,
    /// What a welcome that holds it keeps in memory.
    bytes: usize,
}

impl From<Segment<Bytes>> for Pinned {
    fn from(segment: Segment<Bytes>) -> Self {
        let bytes = segment.json().len() + segment.marks().beside().bytes();
        Self { json: segment.into_json(), bytes }
    }
}

/// Of messages that come from the newest to the oldest so many, and all from a number on.
fn newest_of<'a>(
    all: impl Iterator<Item = (Sequence, &'a Kept<PrivateMessage>)>,
    most: usize,
    from: Option<Sequence>,
) -> impl Iterator<Item = (Sequence, &'a Kept<PrivateMessage>)> {
    all.enumerate()
        .take_while(move |(place, (id, _))| *place < most || from.is_some_and(|from| *id >= from))
        .map(|(_, one)| one)
}

/// A private message as the connection of this device reads it.
fn own_message(
    (id, kept): (Sequence, &Kept<PrivateMessage>),
    device: Option<&OwnDevice>,
) -> OwnMessage {
    let Kept { arrived, message: PrivateMessage { source, json, meta, .. }, .. } = kept;
    let device = device.and_then(|own| own.reads(id, *arrived));
    let meta = meta.as_ref().and_then(|meta| meta.told(device));
    OwnMessage { id, source: source.clone(), json: json.clone(), arrived: *arrived, meta }
}

#[cfg(test)]
mod tests;
