//! Loading the history of earlier runs.

use chatterbox_hub::Sequence;

use crate::chat::shared::Chat;
use crate::store::{Store, StoreError};

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
    Ok(())
}
