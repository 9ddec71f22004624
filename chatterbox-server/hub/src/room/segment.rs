//! Segments of the history: successive public messages as one piece of JSON.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chatterbox_proto::capability::ids::{push_id, push_time};
use chatterbox_proto::json::LIST_SEPARATOR;

use crate::record::{Record, Sequence};
use crate::room::beside::Beside;
use crate::room::limits::Keep;
use crate::room::meta_list::{MetaPart, MetaWriter};
use crate::room::sources::Sources;

/// Successive public messages. Each is written with a separator before it.
#[derive(Debug, Default)]
pub(crate) struct Segment<B> {
    json: B,
    /// Shared with those who are reading them; what is added meanwhile is not theirs.
    marks: Arc<Marks>,
    /// The latest time of arrival of its messages.
    newest: i64,
}

/// Where the messages of a segment begin, their numbers, times and sources: 14 bytes for each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// The number of the first message; the others have their distance from it.
    first: Sequence,
    /// A time near those at which the messages were taken; they have their distance from it.
    about: i64,
    each: Vec<Mark>,
    sources: Sources,
    /// What goes with those of its messages that something goes with.
    beside: Beside,
    /// The length of the JSON.
    end: usize,
    /// The elements of IDS for the whole segment, encoded when a reader needs them first.
    ids: OnceLock<Bytes>,
    /// The same for TIMES.
    times: OnceLock<Bytes>,
    /// The same for META; `None` inside where nothing goes with any message.
    metas: OnceLock<Option<MetaPart>>,
    /// The length of the JSON without escapes, counted when a reader needs it first.
    unescaped: OnceLock<usize>,
}

/// Some messages of a segment: what each sender has of them, and the number of the last.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) by_sender: HashMap<i64, Keep>,
    pub(crate) last: Option<Sequence>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Where the message (its separator) begins. Only the last message of a segment may be long, so this is below 4
    /// GiB.
    start: u32,
    distance: u32,
    /// Seconds, before or after.
    later: i32,
}

impl<B: AsRef<[u8]>> Segment<B> {
    pub(crate) fn held(&self) -> Keep {
        let bytes = self.json.as_ref().len() + self.marks.beside.bytes();
        Keep { messages: self.marks.len() as u64, bytes: bytes as u64 }
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

    pub(crate) fn marks(&self) -> &Arc<Marks> {
        &self.marks
    }
}

impl Segment<Bytes> {
    pub(crate) fn into_json(self) -> Bytes {
        self.json
    }

    /// Whether a later segment can be added to this one.
    pub(crate) fn takes_all_of(&self, later: &Self) -> bool {
        u32::try_from(later.marks.last() - self.marks.first).is_ok()
            && later.marks.each.iter().all(|mark| self.marks.is_near(later.marks.time(*mark)))
            && self.marks.sources.takes(&later.marks.sources)
    }
}

impl Segment<Vec<u8>> {
    /// Whether a message of this number and time can be added: its distances from the first and its place have to fit their
    /// types. A clock that jumps by decades begins a segment.
    pub(crate) fn takes(&self, id: Sequence, arrived: i64) -> bool {
        self.is_empty()
            || (u32::try_from(id - self.marks.first).is_ok()
                && self.marks.is_near(arrived)
                && u32::try_from(self.json.len()).is_ok()
                && !self.marks.sources.is_full())
    }

    pub(crate) fn push(&mut self, id: Sequence, record: &Record) {
        let marks = Arc::make_mut(&mut self.marks);
        if marks.each.is_empty() {
            (marks.first, marks.about) = (id, record.arrived);
        }
        let start = u32::try_from(self.json.len()).unwrap_or(u32::MAX);
        let distance = u32::try_from(id - marks.first).unwrap_or(u32::MAX);
        let later = marks.later(record.arrived);
        marks.each.push(Mark { start, distance, later });
        marks.sources.push(&record.source, record.filing.sender.number);
        marks.beside.push(marks.each.len() - 1, record.meta.as_ref());
        self.json.extend_from_slice(LIST_SEPARATOR);
        self.json.extend_from_slice(&record.json);
        marks.end = self.json.len();
        marks.forget_written();
        self.newest = self.newest.max(record.arrived);
    }

    /// Adds the messages of a later segment, of which sender and number say that they stay.
    pub(crate) fn push_those(
        &mut self,
        later: &Segment<Bytes>,
        stays: impl Fn(i64, Sequence) -> bool,
    ) {
        let marks = Arc::make_mut(&mut self.marks);
        if marks.each.is_empty() {
            (marks.first, marks.about) = (later.marks.first, later.marks.about);
        }
        let places = later.marks.places_that(&stays);
        for place in places.iter().copied() {
            let start = u32::try_from(self.json.len()).unwrap_or(u32::MAX);
            let distance = later.marks.id_at(place) - marks.first;
            let distance = u32::try_from(distance).unwrap_or(u32::MAX);
            let later_by = marks.later(later.marks.time_at(place));
            marks.each.push(Mark { start, distance, later: later_by });
            marks.beside.push(marks.each.len() - 1, later.marks.beside.at(place));
            let bytes = later.marks.start(place)..later.marks.start(place + 1);
            self.json.extend_from_slice(later.json.get(bytes).unwrap_or_default());
        }
        marks.sources.push_from(&later.marks.sources, places.into_iter());
        marks.end = self.json.len();
        marks.forget_written();
        self.newest = self.newest.max(later.newest);
    }

