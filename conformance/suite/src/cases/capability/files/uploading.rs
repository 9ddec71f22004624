//! `files`: uploads, from FILE_PUT to DONE.

use serde_json::{Value, json};

use super::transfer::{
    Begun, CHUNK, OFFER, Sent, announce, begin, code, end_of, fetch, get, is_refused, put,
    send_piece, send_up_to, sender, sent, sha256, upload, with_meta,
};
use crate::{
    cases::capability::membership::back,
    server::{
        hands::ServerHands,
        peer::{Closing, Peer},
    },
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
    // What was sent is taken before this is answered; a reset would throw away what is on its way.
    get(c, &mut ann, &begun.token, 0, 0).await?;
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

/// Checks that an upload ends with this word, and that its connection goes on.
async fn ends_with(
    c: &mut ServerHands,
    ann: &mut Peer,
    begun: &Begun,
    why: &str,
) -> Result<(), Verdict> {
    let end = end_of(ann, &begun.token, begun.since).await?;
    if code(&end) != Some("protocol") {
        return Err(Verdict::fail(format!("CODE protocol for {why}"), end.to_string()));
    }
    // The connection goes on.
    let (since, tag, text) = (ann.mark(), c.nonces.letters(12), c.text());
    ann.tagged("ALL", &text, &tag).await;
    ann.acked(since, &tag).await.map(|_| ())
}

pub(super) async fn gap(c: &mut ServerHands) -> Outcome {
    let bob = c.join_with("bob", OFFER).await?;
    let (mut ann, _) = sender(c, "ann").await?;
    for (places, length, why) in [
        (&[1][..], 10, "a chunk with a gap"),
        (&[0, 0][..], 10, "a chunk that comes once more"),
        (&[0][..], CHUNK + 1, "a chunk of more than 16 KiB"),
    ] {
        let sent = sent(c, 3 * CHUNK);
        let begun = begin(c, &mut ann, &bob.name, &sent).await?;
        let data = sent.bytes.get(..length).unwrap_or_default();
        for place in places {
            send_piece(&mut ann, &begun.token, *place, data).await;
        }
        ends_with(c, &mut ann, &begun, why).await?;
    }
    Ok(Verdict::Pass)
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
