//! Public messages that follow each other, as one piece of JSON, and what is cut from such pieces for one reader.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use chatterbox_proto::capability::ids::push_id;
use chatterbox_proto::json::LIST_SEPARATOR;

use crate::record::Sequence;
use crate::room::limits::Keep;

/// Public messages that follow each other. Every one is written with a separator before it.
#[derive(Debug, Default)]
pub(crate) struct Segment<B> {
    json: B,
    marks: Marks,
    /// When the newest of them arrived.
    newest: i64,
}

/// Where the messages of a segment begin, and their numbers: eight bytes for each.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The number of the first; the others are told by their distance from it.
    first: Sequence,
    each: Vec<Mark>,
    /// The length of the JSON.
    end: usize,
    /// The elements of IDS for the segment as a whole, made when somebody asks for them first.
    ids: OnceLock<Bytes>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Where the message (its separator) begins. Only the last message of a segment may be long, so this is below 4 GiB.
    start: u32,
    distance: u32,
}

impl<B: AsRef<[u8]>> Segment<B> {
    pub(crate) fn held(&self) -> Keep {
        Keep { messages: self.marks.len() as u64, bytes: self.json.as_ref().len() as u64 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.each.is_empty()
    }

    pub(crate) fn newest(&self) -> i64 {
        self.newest
    }

    pub(crate) fn json(&self) -> &B {
        &self.json
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }
}

impl Segment<Vec<u8>> {
    /// Whether a message of this number can be told by its distance from the first.
    pub(crate) fn takes(&self, id: Sequence) -> bool {
        self.is_empty()
            || (u32::try_from(id - self.marks.first).is_ok()
                && u32::try_from(self.json.len()).is_ok())
    }

    pub(crate) fn push(&mut self, id: Sequence, json: &[u8], arrived: i64) {
        if self.is_empty() {
            self.marks.first = id;
        }
        let start = u32::try_from(self.json.len()).unwrap_or(u32::MAX);
        let distance = u32::try_from(id - self.marks.first).unwrap_or(u32::MAX);
        self.marks.each.push(Mark { start, distance });
        self.json.extend_from_slice(LIST_SEPARATOR);
        self.json.extend_from_slice(json);
        self.marks.end = self.json.len();
        // Somebody may have asked for the segment while it was shorter.
        self.marks.ids.take();
        self.newest = self.newest.max(arrived);
    }

    pub(crate) fn seal(self) -> Segment<Bytes> {
        Segment { json: self.json.into(), marks: self.marks, newest: self.newest }
    }
}

impl Marks {
    pub(crate) fn len(&self) -> usize {
        self.each.len()
    }

    /// The number of the newest message; 0 when there is none.
    pub(crate) fn last(&self) -> Sequence {
        self.each.last().map_or(0, |mark| self.id(*mark))
    }

    fn id(&self, mark: Mark) -> Sequence {
        self.first + Sequence::from(mark.distance)
    }

    /// The place of the first message of this number or a later one.
    pub(crate) fn place_of(&self, id: Sequence) -> usize {
        self.each.partition_point(|mark| self.id(*mark) < id)
    }

    fn start(&self, place: usize) -> usize {
        self.each.get(place).map_or(self.end, |mark| mark.start as usize)
    }

    /// The elements of IDS for some of the messages, each with a separator before it.
    fn ids(&self, places: Range<usize>) -> Bytes {
        if places.len() == self.len() {
            return self.ids.get_or_init(|| self.written_ids(places)).clone();
        }
        self.written_ids(places)
    }

    fn written_ids(&self, places: Range<usize>) -> Bytes {
        let mut out = Vec::with_capacity(places.len() * 10);
        for mark in self.each.get(places).unwrap_or_default() {
            out.extend_from_slice(LIST_SEPARATOR);
            push_id(&mut out, Some(self.id(*mark)));
        }
        out.into()
    }
}

/// What a reader is told: pieces of MESSAGES and, if wanted, of IDS.
#[derive(Default)]
pub struct HistoryCut<'h> {
    messages: Vec<Bytes>,
    ids: Option<Vec<Bytes>>,
    left_out: Option<LeftOut<'h>>,
}

/// Whether a message, as JSON, is not for this reader.
type LeftOut<'h> = Box<dyn Fn(&[u8]) -> bool + 'h>;

impl<'h> HistoryCut<'h> {
    pub(crate) fn messages(pieces: usize) -> Self {
        Self { messages: Vec::with_capacity(pieces), ..Self::default() }
    }

    pub(crate) fn with_ids(pieces: usize) -> Self {
        Self { ids: Some(Vec::with_capacity(pieces)), ..Self::messages(pieces) }
    }

    pub(crate) fn leave_out(&mut self, left_out: impl Fn(&[u8]) -> bool + 'h) {
        self.left_out = Some(Box::new(left_out));
    }

    /// Takes some messages of a segment.
    pub(crate) fn take(&mut self, json: &Bytes, marks: &Marks, places: Range<usize>) {
        if self.left_out.is_some() {
            // Not for everybody: one by one.
            for place in places {
                let one = json.slice(marks.start(place)..marks.start(place + 1));
                self.push(one, |_| marks.written_ids(place..place + 1));
            }
        } else if !places.is_empty() {
            let some = json.slice(marks.start(places.start)..marks.start(places.end));
            self.push(some, |_| marks.ids(places));
        }
    }

    /// Takes a message of the reader's own.
    pub(crate) fn take_one(&mut self, json: &Bytes, id: Sequence) {
        self.push(json.clone(), |mut out| {
            out.extend_from_slice(LIST_SEPARATOR);
            push_id(&mut out, Some(id));
            out.into()
        });
    }

    fn push(&mut self, json: Bytes, ids: impl FnOnce(Vec<u8>) -> Bytes) {
        let tuple = json.get(LIST_SEPARATOR.len()..).unwrap_or_default();
        if self.left_out.as_ref().is_some_and(|left_out| left_out(tuple)) {
            return;
        }
        self.messages.push(json);
        if let Some(all) = &mut self.ids {
            all.push(ids(Vec::new()));
        }
    }

    /// The pieces of MESSAGES and of IDS. A list begins without a separator.
    pub(crate) fn finish(self) -> (Vec<Bytes>, Vec<Bytes>) {
        let mut lists = (self.messages, self.ids.unwrap_or_default());
        for list in [&mut lists.0, &mut lists.1] {
            if let Some(first) = list.first_mut() {
                *first = first.slice(LIST_SEPARATOR.len()..);
            }
        }
        lists
    }
}
