//! The sequence numbers of messages, which other capabilities name as well.

use serde_json::Value;

use crate::limits;

/// The sequence number of a message: it starts at 1 and rises (ID-2).
pub type Id = u64;

/// An id, or 0 for the place before the first.
pub(crate) fn read_id(value: &Value) -> Option<Id> {
    value.as_u64().filter(|id| *id <= limits::LARGEST_ID)
}
