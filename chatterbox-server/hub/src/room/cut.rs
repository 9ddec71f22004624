//! What one reader gets of the history, in two steps.
//!
//! A [`HistoryCut`] is taken under the hub's lock: it shares the segments, and looks at no message in them. Whoever has it
//! leaves out the messages that the reader hides, finds where a short welcome begins, and writes IDS, TIMES and META, without the lock
//! and a part at a time.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::capability::ids::{push_id, push_time};
use chatterbox_proto::capability::utf8;
use chatterbox_proto::json::LIST_SEPARATOR;

use crate::encode::view::View;
use crate::record::Sequence;
use crate::room::cut_part::{OwnMessage, Part, shown};
use crate::room::meta_list::{MetaList, MetaPart, NULL_LENGTH};
use crate::room::segment::Marks;

/// The memory of a piece beside its bytes, at the one who writes it.
pub(crate) const PIECE_BYTES: usize = size_of::<Bytes>() + 16;

/// A part of the history for one reader.
#[derive(Debug, Clone, Default)]
pub(crate) struct HistoryCut {
    parts: VecDeque<Part>,
    /// So many messages at most are written, the newest (RC-1).
    newest: Option<usize>,
    /// Private messages from this number on are written beyond that (EE-9).
    owed: Option<Sequence>,
}

/// The elements of MESSAGES, of IDS, of TIMES and of META, in pieces. Pieces of MESSAGES are shared with other readers where nothing is hidden.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) messages: Vec<Bytes>,
    /// If they were asked for.
    pub(crate) ids: Option<Vec<Bytes>>,
    /// With IDS.
    pub(crate) times: Option<Vec<Bytes>>,
    /// If it was asked for, and something goes with one of the messages.
    pub(crate) meta: Option<Vec<Bytes>>,
    /// By how much META is shorter without escapes.
    pub(crate) meta_saved: usize,
    /// Whether there are older messages than these, if only the newest were asked for.
    pub(crate) more: Option<bool>,
    /// The length of MESSAGES without escapes, if it was asked for.
    pub(crate) unescaped: Option<usize>,
    /// The bytes that were copied or encoded for this reader alone.
    copied: usize,
}

impl HistoryCut {
    pub(crate) fn with_capacity(parts: usize) -> Self {
        Self { parts: VecDeque::with_capacity(parts), newest: None, owed: None }
    }

    /// The same for the newest messages only, which are given from the newest to the oldest, and for private ones from a number on.
    pub(crate) fn of_newest(newest: u16, owed: Option<Sequence>) -> Self {
        Self { parts: VecDeque::new(), newest: Some(newest.into()), owed }
    }

    /// Whether so many messages are more than are going to be written.
    pub(crate) fn has_enough(&self, messages: usize) -> bool {
        self.newest.is_some_and(|newest| messages > newest)
    }

    /// Takes some messages of a segment.
    pub(crate) fn take(&mut self, json: &Bytes, marks: &Arc<Marks>, places: Range<usize>) {
        if !places.is_empty() {
            self.add(Part::Public { json: json.clone(), marks: Arc::clone(marks), places });
        }
    }

    fn add(&mut self, part: Part) {
        match self.newest {
            None => self.parts.push_back(part),
            Some(_) => self.parts.push_front(part),
        }
    }

    /// Takes a message that only this reader gets.
    pub(crate) fn take_own(&mut self, message: OwnMessage) {
        self.add(Part::Own(message));
    }

