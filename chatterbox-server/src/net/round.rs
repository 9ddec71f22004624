//! Flow control of what one member says: it goes round to the member itself before much more of it is taken.

use std::time::Duration;

use chatterbox_hub::{Record, Stamp};

use crate::chat::handle::Handle;
use crate::chat::posts::POST_RECORDS;

/// A member who has so much on its way waits for it no longer than this: a client may send much before it reads.
const ROUND: Duration = Duration::from_millis(12);

/// So many messages of one member are on their way to it at once, in units of [`share`].
///
/// A flood gets no more than this share of what the receivers are handed together. Whoever sends its messages in several pieces
/// need not wait for each of them, so those of one moment are in one batch for everybody.
const ON_THEIR_WAY: usize = POST_RECORDS;

/// So many bytes count as another message: a mebibyte is all that a member may have on its way.
const PIECE: usize = 32 * 1024;

/// What messages are of [`ON_THEIR_WAY`]. Refused ones, of which nothing is left, cost their sender a turn, too.
pub(super) fn share(post: &[Record]) -> usize {
    if post.is_empty() {
        return ON_THEIR_WAY;
    }
    let bytes: usize = post.iter().map(Record::weight).sum();
    post.len() + bytes / PIECE
}

/// What a member has posted and was not handed out yet to the member itself.
#[derive(Debug, Default)]
pub(super) struct Round {
    share: usize,
    /// Where the newest of it is in the timeline, or behind that.
    newest: Stamp,
}

impl Round {
    /// Waits until the member may post so much more.
    pub(super) async fn turn(&mut self, member: &Handle, share: usize) {
        if self.share == 0 {
            return;
        }
        if self.share + share > ON_THEIR_WAY {
            drop(tokio::time::timeout(ROUND, member.handed(self.newest)).await);
            self.share = 0;
        } else if member.was_handed(self.newest) {
            self.share = 0;
        }
    }

    /// Notes that so much of it is delivered to the others.
    pub(super) fn posted(&mut self, member: &Handle, share: usize) {
        self.share += share;
        self.newest = member.chat().clock();
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::sync::Arc;

    use chatterbox_hub::{Delivery, Event, JoinRequest};
    use chatterbox_proto::Username;
    use tokio::time::Instant;

    use super::*;
    use crate::chat::handle::Seat;
    use crate::chat::opened;
    use crate::store::Memory;

    /// Which of some posts have waited for their turn.
    async fn waited(member: &Handle, round: &mut Round, shares: &[usize]) -> Vec<bool> {
        let mut all = Vec::new();
        for share in shares {
            let start = Instant::now();
            round.turn(member, *share).await;
            all.push(start.elapsed() >= ROUND);
            member.chat().announce(Event::error("something has happened"));
            round.posted(member, *share);
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn a_member_has_a_bounded_share_on_its_way() {
        let chat = opened::chat(Arc::new(Memory::default()));
        let name = Username::parse("ann").unwrap();
        let (seat, _) = Seat::join(&chat, JoinRequest::base(&name, "Hi")).await.unwrap();
        let member = seat.handle();
        let mut round = Round::default();
        let all = waited(&member, &mut round, &[1, 15, 16, 1, 32]).await;
        assert_eq!(all, [false, false, false, true, true], "nobody has taken anything");
        while let Delivery::Frames { more: true, .. } = seat.take() {}
        assert_eq!(waited(&member, &mut round, &[32]).await, [false], "all was handed out");
    }
}
