//! What one reader gets of the history, in two steps.
//!
//! A [`HistoryCut`] is taken under the hub's lock: it shares the segments, and looks at no message in them. Whoever has it
//! leaves out the messages that the reader hides, and writes IDS, without the lock and a part at a time.

use std::collections::HashSet;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::capability::ids::push_id;
use chatterbox_proto::capability::utf8;
use chatterbox_proto::json::LIST_SEPARATOR;

use crate::record::Sequence;
use crate::room::segment::Marks;

/// The memory of a piece beside its bytes, at the one who writes it.
pub(crate) const PIECE_BYTES: usize = size_of::<Bytes>() + 16;

/// A part of the history for one reader.
#[derive(Debug, Clone, Default)]
pub(crate) struct HistoryCut {
    parts: Vec<Part>,
}

/// Messages in a row. Each has a separator before it.
#[derive(Debug, Clone)]
enum Part {
    Public { json: Bytes, marks: Arc<Marks>, places: Range<usize> },
    Private { id: Sequence, source: Username, json: Bytes },
}

/// The elements of MESSAGES and of IDS, in pieces. Pieces of MESSAGES are shared with other readers where nothing is hidden.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) messages: Vec<Bytes>,
    /// If they were asked for.
    pub(crate) ids: Option<Vec<Bytes>>,
    /// The length of MESSAGES without escapes, if it was asked for.
    pub(crate) unescaped: Option<usize>,
    /// The bytes that were copied or encoded for this reader alone.
    copied: usize,
}

impl HistoryCut {
    pub(crate) fn with_capacity(parts: usize) -> Self {
        Self { parts: Vec::with_capacity(parts) }
    }

    /// Takes some messages of a segment.
    pub(crate) fn take(&mut self, json: &Bytes, marks: &Arc<Marks>, places: Range<usize>) {
        if !places.is_empty() {
            self.parts.push(Part::Public { json: json.clone(), marks: Arc::clone(marks), places });
        }
    }

    /// Takes a private message, whose JSON has a separator before it.
    pub(crate) fn take_private(&mut self, id: Sequence, source: &Username, json: &Bytes) {
        self.parts.push(Part::Private { id, source: source.clone(), json: json.clone() });
    }

    /// The memory that it takes beside what it shares with others.
    pub(crate) fn own_bytes(&self) -> usize {
        self.parts.len() * (size_of::<Part>() + PIECE_BYTES)
    }

    /// The size of MESSAGES and IDS together, or more: what is hidden counts.
    pub(crate) fn size(&self, ids: bool) -> usize {
        let size = |part: &Part| match part {
            Part::Public { marks, places, .. } => {
                let ids = if ids { places.len() * ID_LENGTH } else { 0 };
                marks.start(places.end) - marks.start(places.start) + ids
            }
            Part::Private { json, .. } => json.len() + if ids { ID_LENGTH } else { 0 },
        };
        self.parts.iter().map(size).sum()
    }

    /// Begins to write MESSAGES, and IDS if they are asked for; with `utf8`, counts how long MESSAGES is without escapes.
    pub(crate) fn begin(self, ids: bool, utf8: bool) -> HistoryWriter {
        let parts = self.parts.len();
        HistoryWriter {
            parts: self.parts.into_iter().peekable(),
            counted: (0, 0),
            out: Written {
                messages: Vec::with_capacity(parts),
                ids: ids.then(|| Vec::with_capacity(parts)),
                unescaped: utf8.then_some(0),
                copied: 0,
            },
        }
    }

    /// Writes all of it without the messages of these.
    #[cfg(test)]
    pub(crate) fn write(self, hidden: &HashSet<Username>, ids: bool) -> Written {
        let mut writer = self.begin(ids, true);
        while writer.step(hidden) {}
        writer.finish()
    }
}

/// Writes MESSAGES and IDS, a part of the history at a time.
#[derive(Debug)]
pub(crate) struct HistoryWriter {
    parts: Peekable<std::vec::IntoIter<Part>>,
    /// The bytes of the next part that have been counted, and how many they are without escapes.
    counted: (usize, usize),
    out: Written,
}

/// So many bytes are counted in one step.
const COUNTED: usize = 64 * 1024;

impl HistoryWriter {
    /// Writes one more part without the messages of these; false when there is none left.
    pub(crate) fn step(&mut self, hidden: &HashSet<Username>) -> bool {
        if self.out.unescaped.is_some() && self.count_some() {
            return true;
        }
        let Some(part) = self.parts.next() else { return false };
        match part {
            Part::Private { source, .. } if hidden.contains(&source) => {}
            Part::Private { id, json, .. } => {
                if let Some(unescaped) = &mut self.out.unescaped {
                    *unescaped += utf8::unescaped_len(&json);
                }
                self.out.messages.push(json);
                if let Some(ids) = &mut self.out.ids {
                    let mut one = LIST_SEPARATOR.to_vec();
                    push_id(&mut one, Some(id));
                    self.out.copied += one.len();
                    ids.push(one.into());
                }
            }
            Part::Public { json, marks, places } => {
                let among = (!hidden.is_empty()).then(|| marks.sources().among(hidden));
                match among.flatten() {
                    None => self.out.share(&json, &marks, places),
                    Some(hidden) => self.out.take_others(&json, &marks, places, &hidden),
                }
            }
        }
        true
    }

    /// Counts on in the segment that is next, if nobody has counted it yet; says whether there was anything to count. The
    /// segment keeps the length for those who come later.
    fn count_some(&mut self) -> bool {
        let Some(Part::Public { json, marks, .. }) = self.parts.peek() else { return false };
        if marks.unescaped().is_some() {
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
        let pieces = self.out.messages.capacity() + self.out.ids.as_ref().map_or(0, Vec::capacity);
        self.out.copied + pieces * PIECE_BYTES
    }

    /// What was written. A list begins without a separator.
    pub(crate) fn finish(self) -> Written {
        let Written { messages, ids, unescaped, copied } = self.out;
        let separator = if messages.is_empty() { 0 } else { LIST_SEPARATOR.len() };
        Written {
            messages: without_separator(messages),
            ids: ids.map(without_separator),
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
            let written = marks.ids(places);
            self.copied += if is_shared { 0 } else { written.len() };
            ids.push(written);
        }
    }

    /// Takes those of the messages whose source is not hidden; `hidden` has an element for each name of the segment.
    fn take_others(&mut self, json: &Bytes, marks: &Marks, places: Range<usize>, hidden: &[bool]) {
        let is_hidden = |place: usize| {
            let index = marks.sources().index_at(place);
            index.and_then(|index| hidden.get(index)).copied().unwrap_or_default()
        };
        let mut runs = Vec::new();
        let (mut kept, mut size) = (0, 0);
        let mut from = places.start;
        for place in places.start..=places.end {
            if place == places.end || is_hidden(place) {
                if from < place {
                    kept += place - from;
                    size += marks.start(place) - marks.start(from);
                    runs.push(from..place);
                }
                from = place + 1;
            }
        }
        if kept == 0 {
            return;
        }
        self.count(json, marks, &runs);
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
        let bytes = |run: &Range<usize>| marks.start(run.start)..marks.start(run.end);
        // Where every second message of a word is hidden, pieces would take more memory than what they hold.
        if size < runs.len() * size_of::<Bytes>() {
            let mut out = Vec::with_capacity(size);
            for run in &runs {
                out.extend_from_slice(json.get(bytes(run)).unwrap_or_default());
            }
            self.copied += out.len();
            self.messages.push(out.into());
        } else {
            self.messages.extend(runs.iter().map(|run| json.slice(bytes(run))));
        }
    }
}
