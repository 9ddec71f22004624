//! The history: messages encoded once, for every user who joins later (HI-1 to HI-6, OR-1).
//!
//! Public messages lie in segments of encoded JSON that all joiners share. A snapshot for a joiner is a list of
//! segments, cut only where a private message of this user belongs between two public ones. Public and private messages
//! have bounds of their own, so that nobody can push out public messages by sending private ones to themselves.
//!
//! Every message has its number in the backlog (ID-2), and the numbers are the order.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::json::LIST_SEPARATOR;

use crate::record::{Record, Sequence};
use crate::room::cut::HistoryCut;
use crate::room::limits::Keep;
use crate::room::segment::Segment;

/// The size in bytes at which a segment is sealed; from then on it is shared without copying.
const SEGMENT: u64 = 64 * 1024;

/// Segments are dropped as a whole, so each is at most this part of the bounds.
const SEGMENT_PART: u64 = 16;

/// All private messages together get this part of the bounds, beside the public ones.
const PRIVATE_PART: u64 = 4;

/// The private messages of one user get this part of the bounds.
const RECIPIENT_PART: u64 = 16;

/// The bytes that a private message counts beside its JSON: without them, many empty ones would be free.
const OVERHEAD: u64 = 128;

#[derive(Debug)]
struct PrivateMessage {
    id: Sequence,
    source: Username,
    /// With its separator.
    json: Bytes,
    arrived: i64,
}

impl PrivateMessage {
    fn bytes(&self) -> u64 {
        self.json.len() as u64 + OVERHEAD
    }
}

/// The private messages of one user.
#[derive(Debug)]
struct Mailbox {
    privates: VecDeque<PrivateMessage>,
    held: Keep,
    /// Messages up to this number may be missing.
    forgotten: Sequence,
}

/// All messages that are kept.
#[derive(Debug)]
pub struct History {
    sealed: VecDeque<Segment<Bytes>>,
    open: Segment<Vec<u8>>,
    public: Keep,
    mailboxes: HashMap<Username, Mailbox>,
    /// The numbers of private messages and their recipients, in order; dropped messages may still be in it.
    private_order: VecDeque<(Sequence, Username)>,
    private: Keep,
    keep: Keep,
    /// The number of the newest message ever.
    newest: Option<Sequence>,
    /// Dropped segments that welcomes still hold, and their size.
    pinned: VecDeque<Bytes>,
    pinned_bytes: usize,
    /// Public messages up to this number may be missing.
    public_forgotten: Sequence,
    /// Private messages of users without a mailbox up to this number may be missing.
    private_forgotten: Sequence,
}

impl History {
    /// An empty history.
    pub fn new(keep: Keep) -> Self {
        let nothing = Keep { messages: 0, bytes: 0 };
        Self {
            sealed: VecDeque::new(),
            open: Segment::default(),
            public: nothing,
            mailboxes: HashMap::new(),
            private_order: VecDeque::new(),
            private: nothing,
            keep,
            newest: None,
            pinned: VecDeque::new(),
            pinned_bytes: 0,
            public_forgotten: 0,
            private_forgotten: 0,
        }
    }

    /// Sets the number of the next message. Messages before the first one are missing.
    fn begin(&mut self, id: Sequence) {
        if self.newest.is_none() {
            self.public_forgotten = id.saturating_sub(1);
            self.private_forgotten = id.saturating_sub(1);
        }
        self.newest = Some(id);
    }

    /// The number of the newest message; 0 when there was none.
    pub fn newest(&self) -> Sequence {
        self.newest.unwrap_or(0)
    }

    /// Adds a public message.
    pub fn push_public(&mut self, id: Sequence, record: &Record) {
        self.begin(id);
        let part = self.keep.part(SEGMENT_PART);
        let open = self.open.held();
        let full =
            open.bytes + record.json.len() as u64 > part.bytes || open.messages >= part.messages;
        if full || !self.open.takes(id) {
            self.seal();
        }
        self.open.push(id, record);
        self.public.messages += 1;
        self.public.bytes += (record.json.len() + LIST_SEPARATOR.len()) as u64;
        if self.open.held().bytes >= SEGMENT {
            self.seal();
        }
        while self.keep.is_exceeded_by(self.public) {
            if self.sealed.is_empty() {
                self.seal();
            }
            self.drop_segment();
        }
    }

    /// Adds a private message.
    pub fn push_private(&mut self, id: Sequence, recipient: &Username, record: &Record) {
        self.begin(id);
        let json = [LIST_SEPARATOR, &record.json].concat().into();
        let source = record.source.clone();
        let private = PrivateMessage { id, source, json, arrived: record.arrived };
        let bytes = private.bytes();
        let forgotten = self.private_forgotten;
        let mailbox = self.mailboxes.entry(recipient.clone()).or_insert_with(|| Mailbox {
            privates: VecDeque::new(),
            held: Keep { messages: 0, bytes: 0 },
            forgotten,
        });
        mailbox.privates.push_back(private);
        for held in [&mut mailbox.held, &mut self.private] {
            held.messages += 1;
            held.bytes += bytes;
        }
        self.private_order.push_back((id, recipient.clone()));
        let most = self.keep.part(RECIPIENT_PART);
        while self.mailboxes.get(recipient).is_some_and(|mailbox| most.is_exceeded_by(mailbox.held))
        {
            self.drop_private(recipient);
        }
        while self.keep.part(PRIVATE_PART).is_exceeded_by(self.private) {
            let Some(user) = self.oldest_recipient() else { break };
            self.drop_private(&user);
        }
    }

