//! Writes down how far users have read, and tells their other devices (MK-1).
//!
//! The hub notes the newest mark of each conversation; here they are taken about once a second, written in one go, and those that
//! were news are told. So a mark is never told that is not kept, and nobody's reading costs more than a row a second for each
//! conversation.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock")]

use std::time::Duration;

use chatterbox_hub::ReadMark;
use tokio_util::sync::CancellationToken;

use crate::access::Authenticator;
use crate::chat::shared::Chat;

/// The time between two writings.
const EVERY: Duration = Duration::from_secs(1);

/// Writes marks again and again until it is stopped, and then those that are there still. It must not be aborted: what is being
/// written is nowhere else.
pub async fn keep_marks(chat: &Chat, authenticator: &dyn Authenticator, stop: &CancellationToken) {
    while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
        write_marks(chat, authenticator).await;
    }
    write_marks(chat, authenticator).await;
}

/// Writes those that wait. What can't be written waits on.
pub async fn write_marks(chat: &Chat, authenticator: &dyn Authenticator) {
    let mut marks = chat.take_marks();
    while !marks.is_empty() {
        let rest = marks.split_off(marks.len().min(ReadMark::AT_ONCE));
        match authenticator.set_marks(marks).await {
            Ok(news) if news.is_empty() => {}
            Ok(news) => chat.tell_marks(&news),
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chatterbox_hub::{AccountRef, Hub, Keep, Marked, Sequence, TimelineLimits};
    use chatterbox_proto::{Refusal, Username};
    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, ready};

    use super::*;
    use crate::access::{Grant, LoginRequest};
    use crate::accounts::MarksWritten;
    use crate::chat::proposals;

    /// For how long it writes.
    const SLOW: Duration = Duration::from_millis(500);

    #[derive(Debug, Default)]
    struct Slow(Mutex<Vec<Sequence>>);

    impl Authenticator for Slow {
        fn authenticate<'a>(
            &'a self,
            _request: LoginRequest<'a>,
        ) -> BoxFuture<'a, Result<Grant, Refusal>> {
            ready(Err(Refusal::Busy)).boxed()
        }

        fn set_marks(&self, marks: Vec<ReadMark>) -> BoxFuture<'_, MarksWritten> {
            async move {
                tokio::time::sleep(SLOW).await;
                self.0.lock().unwrap().extend(marks.iter().map(|mark| mark.upto));
                Ok(Vec::new())
            }
            .boxed()
        }
    }

    fn mark(upto: Sequence) -> ReadMark {
        let account = AccountRef { id: 7, name: Username::stored("ann") };
        let by = postcard::from_bytes(&[3]).unwrap();
        ReadMark { account, by, with: Marked::Lobby, upto }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_written_at_the_end_is_written_and_so_is_what_came_since() {
        let (proposals, _queue) = proposals::queue();
        let chat = Chat::new(Hub::new(TimelineLimits::default(), Keep::default()), proposals);
        let (slow, stop) = (Slow::default(), CancellationToken::new());
        let mut keeping = Box::pin(keep_marks(&chat, &slow, &stop));
        chat.give_back_marks(vec![mark(1)]);
        assert!(tokio::time::timeout(EVERY + SLOW / 2, &mut keeping).await.is_err());
        assert_eq!((chat.take_marks(), slow.0.lock().unwrap().len()), (vec![], 0), "under way");
        chat.give_back_marks(vec![mark(2)]);
        stop.cancel();
        keeping.await;
        assert_eq!(*slow.0.lock().unwrap(), [1, 2]);
    }
}
