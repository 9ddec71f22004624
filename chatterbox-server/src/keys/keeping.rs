//! What is done about once a second: how far devices have read is written down, and those with few keys are told.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::chat::shared::Chat;
use crate::keys::desk::KeyDesk;

const EVERY: Duration = Duration::from_secs(1);

/// Does it again and again until it is stopped, and then once more. Where there is no directory of keys, there is nothing to do.
pub async fn keep_keys(chat: &Chat, keys: Option<&KeyDesk>, stop: &CancellationToken) {
    let Some(keys) = keys else { return };
    while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
        keys.write_done().await;
        keys.tell_low(chat).await;
    }
    keys.write_done().await;
}

/// Writes down how far devices have read, and nothing else.
pub async fn write_keys(keys: Option<&KeyDesk>) {
    if let Some(keys) = keys {
        keys.write_done().await;
    }
}