    /// Whether there are messages in it that only this reader gets.
    pub(crate) fn has_own(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Own(_)))
    }

    /// The memory that it takes beside what it shares with others.
    pub(crate) fn own_bytes(&self) -> usize {
        // What only this reader gets may be a copy.
        let own = self.parts.iter().map(|part| match part {
            Part::Own(message) => message.json.len() + message.meta_len(),
            Part::Public { .. } => 0,
        });
        self.parts.len() * (size_of::<Part>() + PIECE_BYTES) + own.sum::<usize>()
    }

    /// The size of MESSAGES, IDS, TIMES and META together, or more: what is hidden counts.
    pub(crate) fn size(&self, view: View) -> usize {
        let ids = if view.ids() { ID_LENGTH + TIME_LENGTH } else { 0 };
        let null = if view.meta() { NULL_LENGTH } else { 0 };
        let size = |part: &Part| match part {
            Part::Public { marks, places, .. } => {
                let meta = if view.meta() { marks.beside().bytes() } else { 0 };
                let json = marks.start(places.end) - marks.start(places.start);
                json + places.len() * (ids + null) + meta
            }
            Part::Own(message) => message.json.len() + ids + null + message.meta_len(),
        };
        self.parts.iter().map(size).sum()
    }

    /// Begins to write MESSAGES, and what else belongs to the view; for one without escapes it counts how long MESSAGES is without them.
    pub(crate) fn begin(self, view: View) -> HistoryWriter {
        let Self { parts, newest, owed } = self;
        let mut writer = HistoryWriter {
            search: newest.map(|left| Search { found: VecDeque::new(), left, owed }),
            parts,
            counted: (0, 0),
            metas: view.meta().then(MetaList::default),
            out: Written {
                messages: Vec::new(),
                ids: view.ids().then(Vec::new),
                times: view.ids().then(Vec::new),
                meta: None,
                meta_saved: 0,
                more: newest.map(|_| false),
                unescaped: view.utf8().then_some(0),
                copied: 0,
            },
        };
        if newest.is_none() {
            writer.reserve();
        }
        writer
    }

    /// Writes all of it without the messages of these.
    #[cfg(test)]
    pub(crate) fn write(self, hidden: &HashSet<Username>, view: View) -> Written {
        let mut writer = self.begin(view);
        while writer.step(hidden) {}
        writer.finish()
    }
}

/// Writes MESSAGES, IDS, TIMES and META, a part of the history at a time.
#[derive(Debug)]
pub(crate) struct HistoryWriter {
    parts: VecDeque<Part>,
    /// Until it is known with which message it begins.
    search: Option<Search>,
    /// The bytes of the next part that have been counted, and how many they are without escapes.
    counted: (usize, usize),
    /// META, if it is asked for.
    metas: Option<MetaList>,
    out: Written,
}

/// The way back from the newest message to the oldest of those that are asked for. What is hidden does not count.
#[derive(Debug)]
struct Search {
    /// What is going to be written, as far as it is known.
    found: VecDeque<Part>,
    /// So many messages are still asked for.
    left: usize,
    /// From this number on private messages are written even where no more are asked for.
    owed: Option<Sequence>,
}

/// So many bytes are counted in one step.
const COUNTED: usize = 64 * 1024;

impl HistoryWriter {
    /// Writes one more part without the messages of these; false when there is none left.
    pub(crate) fn step(&mut self, hidden: &HashSet<Username>) -> bool {
        if self.search.is_some() {
            self.search_on(hidden);
            return true;
        }
        if self.out.unescaped.is_some() && self.count_some() {
            return true;
        }
        let Some(part) = self.parts.pop_front() else { return false };
        match part {
            Part::Own(OwnMessage { source, .. }) if hidden.contains(&source) => {}
            Part::Own(OwnMessage { id, json, arrived, meta, .. }) => {
                match (&mut self.metas, &meta) {
                    (Some(list), Some(meta)) => list.push(MetaPart::one(&meta.json)),
                    (Some(list), None) => list.push_nulls(1),
                    (None, _) => {}
                }
                if let Some(unescaped) = &mut self.out.unescaped {
                    *unescaped += utf8::unescaped_len(&json);
                }
                self.out.copied += json.len();
                self.out.messages.push(json);
                if let Some(ids) = &mut self.out.ids {
                    let mut one = LIST_SEPARATOR.to_vec();
                    push_id(&mut one, Some(id));
                    self.out.copied += one.len();
                    ids.push(one.into());
                }
                if let Some(times) = &mut self.out.times {
                    let mut one = LIST_SEPARATOR.to_vec();
                    push_time(&mut one, Some(arrived));
                    self.out.copied += one.len();
                    times.push(one.into());
                }
            }
            Part::Public { json, marks, places } => {
                let among = (!hidden.is_empty()).then(|| marks.sources().among(hidden));
                match among.flatten() {
                    None => {
                        if let Some(list) = &mut self.metas {
                            push_metas(list, &marks, std::slice::from_ref(&places));
                        }
                        self.out.share(&json, &marks, places);
                    }
                    Some(hidden) => {
                        let runs = shown(&marks, &places, &hidden);
                        if let Some(list) = &mut self.metas {
                            push_metas(list, &marks, &runs);
                        }
                        self.out.take_some(&json, &marks, &runs);
                    }
                }
            }
        }
        true
    }

