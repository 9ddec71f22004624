//! A cache of frame summaries: in one room everybody gets the same bytes, so one
//! receiver's frame need not be read again for the others. Bytes are compared in full; a frame that
//! differs anywhere is read on its own.

use std::rc::Rc;

use super::{
    fast_scan,
    frame_summary::{FrameSummary, Reading},
};

/// Frames that are remembered, by the place that their hash gives them.
const PLACES: usize = 256;

/// Longer ones are rare, and would make the cache large.
const LONGEST: usize = 80 * 1024;

/// How many bytes of each end are hashed: what differs between two frames is near one of them.
const ENDS: usize = 64;

struct Seen {
    bytes: Vec<u8>,
    summary: Rc<FrameSummary>,
}

/// The frames of the last moment.
pub struct FrameCache {
    places: Vec<Option<Seen>>,
}

impl Default for FrameCache {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| None).collect() }
    }
}

impl FrameCache {
    /// Reads a body, or remembers what it means.
    pub fn read(&mut self, reading: &Reading, body: &[u8]) -> Rc<FrameSummary> {
        if body.len() > LONGEST {
            return Rc::new(fast_scan::read(reading, body));
        }
        let Some(place) = self.places.get_mut(hash(body) % PLACES) else {
            return Rc::new(fast_scan::read(reading, body));
        };
        match place {
            Some(seen) if seen.bytes == body => Rc::clone(&seen.summary),
            _ => {
                let summary = Rc::new(fast_scan::read(reading, body));
                let mut bytes = place.take().map(|seen| seen.bytes).unwrap_or_default();
                bytes.clear();
                bytes.extend_from_slice(body);
                *place = Some(Seen { bytes, summary: Rc::clone(&summary) });
                summary
            }
        }
    }
}

fn hash(body: &[u8]) -> usize {
    let head = body.get(..ENDS).unwrap_or(body);
    let tail = body.get(body.len().saturating_sub(ENDS)..).unwrap_or(body);
    let mut hash = body.len() as u64;
    for words in [head.as_chunks::<8>().0, tail.as_chunks::<8>().0] {
        for word in words {
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
    usize::try_from(hash >> 40).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content::Texts, user_names::UserNames};

    #[test]
    fn what_is_remembered_is_what_is_read() {
        let names = UserNames::new("ab3de");
        let reading = Reading { texts: Texts::new(&names, 40), names };
        let mut cache = FrameCache::default();
        for round in 0..3 {
            for user in 0..2_000 {
                let name = reading.names.name(user);
                let body = format!(r#"{{"USERS_JOINED": ["{name}"]}}{:pad$}"#, "", pad = 200);
                let summary = cache.read(&reading, body.as_bytes());
                assert_eq!(summary.joined, [user], "round {round}");
                let again = cache.read(&reading, body.as_bytes());
                assert!(Rc::ptr_eq(&summary, &again));
            }
        }
    }
}
