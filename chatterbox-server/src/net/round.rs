//! Flow control of what one member says: it goes round to the member itself before much more of it is taken.

use std::time::Duration;

use chatterbox_hub::Stamp;

use crate::chat::handle::Handle;
use crate::chat::posts::POST_RECORDS;

/// A member who has so many messages on their way waits for them no longer than this: a client may send much before it reads.
const ROUND: Duration = Duration::from_millis(12);

/// So many messages of one member are on their way to it at once.
///
/// A flood gets no more than this share of what the receivers are handed together. Whoever sends its messages in several pieces
/// need not wait for each of them, so those of one moment are in one batch for everybody.
pub(super) const ON_THEIR_WAY: usize = POST_RECORDS;

/// What a member has posted and was not handed out yet to the member itself.
#[derive(Debug, Default)]
pub(super) struct Round {
    messages: usize,
    /// Where the newest of them is in the timeline, or behind that.
    newest: Stamp,
}

impl Round {
    /// Waits until the member may post so many messages more.
    pub(super) async fn turn(&mut self, member: &Handle, messages: usize) {
        if self.messages == 0 {
            return;
        }
        if self.messages + messages > ON_THEIR_WAY {
            drop(tokio::time::timeout(ROUND, member.handed(self.newest)).await);
            self.messages = 0;
        } else if member.was_handed(self.newest) {
            self.messages = 0;
        }
    }

    /// Notes that so many of its messages are delivered to the others.
    pub(super) fn posted(&mut self, member: &Handle, messages: usize) {
        self.messages += messages;
        self.newest = member.chat().clock();
    }
}
