//! What goes with messages of a segment: nothing with most of them, so it is kept for the others only.

use std::ops::Range;
use std::sync::Arc;

use crate::record_meta::RecordMeta;

/// What goes with messages, by their places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    /// In the order of the places.
    each: Vec<(u32, Arc<RecordMeta>)>,
    bytes: usize,
}

impl Beside {
    /// Notes what goes with the newest message, which is at this place.
    pub(crate) fn push(&mut self, place: usize, meta: Option<&Arc<RecordMeta>>) {
        let Some(meta) = meta else { return };
        // A segment has far fewer messages than that.
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.bytes += meta.size();
        self.each.push((place, Arc::clone(meta)));
    }

    /// What goes with the message at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Arc<RecordMeta>> {
        let place = u32::try_from(place).ok()?;
        let found = self.each.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        self.each.get(found).map(|(_, meta)| meta)
    }

    /// What goes with the messages at these places, with the place of each.
    pub(crate) fn within(
        &self,
        places: &Range<usize>,
    ) -> impl Iterator<Item = (usize, &Arc<RecordMeta>)> {
        let from = self.each.partition_point(|(place, _)| (*place as usize) < places.start);
        let rest = self.each.get(from..).unwrap_or_default();
        let end = places.end;
        rest.iter()
            .map(|(place, meta)| (*place as usize, meta))
            .take_while(move |(place, _)| *place < end)
    }

    /// The bytes of all of it.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