    /// Goes back by one part. Where a message is found beyond those that are asked for, it and all before it is dropped, and
    /// there is more; where the oldest part has been seen, there is not.
    fn search_on(&mut self, hidden: &HashSet<Username>) {
        let Some(Search { found, left, owed }) = &mut self.search else { return };
        if let Some(mut part) = self.parts.pop_back() {
            if *left == 0 && part.is_owed(*owed) {
                found.push_front(part);
                return;
            }
            let beyond = match part.skip_newest(*left, hidden) {
                Ok(0) => return,
                Ok(shown) => {
                    *left -= shown;
                    found.push_front(part);
                    return;
                }
                Err(beyond) => beyond,
            };
            if let Part::Public { places, .. } = &mut part
                && beyond < places.end
            {
                places.start = beyond;
                found.push_front(part);
            }
            self.out.more = Some(true);
        }
        self.parts.retain(|part| part.is_owed(*owed));
        self.parts.append(found);
        self.search = None;
        self.reserve();
    }

    fn reserve(&mut self) {
        let parts = self.parts.len();
        self.out.messages.reserve_exact(parts);
        for list in [&mut self.out.ids, &mut self.out.times].into_iter().flatten() {
            list.reserve_exact(parts);
        }
    }

    /// Counts on in the segment that is next, if nobody has counted it yet; says whether there was anything to count. The
    /// segment keeps the length for those who come later. Where less than half of it is written, only that is counted, later.
    fn count_some(&mut self) -> bool {
        let Some(Part::Public { json, marks, places }) = self.parts.front() else { return false };
        let taken = marks.start(places.end) - marks.start(places.start);
        if marks.unescaped().is_some() || taken <= json.len() / 2 {
            return false;
        }
        let (from, so_far) = self.counted;
        let rest = json.get(from..).unwrap_or_default();
        let (length, used) = utf8::unescaped_len_part(rest, COUNTED);
        self.counted = (from + used, so_far + length);
        if used == rest.len() {
            marks.set_unescaped(so_far + length);
            self.counted = (0, 0);
        }
        true
    }

    /// The memory that what was written takes beside what it shares with others.
    pub(crate) fn own_bytes(&self) -> usize {
        let beside = [&self.out.ids, &self.out.times].into_iter().flatten();
        let pieces = self.out.messages.capacity() + beside.map(Vec::capacity).sum::<usize>();
        let metas = self.metas.as_ref().map_or(0, |list| list.own_bytes(PIECE_BYTES));
        self.out.copied + pieces * PIECE_BYTES + metas
    }

    /// What was written. A list begins without a separator.
    pub(crate) fn finish(self) -> Written {
        let Self { metas, out, .. } = self;
        let Written { messages, ids, times, more, unescaped, copied, .. } = out;
        let meta_saved = metas.as_ref().map_or(0, MetaList::saved);
        let meta = metas.and_then(MetaList::finish);
        let separator = if messages.is_empty() { 0 } else { LIST_SEPARATOR.len() };
        Written {
            messages: without_separator(messages),
            ids: ids.map(without_separator),
            times: times.map(without_separator),
            meta: meta.map(without_separator),
            meta_saved,
            more,
            unescaped: unescaped.map(|unescaped| unescaped - separator),
            copied,
        }
    }
}

/// The pieces of a list whose elements have a separator before them, as they stand in JSON.
pub(crate) fn without_separator(mut pieces: Vec<Bytes>) -> Vec<Bytes> {
    if let Some(first) = pieces.first_mut() {
        *first = first.slice(LIST_SEPARATOR.len()..);
    }
    pieces
}

/// The longest element of IDS with its separator.
const ID_LENGTH: usize = 18;

/// The same of TIMES.
const TIME_LENGTH: usize = 22;