    /// Whether all messages to this user after this number are still kept.
    pub fn reaches(&self, user: &Username, after: Sequence) -> bool {
        let private = self.mailboxes.get(user).map_or(self.private_forgotten, |m| m.forgotten);
        after >= self.public_forgotten && after >= private
    }

    /// The public messages and those to this user after a number, in their order; 0 for all.
    pub(crate) fn cut(&self, user: &Username, after: Sequence) -> HistoryCut {
        let mut out = HistoryCut::with_capacity(self.sealed.len() + 1);
        let privates = self.mailboxes.get(user).into_iter().flat_map(|mailbox| &mailbox.privates);
        let mut privates = privates.skip_while(|private| private.id <= after).peekable();
        let open = (!self.open.is_empty()).then(|| out.copy(self.open.json()));
        let sealed = self.sealed.iter().map(|segment| (segment.json().clone(), segment.marks()));
        for (json, marks) in sealed.chain(open.map(|json| (json, self.open.marks()))) {
            let mut from = marks.place_of(after + 1);
            while let Some(private) = privates.next_if(|private| marks.last() > private.id) {
                let to = marks.place_of(private.id);
                out.take(&json, marks, from..to);
                out.take_private(private.id, &private.source, &private.json);
                from = to;
            }
            out.take(&json, marks, from..marks.len());
        }
        for private in privates {
            out.take_private(private.id, &private.source, &private.json);
        }
        out
    }

    /// Drops messages that arrived before `oldest`; public ones only when their whole segment did.
    pub fn expire(&mut self, oldest: i64) {
        if !self.open.is_empty() && self.open.newest() < oldest {
            self.seal();
        }
        while self.sealed.front().is_some_and(|segment| segment.newest() < oldest) {
            self.drop_segment();
        }
        while let Some(user) = self.oldest_recipient() {
            let first = self.mailboxes.get(&user).and_then(|mailbox| mailbox.privates.front());
            if first.is_none_or(|private| private.arrived >= oldest) {
                return;
            }
            self.drop_private(&user);
        }
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.sealed.push_back(std::mem::take(&mut self.open).seal());
        }
    }

    fn drop_segment(&mut self) {
        if let Some(segment) = self.sealed.pop_front() {
            self.public.messages -= segment.held().messages;
            self.public.bytes -= segment.held().bytes;
            self.public_forgotten = segment.marks().last();
            self.pin(segment.into_json());
        }
    }

    /// Notes a dropped segment for as long as a welcome holds it.
    fn pin(&mut self, json: Bytes) {
        if !json.is_unique() {
            self.pinned_bytes += json.len();
            self.pinned.push_back(json);
        }
        // The oldest are held by the fewest.
        while self.pinned.front().is_some_and(Bytes::is_unique) {
            self.pinned_bytes -= self.pinned.pop_front().map_or(0, |json| json.len());
        }
    }

    /// The bytes of dropped segments that welcomes still hold, and maybe of some that they do not hold any more.
    pub fn pinned(&self) -> usize {
        self.pinned_bytes
    }

    /// Forgets the dropped segments that nobody holds any more.
    pub fn forget_unpinned(&mut self) {
        self.pinned.retain(|json| !json.is_unique());
        self.pinned_bytes = self.pinned.iter().map(Bytes::len).sum();
    }

    /// The recipient of the oldest private message.
    fn oldest_recipient(&mut self) -> Option<Username> {
        loop {
            let (id, user) = self.private_order.front()?;
            let mailbox = self.mailboxes.get(user);
            if mailbox.is_some_and(|m| m.privates.front().is_some_and(|p| p.id == *id)) {
                return Some(user.clone());
            }
            self.private_order.pop_front();
        }
    }

    /// Drops the oldest private message to a user.
    fn drop_private(&mut self, user: &Username) {
        let Some(mailbox) = self.mailboxes.get_mut(user) else { return };
        if let Some(private) = mailbox.privates.pop_front() {
            for held in [&mut mailbox.held, &mut self.private] {
                held.messages -= 1;
                held.bytes -= private.bytes();
            }
            mailbox.forgotten = private.id;
        }
        if mailbox.privates.is_empty() {
            self.private_forgotten = self.private_forgotten.max(mailbox.forgotten);
            self.mailboxes.remove(user);
        }
        // Dropped messages are removed from the order when they are half of it.
        if self.private_order.len() as u64 > 2 * self.private.messages + 64 {
            let mailboxes = &self.mailboxes;
            self.private_order.retain(|(id, user)| {
                let first = mailboxes.get(user).and_then(|mailbox| mailbox.privates.front());
                first.is_some_and(|first| first.id <= *id)
            });
        }
    }
}

#[cfg(test)]
mod tests;
