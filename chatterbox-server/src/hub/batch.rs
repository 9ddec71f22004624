//! From events to frames: as few objects as their order allows (PB-2), put together once for all who wait at one place.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::json::Object;

use super::event::{Event, Kind};

/// Whole frames, shared by every receiver that gets them.
pub type Batch = Arc<[Bytes]>;

/// Puts events into frames without changing their order.
///
/// An event whose key would come before one that is already in the object starts a new frame.
pub fn assemble(events: &[&Event]) -> Batch {
    let mut frames = Vec::with_capacity(1);
    let mut rest = events;
    while !rest.is_empty() {
        let mut object_len = 1;
        for pair in rest.windows(2) {
            let [before, after] = pair else { break };
            if after.kind < before.kind || after.kind == Kind::Error && before.kind == Kind::Error {
                break;
            }
            object_len += 1;
        }
        let Some((object, tail)) = rest.split_at_checked(object_len) else { break };
        // Batches are bounded far below what a frame can hold, so nothing is dropped here.
        frames.extend(frame(object));
        rest = tail;
    }
    frames.into()
}

/// One frame of events that are sorted by key.
fn frame(events: &[&Event]) -> Option<Bytes> {
    let size = events.iter().map(|event| event.json.len() + 2).sum::<usize>();
    let mut object = Object::with_capacity(size + 48);
    for group in events.chunk_by(|a, b| a.kind == b.kind) {
        let [first, ..] = group else { continue };
        object = match first.kind {
            Kind::Error => object.json(first.kind.key(), &first.json),
            kind => object.list(kind.key(), group.iter().map(|event| &event.json)),
        };
    }
    object.finish().ok()
}

/// The last few batches, by the places between which they lie.
///
/// Under load most receivers wait at the same place, so one assembled batch serves hundreds of them.
#[derive(Debug, Default)]
pub struct BatchCache {
    recent: VecDeque<(u64, u64, Batch)>,
}

const RECENT: usize = 4;

impl BatchCache {
    /// The batch from `from` on that ends at `to` or before, if it is still there.
    pub fn get(&self, from: u64, to: u64) -> Option<(u64, Batch)> {
        let found =
            self.recent.iter().rev().find(|(start, end, _)| *start == from && *end <= to)?;
        Some((found.1, Arc::clone(&found.2)))
    }

    /// Keeps a batch for the others.
    pub fn put(&mut self, from: u64, to: u64, batch: &Batch) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((from, to, Arc::clone(batch)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(kinds: &[(Kind, &'static str)]) -> Vec<String> {
        let events: Vec<_> = kinds
            .iter()
            .map(|(kind, json)| Event { kind: *kind, json: Bytes::from_static(json.as_bytes()) })
            .collect();
        assemble(&events.iter().collect::<Vec<_>>())
            .iter()
            .map(|frame| String::from_utf8(frame[4..].to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn events_in_order_share_one_object() {
        use Kind::{Error, Joined, Left, Message};
        assert_eq!(
            texts(&[(Joined, "1"), (Joined, "2"), (Message, "3"), (Left, "4"), (Error, "5")]),
            [r#"{"USERS_JOINED": [1, 2], "MESSAGES": [3], "USERS_LEFT": [4], "ERROR": 5}"#]
        );
        assert_eq!(texts(&[]), [""; 0]);
    }

    #[test]
    fn what_would_change_their_order_starts_a_frame() {
        use Kind::{Error, Joined, Left, Message};
        assert_eq!(
            texts(&[
                (Message, "1"),
                (Joined, "2"),
                (Left, "3"),
                (Joined, "4"),
                (Error, "5"),
                (Error, "6")
            ]),
            [
                r#"{"MESSAGES": [1]}"#,
                r#"{"USERS_JOINED": [2], "USERS_LEFT": [3]}"#,
                r#"{"USERS_JOINED": [4], "ERROR": 5}"#,
                r#"{"ERROR": 6}"#,
            ]
        );
    }
}