/// Adds what goes with the messages at these places of a segment. What is of all of them is written once for all readers.
fn push_metas(list: &mut MetaList, marks: &Marks, runs: &[Range<usize>]) {
    let count: usize = runs.iter().map(ExactSizeIterator::len).sum();
    if count == marks.len() {
        match marks.metas() {
            Some(part) => list.share(part),
            None => list.push_nulls(count),
        }
    } else if runs.iter().all(|run| marks.beside().within(run).next().is_none()) {
        list.push_nulls(count);
    } else if let Some(part) = marks.written_metas(runs) {
        list.push(part);
    }
}

impl Written {
    /// Counts the messages at these places of a segment without escapes. Whichever is less is read, they or the others: only
    /// the last message of a segment may be long.
    fn count(&mut self, json: &Bytes, marks: &Marks, runs: &[Range<usize>]) {
        let Some(unescaped) = &mut self.unescaped else { return };
        let length = |from: usize, to: usize| {
            utf8::unescaped_len(json.get(marks.start(from)..marks.start(to)).unwrap_or_default())
        };
        let taken: usize =
            runs.iter().map(|run| marks.start(run.end) - marks.start(run.start)).sum();
        *unescaped += match marks.unescaped() {
            Some(all) if taken > json.len() / 2 => {
                let ends = runs.iter().map(|run| run.end);
                let starts = runs.iter().map(|run| run.start).chain([marks.len()]);
                let others = [0].into_iter().chain(ends).zip(starts);
                all - others.map(|(from, to)| length(from, to)).sum::<usize>()
            }
            _ => runs.iter().map(|run| length(run.start, run.end)).sum(),
        };
    }

    /// Takes messages of a segment as one piece of it.
    fn share(&mut self, json: &Bytes, marks: &Marks, places: Range<usize>) {
        self.count(json, marks, std::slice::from_ref(&places));
        self.messages.push(json.slice(marks.start(places.start)..marks.start(places.end)));
        if let Some(ids) = &mut self.ids {
            let is_shared = places.len() == marks.len();
            let written = marks.ids(places.clone());
            self.copied += if is_shared { 0 } else { written.len() };
            ids.push(written);
        }
        if let Some(times) = &mut self.times {
            let is_shared = places.len() == marks.len();
            let written = marks.times(places);
            self.copied += if is_shared { 0 } else { written.len() };
            times.push(written);
        }
    }

    /// Takes the messages at these places of a segment.
    fn take_some(&mut self, json: &Bytes, marks: &Marks, runs: &[Range<usize>]) {
        let kept: usize = runs.iter().map(ExactSizeIterator::len).sum();
        if kept == 0 {
            return;
        }
        let size: usize =
            runs.iter().map(|run| marks.start(run.end) - marks.start(run.start)).sum();
        self.count(json, marks, runs);
        if let Some(ids) = &mut self.ids {
            let mut out = Vec::with_capacity(kept * ID_LENGTH);
            for place in runs.iter().cloned().flatten() {
                out.extend_from_slice(LIST_SEPARATOR);
                push_id(&mut out, Some(marks.id_at(place)));
            }
            out.shrink_to_fit();
            self.copied += out.len();
            ids.push(out.into());
        }
        if let Some(times) = &mut self.times {
            let mut out = Vec::with_capacity(kept * 12);
            for place in runs.iter().cloned().flatten() {
                out.extend_from_slice(LIST_SEPARATOR);
                push_time(&mut out, Some(marks.time_at(place)));
            }
            out.shrink_to_fit();
            self.copied += out.len();
            times.push(out.into());
        }
        let bytes = |run: &Range<usize>| marks.start(run.start)..marks.start(run.end);
        // Where every second message of a word is hidden, pieces would take more memory than what they hold.
        if size < runs.len() * size_of::<Bytes>() {
            let mut out = Vec::with_capacity(size);
            for run in runs {
                out.extend_from_slice(json.get(bytes(run)).unwrap_or_default());
            }
            self.copied += out.len();
            self.messages.push(out.into());
        } else {
            self.messages.extend(runs.iter().map(|run| json.slice(bytes(run))));
        }
    }
}
