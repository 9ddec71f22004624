//! A part of what one reader gets of the history: messages of a segment, or one that only they get.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::Username;

use crate::record::Sequence;
use crate::record_meta::RecordMeta;
use crate::room::segment::Marks;

/// Messages in a row. Each has a separator before it.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Public { json: Bytes, marks: Arc<Marks>, places: Range<usize> },
    Own(OwnMessage),
}

/// A message that only this reader gets: a private one, or one of a room that was missed.
#[derive(Debug, Clone)]
pub(crate) struct OwnMessage {
    pub(crate) id: Sequence,
    pub(crate) source: Username,
    /// With a separator before it.
    pub(crate) json: Bytes,
    pub(crate) arrived: i64,
    /// What goes with it for this reader.
    pub(crate) meta: Option<Arc<RecordMeta>>,
}

impl OwnMessage {
    pub(crate) fn meta_len(&self) -> usize {
        self.meta.as_ref().map_or(0, |meta| meta.json.len())
    }
}

impl Part {
    /// Whether it is a private message from a number on.
    pub(crate) fn is_owed(&self, from: Option<Sequence>) -> bool {
        match self {
            Self::Own(message) => from.is_some_and(|from| message.id >= from),
            Self::Public { .. } => false,
        }
    }

    /// Goes back over so many of its messages that are not hidden. Says how many there are, or behind which place the
    /// message lies that is one too many.
    pub(crate) fn skip_newest(
        &self,
        most: usize,
        hidden: &HashSet<Username>,
    ) -> Result<usize, usize> {
        match self {
            Self::Own(OwnMessage { source, .. }) if hidden.contains(source) => Ok(0),
            Self::Own(_) if most == 0 => Err(0),
            Self::Own(_) => Ok(1),
            Self::Public { marks, places, .. } => {
                let among = (!hidden.is_empty()).then(|| marks.sources().among(hidden)).flatten();
                let Some(hidden) = among else {
                    let beyond = places.len() > most;
                    return if beyond { Err(places.end - most) } else { Ok(places.len()) };
                };
                let is_shown = |place: &usize| !is_hidden(marks, *place, &hidden);
                let shown = places.clone().rev().filter(is_shown).take(most + 1);
                let (count, oldest) = shown.fold((0, 0), |(count, _), place| (count + 1, place));
                if count > most { Err(oldest + 1) } else { Ok(count) }
            }
        }
    }
}

/// Whether the source of a message is hidden; `hidden` has an element for each name of the segment.
fn is_hidden(marks: &Marks, place: usize, hidden: &[bool]) -> bool {
    let index = marks.sources().index_at(place);
    index.and_then(|index| hidden.get(index)).copied().unwrap_or_default()
}

/// The places of messages whose source is not hidden, in runs; `hidden` has an element for each name of the segment.
pub(crate) fn shown(marks: &Marks, places: &Range<usize>, hidden: &[bool]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut from = places.start;
    for place in places.start..=places.end {
        if place == places.end || is_hidden(marks, place, hidden) {
            if from < place {
                runs.push(from..place);
            }
            from = place + 1;
        }
    }
    runs
}
