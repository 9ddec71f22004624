//! `files`: uploads, from FILE_PUT to DONE.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::transfer::{
    CHUNK, OFFER, Sent, announce, begin, code, end_of, fetch, is_refused, put, send_piece,
    send_up_to, sender, sent, sha256, upload, with_meta,
};
use crate::{
    cases::capability::membership::back,
    server::{hands::ServerHands, peer::Closing},
    verdict::{Outcome, Verdict},
};

/// The sizes that are sent: nothing, one byte, and around the longest piece.
const SIZES: [usize; 5] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1];
/// A file of many pieces.
const LARGE: usize = 1024 * 1024;

pub(super) async fn roundtrip(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    for size in SIZES.into_iter().chain([LARGE]) {
        let sent = sent(c, size);
        let name = bob.name.clone();
        let token = upload(c, &mut ann, &name, &sent).await?;
        announce(c, &mut ann, &name, &token).await?;
        let bytes = fetch(c, &mut bob, &token, size).await?;
        if bytes != sent.bytes {
            let expected = format!("{size} bytes with SHA-256 {}", sha256(&sent.bytes));
            let found = format!("{} with {}", bytes.len(), sha256(&bytes));
            return Ok(Verdict::fail(expected, found));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn resume(c: &mut ServerHands) -> Outcome {
    let (mut ann, owner) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (sent, to) = (sent(c, LARGE), bob.name.clone());
    let cut = CHUNK * (2 + usize::try_from(c.nonces.number() % 40).unwrap_or_default()) + 7;
    let mut begun = begin(c, &mut ann, &to, &sent).await?;
    send_up_to(&mut ann, &mut begun, &sent, cut).await?;
    ann.close(Closing::Reset).await;
    let mut ann = back(c, "ann", &owner, OFFER).await?;
    let mut again = begin(c, &mut ann, &to, &sent).await?;
    let is_same = again.token == begun.token && again.at > 0 && again.at <= cut;
    if !is_same {
        let expected =
            format!("the same token and the place reached, at most {cut}, for the same upload");
        return Ok(Verdict::fail(expected, format!("{again:?}, before {begun:?}")));
    }
    send_up_to(&mut ann, &mut again, &sent, sent.bytes.len()).await?;
    let end = end_of(&mut ann, &again.token, again.since).await?;
    if end.get("DONE") != Some(&json!(true)) {
        return Ok(Verdict::fail("DONE after the rest", end.to_string()));
    }
    announce(c, &mut ann, &to, &again.token).await?;
    let bytes = fetch(c, &mut bob, &again.token, LARGE).await?;
    let expected = "the same bytes, although the upload was cut";
    Ok(Verdict::check(bytes == sent.bytes, expected, sha256(&bytes)))
}

/// The next thing that is said of a transfer: FILE with a CODE.
async fn fails(
    c: &mut ServerHands,
    name: &str,
    sent: &Sent,
    piece: impl AsyncFnOnce(&mut crate::server::peer::Peer, &str, usize),
) -> Result<Option<String>, Verdict> {
    let (mut ann, _) = sender(c, "ann").await?;
    let begun = begin(c, &mut ann, name, sent).await?;
    piece(&mut ann, &begun.token, begun.credit).await;
    let end = end_of(&mut ann, &begun.token, begun.since).await?;
    // The connection stays.
    c.others_are_served("one whose transfer was ended").await?;
    let since = ann.mark();
    let text = c.text();
    ann.say(&text).await;
    if ann
        .find(since, |frame: &Frame| {
            frame.messages().iter().any(|m| m.content == text).then_some(())
        })
        .await
        .is_none()
    {
        return Err(Verdict::missing("the connection goes on", ann.heard(since)));
    }
    Ok(code(&end).map(str::to_owned))
}

pub(super) async fn credit(c: &mut ServerHands) -> Outcome {
    let bob = c.join_with("bob", OFFER).await?;
    let sent = sent(c, LARGE);
    let bytes = sent.bytes.clone();
    let code = fails(c, &bob.name, &sent, async |peer, token, credit| {
        let mut at = 0;
        // One byte more than there is credit for.
        while at <= credit && at < bytes.len() {
            let end = (at + CHUNK).min(credit + 1).min(bytes.len());
            send_piece(peer, token, at, bytes.get(at..end).unwrap_or_default()).await;
            at = end;
            if peer.find_now(|frame| frame.key("FILE_CREDIT").map(|_| ())).is_some() {
                break;
            }
        }
        // Whatever the credit is by now, this is beyond it.
        send_piece(peer, token, LARGE, b"x").await;
    })
    .await?;
    let expected = "CODE protocol for a chunk beyond the credit";
    Ok(Verdict::check(code.as_deref() == Some("protocol"), expected, format!("{code:?}")))
}

pub(super) async fn gap(c: &mut ServerHands) -> Outcome {
    let bob = c.join_with("bob", OFFER).await?;
    for (place, what) in [(1, "with a gap"), (0, "once more")] {
        let sent = sent(c, 3 * CHUNK);
        let piece = sent.bytes.get(..10).unwrap_or_default().to_vec();
        let code = fails(c, &bob.name, &sent, async |peer, token, _| {
            if place == 0 {
                send_piece(peer, token, 0, &piece).await;
            }
            send_piece(peer, token, place, &piece).await;
        })
        .await?;
        if code.as_deref() != Some("protocol") {
            let expected = format!("CODE protocol for a chunk {what}");
            return Ok(Verdict::fail(expected, format!("{code:?}")));
        }
    }
    let sent = sent(c, 3 * CHUNK);
    let long = sent.bytes.get(..CHUNK + 1).unwrap_or_default().to_vec();
    let code =
        fails(c, &bob.name, &sent, async |peer, token, _| send_piece(peer, token, 0, &long).await)
            .await?;
    let expected = format!("CODE protocol for a chunk of {} bytes", CHUNK + 1);
    Ok(Verdict::check(code.as_deref() == Some("protocol"), expected, format!("{code:?}")))
}

pub(super) async fn wrong_digest(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (right, to) = (sent(c, CHUNK + 5), bob.name.clone());
    let mut begun = begin(c, &mut ann, &to, &right).await?;
    let mut wrong = right.clone();
    if let Some(last) = wrong.bytes.last_mut() {
        *last ^= 1;
    }
    send_up_to(&mut ann, &mut begun, &wrong, right.bytes.len()).await?;
    let end = end_of(&mut ann, &begun.token, begun.since).await?;
    if code(&end) != Some("digest") {
        return Ok(Verdict::fail("CODE digest where a byte is another one", end.to_string()));
    }
    let text = c.text();
    let said = with_meta(c, &mut ann, &to, &text, &json!({"FILE": begun.token})).await;
    is_refused(&mut ann, &mut bob, c, said, &text, "the file is not there").await?;
    // It begins anew.
    let again = begin(c, &mut ann, &to, &right).await?;
    let expected = "AT 0, since what came was removed";
    Ok(Verdict::check(again.at == 0, expected, again.at.to_string()))
}

pub(super) async fn not_before_done(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (sent, to) = (sent(c, 2 * CHUNK), bob.name.clone());
    let mut begun = begin(c, &mut ann, &to, &sent).await?;
    send_up_to(&mut ann, &mut begun, &sent, CHUNK).await?;
    let text = c.text();
    let said = with_meta(c, &mut ann, &to, &text, &json!({"FILE": begun.token})).await;
    is_refused(&mut ann, &mut bob, c, said, &text, "half of the file is there").await?;
    Ok(Verdict::Pass)
}

/// Names that would act on a screen or on a disk.
const NAMES: [&str; 8] =
    ["", "../x", "a/b", "a\\b", ".profile", "a\u{7}b", "cod\u{202e}fdp.exe", "a\nb"];

pub(super) async fn hostile_names(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let bob = c.join_with("bob", OFFER).await?;
    let (long, wide) = ("x".repeat(129), "\u{e9}".repeat(65));
    for name in NAMES.into_iter().chain([long.as_str(), wide.as_str()]) {
        let sent = Sent { name: name.to_owned(), ..sent(c, 5) };
        let (file, _) = put(c, &mut ann, &bob.name, &sent).await?;
        if code(&file).is_none() {
            let expected = format!("CODE for NAME {:?}", Value::from(name));
            return Ok(Verdict::fail(expected, file.to_string()));
        }
    }
    let longest = Sent { name: "\u{e9}".repeat(64), ..sent(c, 5) };
    let (file, _) = put(c, &mut ann, &bob.name, &longest).await?;
    let expected = "a NAME of 128 bytes is taken";
    Ok(Verdict::check(code(&file).is_none(), expected, file.to_string()))
}
