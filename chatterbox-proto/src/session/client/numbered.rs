//! Messages and the list of their ids, put together.

use crate::capability::Capability;
use crate::capability::ids::{self, Id};
use crate::entry::Entry;
use crate::server_frame::{Deviation, Deviations};

/// Each message with its number, where the two lists fit together (ID-1).
pub(super) fn numbered(
    messages: Option<Vec<Entry<'static>>>,
    ids: Option<Vec<Option<Id>>>,
    notes: &mut Deviations,
) -> Vec<(Option<Id>, Entry<'static>)> {
    let messages = messages.unwrap_or_default();
    let ids = match ids {
        Some(ids) if ids.len() == messages.len() => ids,
        Some(_) => {
            notes.note(Deviation::WrongValue(ids::IDS, Capability::Ids));
            Vec::new()
        }
        None => Vec::new(),
    };
    let ids = ids.into_iter().chain(std::iter::repeat(None));
    ids.zip(messages).collect()
}
