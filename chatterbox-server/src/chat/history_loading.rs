//! Loading the history of earlier runs.

use chatterbox_hub::{COUNTED_IN_ROOMS, Conversation, Sequence};
use chatterbox_proto::capability::ids::Side;

use crate::chat::shared::Chat;
use crate::store::{PageQuery, Store, StoreError};

/// Records of one read.
const PAGE: usize = 4096;

/// Takes what is stored below a number into the history.
///
/// # Errors
/// [`StoreError`].
pub async fn load_history(
    chat: &Chat,
    store: &dyn Store,
    below: Sequence,
) -> Result<(), StoreError> {
    let (mut from, mut count) = (0, 0);
    loop {
        let page = store.read(from, PAGE).await?;
        let end = page.partition_point(|(number, _)| *number < below);
        chat.remember(page.iter().take(end));
        count += end;
        match page.last() {
            Some((last, _)) if end == page.len() => from = last + 1,
            _ => break,
        }
    }
    if count > 0 {
        tracing::info!(messages = count, "history loaded");
    }
    load_newest_in_rooms(chat, store, below).await
}

/// Notes who has said the newest messages of each room, so that it can be counted what is unread there.
async fn load_newest_in_rooms(
    chat: &Chat,
    store: &dyn Store,
    below: Sequence,
) -> Result<(), StoreError> {
    let side = if below == Sequence::MAX { Side::Newest } else { Side::Before(below) };
    for (room, _) in store.newest_of_rooms().await? {
        let of = Conversation::Room { room, above: 0, newest: None };
        let page = store.page(PageQuery { of, side, limit: COUNTED_IN_ROOMS }).await?;
        chat.remember(page.records.iter());
    }
    Ok(())
}
