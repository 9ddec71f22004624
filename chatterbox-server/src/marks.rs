//! Writes down how far users have read, and tells their other devices (MK-1).
//!
//! The hub notes the newest mark of each conversation; here they are taken about once a second, written in one go, and those that
//! were news are told. So a mark is never told that is not kept, and nobody's reading costs more than a row a second for each
//! conversation.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::time::Duration;

use chatterbox_hub::ReadMark;

use crate::access::Authenticator;
use crate::chat::shared::Chat;

/// The time between two writings.
const EVERY: Duration = Duration::from_secs(1);

/// Writes marks again and again; never returns.
pub async fn keep_marks(chat: &Chat, authenticator: &dyn Authenticator) {
    loop {
        tokio::time::sleep(EVERY).await;
        write_marks(chat, authenticator).await;
    }
}

/// Writes those that wait. What can't be written waits on.
pub async fn write_marks(chat: &Chat, authenticator: &dyn Authenticator) {
    let mut marks = chat.take_marks();
    while !marks.is_empty() {
        let rest = marks.split_off(marks.len().min(ReadMark::AT_ONCE));
        match authenticator.set_marks(marks).await {
            Ok(news) if news.is_empty() => {}
            Ok(news) => chat.tell_marks(news),
            Err((error, mut failed)) => {
                tracing::warn!(%error, "how far users have read could not be written");
                failed.extend(rest);
                chat.give_back_marks(failed);
                return;
            }
        }
        marks = rest;
    }
}
