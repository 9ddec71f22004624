//! Who says a message that is encoded already: read again only for those who hide somebody.

use std::collections::HashSet;

use chatterbox_proto::{Entry, Username};

/// Roster were checked when they joined; what is stored may have been allowed to be longer then.
const ANY_NAME: usize = 256;

/// Whether one of these says a message.
pub fn is_from(json: &[u8], names: &HashSet<Username>) -> bool {
    if names.is_empty() {
        return false;
    }
    let source =
        Entry::parse(json).and_then(|entry| Username::parse_within(&entry.source, ANY_NAME).ok());
    source.is_some_and(|source| names.contains(&source))
}