    pub(crate) fn seal(mut self) -> Segment<Bytes> {
        let marks = Arc::make_mut(&mut self.marks);
        marks.each.shrink_to_fit();
        marks.sources.seal();
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

    /// The senders of its messages, each at least once.
    pub(crate) fn senders(&self) -> &[i64] {
        self.sources.senders()
    }

    /// Whether a sender has a message in it.
    pub(crate) fn has_sender(&self, sender: i64) -> bool {
        self.sources.senders().contains(&sender)
    }

    /// The places of messages, chosen by sender and number.
    fn places_that(&self, chosen: &impl Fn(i64, Sequence) -> bool) -> Vec<usize> {
        let each = self.each.iter().enumerate();
        let chosen =
            each.filter(|(place, mark)| chosen(self.sources.sender_of(*place), self.id(**mark)));
        chosen.map(|(place, _)| place).collect()
    }

    /// Some messages, chosen by sender and number.
    pub(crate) fn those_that(&self, chosen: impl Fn(i64, Sequence) -> bool) -> Chosen {
        let mut all = Chosen { by_sender: HashMap::new(), last: None };
        for place in self.places_that(&chosen) {
            let beside = self.beside.at(place).map_or(0, |meta| meta.size());
            let bytes = self.start(place + 1) - self.start(place) + beside;
            let held = all.by_sender.entry(self.sources.sender_of(place)).or_insert(Keep::NOTHING);
            *held = held.plus(Keep::one(bytes as u64));
            all.last = self.each.get(place).map(|mark| self.id(*mark));
        }
        all
    }

    /// Forgets what was written while the segment was shorter.
    fn forget_written(&mut self) {
        self.ids.take();
        self.times.take();
        self.metas.take();
        self.unescaped.take();
    }

    /// Whether the distance of a time fits its type.
    fn is_near(&self, time: i64) -> bool {
        time.checked_sub(self.about).is_some_and(|later| i32::try_from(later).is_ok())
    }

    /// The distance of a time that is near.
    fn later(&self, time: i64) -> i32 {
        i32::try_from(time.saturating_sub(self.about)).unwrap_or(i32::MAX)
    }

    fn time(&self, mark: Mark) -> i64 {
        self.about.saturating_add(mark.later.into())
    }

    /// When the server took the message at this place.
    pub(crate) fn time_at(&self, place: usize) -> i64 {
        self.each.get(place).map_or(self.about, |mark| self.time(*mark))
    }

    fn id(&self, mark: Mark) -> Sequence {
        self.first + Sequence::from(mark.distance)
    }

    /// The place of the first message with this number or a later one.
    pub(crate) fn place_of(&self, id: Sequence) -> usize {
        self.each.partition_point(|mark| self.id(*mark) < id)
    }

    /// The number of the message at this place; 0 when there is none.
    pub(crate) fn id_at(&self, place: usize) -> Sequence {
        self.each.get(place).map_or(0, |mark| self.id(*mark))
    }

    /// What goes with its messages.
    pub(crate) fn beside(&self) -> &Beside {
        &self.beside
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) fn start(&self, place: usize) -> usize {
        self.each.get(place).map_or(self.end, |mark| mark.start as usize)
    }

    /// The length of the JSON without escapes, once somebody has counted it.
    pub(crate) fn unescaped(&self) -> Option<usize> {
        self.unescaped.get().copied()
    }

    /// Notes that length.
    pub(crate) fn set_unescaped(&self, length: usize) {
        // Two readers may have counted the same.
        let _ = self.unescaped.set(length);
    }

    /// The elements of IDS for some of the messages, each with a separator before it.
    pub(crate) fn ids(&self, places: Range<usize>) -> Bytes {
        if places.len() == self.len() {
            return self.ids.get_or_init(|| self.written_ids(places)).clone();
        }
        self.written_ids(places)
    }

    /// The elements of TIMES for some of the messages, each with a separator before it.
    pub(crate) fn times(&self, places: Range<usize>) -> Bytes {
        if places.len() == self.len() {
            return self.times.get_or_init(|| self.written_times(places)).clone();
        }
        self.written_times(places)
    }

    /// The elements of META for all messages; `None` where nothing goes with any of them.
    pub(crate) fn metas(&self) -> Option<MetaPart> {
        self.metas
            .get_or_init(|| self.written_metas(std::slice::from_ref(&(0..self.len()))))
            .clone()
    }

    /// The same for messages at some places.
    pub(crate) fn written_metas(&self, runs: &[Range<usize>]) -> Option<MetaPart> {
        let mut out = MetaWriter::default();
        for run in runs {
            let mut from = run.start;
            for (place, meta) in self.beside.within(run) {
                out.push_nulls(place - from);
                out.push(&meta.json);
                from = place + 1;
            }
            out.push_nulls(run.end - from);
        }
        out.finish()
    }

    fn written_times(&self, places: Range<usize>) -> Bytes {
        let mut out = Vec::with_capacity(places.len() * 12);
        for mark in self.each.get(places).unwrap_or_default() {
            out.extend_from_slice(LIST_SEPARATOR);
            push_time(&mut out, Some(self.time(*mark)));
        }
        out.into()
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
