//! `recent`: a short welcome (RC-1).

use crate::limits;

/// How many messages the welcome shall have at most, beside USERNAME.
pub const RECENT: &str = "RECENT";
/// Whether there are older messages than those of a short welcome.
pub const MORE: &str = "MORE";

/// The number of messages, if it is one that may be asked for.
pub(crate) fn read(count: i64) -> Option<u16> {
    u16::try_from(count).ok().filter(|count| *count <= limits::RECENT)
}
