//! Mutes in a room: messages, topics and invitations there, nothing elsewhere, and their end.

use std::time::Duration;

use conformance_kit::clock::Clock;
use tokio::time::sleep;

use super::{
    mutes::hushed,
    scene::{account, guest, must, must_not},
};
use crate::{
    cases::capability::membership::{done, enter, host, refused, said},
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// A mute that ends while the case looks.
const SHORT: Duration = Duration::from_secs(5);
/// Ends are in whole seconds, so it may be over that much earlier, or later.
const SECOND: Duration = Duration::from_secs(1);
/// How often it is tried whether a mute has ended.
const TURN: Duration = Duration::from_millis(500);

pub(super) async fn room(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut bob, owner) = account(c, "bob").await?;
    enter(c, &mut bob, &room).await?;
    done(c, &mut ann, "set-perm", &[&owner.name, "2", &room.name]).await?;
    let carl = guest(c, "carl").await?;
    must(c, &mut ann, "mute", &[&owner.name, "5m", &room.name]).await?;
    let text = hushed(c, &mut bob, &room.name).await?;
    let topic = c.text();
    must_not(c, &mut bob, ("topic", &[&room.name, &topic]), &["muted"]).await?;
    must_not(c, &mut bob, ("invite", &[&room.name, &carl.name]), &["muted"]).await?;
    // It holds in that room alone.
    let everywhere = speaks(c, &mut bob, "ALL").await?;
    if !everywhere {
        let expected = "who is muted in a room can write to ALL";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    must(c, &mut ann, "unmute", &[&owner.name, &room.name]).await?;
    let (after, _) = said(c, &mut bob, &room.name).await?;
    ann.expect_content(&after).await?;
    let expected = "nothing of who is muted reaches the room";
    Ok(Verdict::check(ann.count(&text) == 0, expected, ann.heard(Mark::START)))
}

/// Whether what somebody says is taken.
async fn speaks(c: &mut ServerHands, peer: &mut Peer, dest: &str) -> Result<bool, Verdict> {
    let (since, text, tag) = (peer.mark(), c.text(), c.nonces.letters(8));
    peer.tagged(dest, &text, &tag).await;
    let answer = peer.find(since, |frame| {
        let refused = frame.refusal(&tag).is_some();
        (refused || frame.ack(&tag).is_some()).then_some(!refused)
    });
    answer.await.ok_or_else(|| {
        let expected = format!("an answer to a message of {} to {dest}", peer.role);
        Verdict::missing(expected, peer.heard(since))
    })
}

pub(super) async fn expires(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut bob = guest(c, "bob").await?;
    enter(c, &mut bob, &room).await?;
    let clock = Clock::start();
    let seconds = format!("{}s", SHORT.as_secs());
    must(c, &mut ann, "mute", &[&bob.name, &seconds, &room.name]).await?;
    let imposed = clock.elapsed();
    let text = c.text();
    let first = refused(c, &mut bob, &room.name, &text, "muted").await;
    if clock.elapsed() > SHORT.saturating_sub(SECOND) {
        return Ok(Verdict::inconclusive("it took longer than the mute"));
    }
    first?;
    let latest = imposed + SHORT + SECOND + c.patience();
    loop {
        sleep(TURN).await;
        let speaks = speaks(c, &mut bob, &room.name).await?;
        let now = clock.elapsed();
        if speaks && now < SHORT.saturating_sub(SECOND) {
            let expected = format!("a mute of {SHORT:.0?} lasts so long");
            return Ok(Verdict::fail(expected, format!("it is over after {now:.1?}")));
        }
        if speaks {
            return Ok(Verdict::Pass);
        }
        if now > latest {
            let expected = format!("a mute of {SHORT:.0?} ends");
            return Ok(Verdict::fail(expected, format!("it holds after {now:.1?}")));
        }
    }
}
