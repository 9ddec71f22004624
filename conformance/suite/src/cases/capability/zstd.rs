//! `zstd`: compressed frames.

use conformance_kit::wire::{
    ascii::ascii,
    frame::Frame,
    zstd::{Crafted, bomb, compress},
};
use serde_json::{Value, json};

use super::agreed::{AGREED_HINT, agreed};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const ZSTD: &str = "zstd";
const OFFER: &str = "zstd/1";
const WITH_IDS: &str = "ids/1 zstd/1";

/// From this size on, in bytes, a body may be compressed.
const WORTH: usize = 1024;

/// What a server takes may be exceeded as far as it announces no more than this, in bytes.
const MOST_TRIED: u64 = 64 << 20;

/// What to do about each of the compressed frames that may not be taken.
const PATIENT_HINT: &str = "Look at magic, size, window, dictionary and end before you inflate; answer with ERROR, and go on with the next frame.";

pub const CASES: &[Case] = &[
    Case::must("zstd.agreed", "CP-2", |c| Box::pin(agreed(c, ZSTD)))
        .asks("zstd/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(ZSTD)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("zstd.same", "ZS-1", |c| Box::pin(same(c)))
        .asks("Compressed or not, everybody gets the same values, and each compressed body is one frame that says its size")
        .hint("Compress the body that the others get, with its size in the header, and nothing behind it.")
        .needs(&["zstd.agreed", "history.public", "bcast.all-others"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdOtherValues, Fault::ZstdWithoutSize]),
    Case::must("zstd.silent", "CP-5", |c| Box::pin(silent(c)))
        .asks("Who did not agree on zstd never gets a compressed frame")
        .hint("Keep the plain frame beside the compressed one, and choose for each connection.")
        .needs(&["zstd.agreed", "history.public"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdUnasked]),
    Case::must("zstd.client-sends", "ZS-1", |c| Box::pin(client_sends(c)))
        .asks("A compressed frame of a client counts as the body inside it")
        .hint("Inflate it, then go on as with any body; without the agreement it is no JSON.")
        .needs(&["zstd.agreed", "errors.not-json"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdNotTaken]),
    Case::must("zstd.bomb", "ZS-2", |c| Box::pin(a_bomb(c)))
        .asks("A frame that would be longer than LIMITS.INFLATED is answered with ERROR, and the connection goes on")
        .hint(PATIENT_HINT)
        .needs(&["zstd.client-sends"])
        .extension(ZSTD)
        .heavy()
        .killed_by(&[Fault::ZstdUnbounded]),
    Case::must("zstd.no-size", "ZS-2", |c| Box::pin(no_size(c)))
        .asks("A frame that does not say its size is answered with ERROR")
        .hint(PATIENT_HINT)
        .needs(&["zstd.client-sends"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdSizeOptional]),
    Case::must("zstd.wrong-size", "ZS-2", |c| Box::pin(wrong_size(c)))
        .asks("A frame that is shorter or longer than it says is answered with ERROR")
        .hint(PATIENT_HINT)
        .needs(&["zstd.client-sends"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdSizeUnchecked]),
    Case::must("zstd.window", "ZS-2", |c| Box::pin(window(c)))
        .asks("A frame with a window of more than 8 MiB is answered with ERROR")
        .hint(PATIENT_HINT)
        .needs(&["zstd.client-sends"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdWindowUnchecked]),
    Case::must("zstd.trailing", "ZS-1", |c| Box::pin(trailing(c)))
        .asks("A frame with something behind it, another frame included, is answered with ERROR")
        .hint(PATIENT_HINT)
        .needs(&["zstd.client-sends"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdTrailingTaken]),
    Case::must("zstd.dictionary", "ZS-1", |c| Box::pin(dictionary(c)))
        .asks("A frame that names a dictionary is answered with ERROR")
        .hint(PATIENT_HINT)
        .needs(&["zstd.client-sends"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdDictionaryTaken]),
    Case::must("zstd.no-secrets", "ZS-3", |c| Box::pin(no_secrets(c)))
        .asks("What is private is never compressed, nor is the welcome of a resumed session")
        .hint("The length of a compressed frame tells about what is in it: leave private messages, their pages, and welcomes with either as they are.")
        .needs(&["zstd.agreed", "paging.shape", "resume.token", "private.delivered"])
        .extension(ZSTD)
        .also(&["ids"])
        .killed_by(&[Fault::ZstdResumed, Fault::ZstdPrivate]),
    Case::should("zstd.small-plain", "ZS-4", |c| Box::pin(small_plain(c)))
        .asks("Frames of less than 1,024 bytes come as they are")
        .hint("A short frame gets longer, or hardly shorter.")
        .needs(&["zstd.agreed"])
        .extension(ZSTD)
        .killed_by(&[Fault::ZstdAlways]),
];

/// A text of some kilobytes that compresses well.
fn long(text: &str) -> String {
    format!(
        "{text} {}",
        "what is said here again and again can be said in fewer bytes; ".repeat(50)
    )
}

/// The messages of a frame, as they were written.
fn messages(frame: &Frame) -> Vec<Value> {
    frame.key("MESSAGES").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// What is wrong with the compressed frames that somebody got.
fn all_in_order(peer: &mut Peer) -> Result<(), Verdict> {
    let wrong = |frame: &Frame| frame.packed.as_ref()?.wrong.clone();
    match peer.frames(Mark::START).iter().find_map(wrong) {
        None => Ok(()),
        Some(wrong) => {
            let expected = "compressed bodies that are one frame with its size, no dictionary, a window of 8 MiB at most and nothing behind it";
            Err(Verdict::fail(expected, format!("a compressed frame to {}: {wrong}", peer.role)))
        }
    }
}

/// Joins with zstd. A welcome that can't be inflated is told as such.
async fn joined(c: &mut ServerHands, role: &str) -> Result<Peer, Verdict> {
    let mut peer = c.connect(role).await?;
    let name = c.name(role);
    let welcome = peer.offer(&name, OFFER, &[]).await;
    all_in_order(&mut peer)?;
    match welcome {
        Some(welcome) if welcome.accepted() == Some(true) && welcome.agrees_to(ZSTD) => Ok(peer),
        _ => Err(Verdict::inconclusive(format!("{role} could not join with {OFFER}"))),
    }
}

/// Fails when somebody got a compressed frame.
fn nothing_compressed(peer: &mut Peer, why: &str) -> Result<(), Verdict> {
    let packed = |frame: &Frame| frame.packed.clone();
    match peer.frames(Mark::START).iter().find_map(packed) {
        None => Ok(()),
        Some(packed) => {
            let got = format!("a compressed frame of {} bytes", packed.bytes);
            Err(Verdict::fail(format!("no compressed frame to {why}"), got))
        }
    }
}

/// Says several long texts in one frame; they are returned.
async fn say_several(c: &mut ServerHands, peer: &mut Peer) -> Vec<String> {
    let texts: Vec<String> = (0..3).map(|_| long(&c.text())).collect();
    let said: Vec<Value> =
        texts.iter().map(|text| ServerHands::message(&peer.name, "ALL", text)).collect();
    peer.send(&json!({"MESSAGES": said})).await;
    texts
}

async fn same(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut carl = c.join("carl").await?;
    // Some compress for the second one of them only.
    let (mut bob, mut ben) = (joined(c, "bob").await?, joined(c, "ben").await?);
    let texts = say_several(c, &mut ann).await;
    let Some(last) = texts.last() else { return Ok(Verdict::inconclusive("no texts")) };
    carl.expect_content(last).await?;
    let all = |peer: &mut Peer| -> Vec<Value> {
        let frames = peer.frames(Mark::START).iter().skip(1).flat_map(messages);
        frames.filter(|one| texts.iter().any(|text| one.get(3) == Some(&json!(text)))).collect()
    };
    let plain = all(&mut carl);
    for peer in [&mut bob, &mut ben] {
        let got = peer.find_message(Mark::START, |message| message.content == *last).await;
        all_in_order(peer)?;
        if got.is_none() || all(peer) != plain {
            let expected = format!("{} gets the three messages that the others get", peer.role);
            return Ok(Verdict::fail(expected, peer.heard(Mark::START)));
        }
    }
    // The welcomes, which others may add to meanwhile.
    let (mut dora, mut dan) = (joined(c, "dora").await?, c.join("dan").await?);
    let said = |peer: &mut Peer| -> Vec<Value> {
        let welcome = peer.welcome().map(|welcome| messages(&welcome)).unwrap_or_default();
        welcome.into_iter().filter(|one| plain.contains(one)).collect()
    };
    let (compressed, expected) = (said(&mut dora), said(&mut dan));
    // Whoever keeps few may have forgotten the oldest by the second welcome.
    if !compressed.ends_with(&expected) {
        let got = format!("{} of its {} messages", compressed.len(), expected.len());
        return Ok(Verdict::fail("a welcome with the messages that others find in theirs", got));
    }
    Ok(Verdict::Pass)
}

async fn silent(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    // Whoever says something may get it or not.
    let mut carl = c.join("carl").await?;
    // Somebody has to want it, so that there is something to mix up.
    let _zoe = c.join_with("zoe", OFFER).await?;
    let texts = say_several(c, &mut ann).await;
    let Some(last) = texts.last() else { return Ok(Verdict::inconclusive("no texts")) };
    carl.expect_content(last).await?;
    for offer in ["", "x-other/1", "ids/1 ping/1"] {
        let mut bob = c.connect("bob").await?;
        let name = c.name("bob");
        if bob.offer(&name, offer, &[]).await.is_none_or(|welcome| welcome.packed.is_some()) {
            nothing_compressed(&mut bob, "who did not offer zstd")?;
            return Ok(Verdict::fail("a plain welcome", bob.heard(Mark::START)));
        }
        let text = long(&c.text());
        ann.say(&text).await;
        bob.expect_content(&text).await?;
        nothing_compressed(&mut bob, "who did not offer zstd")?;
    }
    Ok(Verdict::Pass)
}

/// A frame with one message of somebody.
fn saying(peer: &Peer, text: &str) -> Vec<u8> {
    ascii(&json!({"MESSAGES": [ServerHands::message(&peer.name, "ALL", text)]})).into_bytes()
}

async fn client_sends(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let text = long(&c.text());
    let body = saying(&ann, &text);
    ann.send_body(&compress(&body)).await;
    bob.expect_content(&text).await?;
    // A short one, whose compressed form is longer, is as good.
    let text = c.text();
    let body = saying(&ann, &text);
    ann.send_body(&compress(&body)).await;
    bob.expect_content(&text).await?;
    // What is not JSON inside is answered as outside.
    let since = ann.mark();
    ann.send_body(&compress(b"{\"MESSAGES\": ")).await;
    ann.expect_error(since, "a compressed body that is no JSON").await?;
    // Without the agreement it is no JSON either.
    let text = c.text();
    let body = saying(&bob, &text);
    let since = bob.mark();
    bob.send_body(&compress(&body)).await;
    bob.expect_error(since, "a compressed body from who did not agree on zstd").await?;
    let count = ann.count(&text);
    Ok(Verdict::check(count == 0, "it is not delivered", format!("{count} times")))
}

/// Makes a body of a frame.
type Packing<'a> = dyn Fn(&[u8]) -> Vec<u8> + Sync + 'a;

/// Sends compressed bodies, each made of a frame with a message, none of which may be taken. The connection has to go on.
async fn refused(c: &mut ServerHands, about: &str, bodies: &[&Packing<'_>]) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    for make in bodies {
        let text = c.text();
        let body = make(&saying(&ann, &text));
        let since = ann.mark();
        ann.send_body(&body).await;
        ann.expect_error(since, about).await?;
        let after = c.text();
        let body = compress(&saying(&ann, &after));
        ann.send_body(&body).await;
        if bob.find_message(Mark::START, |message| message.content == after).await.is_none() {
            let expected = format!("the next frame is taken after {about}");
            return Ok(Verdict::missing(expected, ann.heard(since)));
        }
        if bob.count(&text) > 0 {
            let expected = format!("nothing is delivered of {about}");
            return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

fn size(content: &[u8]) -> u32 {
    u32::try_from(content.len()).unwrap_or(u32::MAX)
}

/// The most that the server inflates.
async fn most_inflated(c: &mut ServerHands) -> Result<u64, Verdict> {
    let mut zoe = c.join_with("zoe", OFFER).await?;
    let welcome = zoe.welcome();
    let limits = welcome.as_ref().and_then(|welcome| welcome.key("LIMITS"));
    let limit = |key: &str| limits.and_then(|limits| limits.get(key)).and_then(Value::as_u64);
    match limit("INFLATED").or_else(|| limit("FRAME")) {
        Some(limit) if limit <= MOST_TRIED => Ok(limit),
        // It may take all that the suite would send.
        Some(limit) => Err(Verdict::inconclusive(format!("it takes {limit} bytes"))),
        None => Err(Verdict::inconclusive("the welcome has neither LIMITS.INFLATED nor FRAME")),
    }
}

async fn a_bomb(c: &mut ServerHands) -> Outcome {
    let most = most_inflated(c).await?;
    let exploding = |content: &[u8]| bomb(content, most);
    let larger = |content: &[u8]| bomb(content, 3 * most);
    refused(c, "a frame that would be longer than LIMITS.INFLATED", &[&exploding, &larger]).await
}

async fn no_size(c: &mut ServerHands) -> Outcome {
    let make =
        |content: &[u8]| Crafted { window: Some(7 << 3), ..Crafted::default() }.body(content);
    refused(c, "a frame that does not say its size", &[&make]).await
}

async fn wrong_size(c: &mut ServerHands) -> Outcome {
    let says =
        |content: &[u8], size| Crafted { size: Some(size), ..Crafted::default() }.body(content);
    let shorter = |content: &[u8]| says(content, size(content) - 1);
    let longer = |content: &[u8]| says(content, size(content) + 1);
    let much = |content: &[u8]| says(content, 1 << 20);
    refused(c, "a frame that is not as long as it says", &[&shorter, &longer, &much]).await
}

async fn window(c: &mut ServerHands) -> Outcome {
    let with = |content: &[u8], window| {
        Crafted { window: Some(window), size: Some(size(content)), dictionary: None }.body(content)
    };
    // 9 MiB, 16 MiB and 2 GiB.
    let next = |content: &[u8]| with(content, 13 << 3 | 1);
    let twice = |content: &[u8]| with(content, 14 << 3);
    let huge = |content: &[u8]| with(content, 21 << 3);
    refused(c, "a frame with a window of more than 8 MiB", &[&next, &twice, &huge]).await
}

async fn trailing(c: &mut ServerHands) -> Outcome {
    let byte = |content: &[u8]| [&compress(content)[..], b" "].concat();
    let twice = |content: &[u8]| [compress(content), compress(b"  ")].concat();
    // Four bytes of nothing, in a frame that is to be skipped.
    let skipped = |content: &[u8]| {
        [&compress(content)[..], &[0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]].concat()
    };
    refused(c, "a frame with something behind it", &[&byte, &twice, &skipped]).await
}

async fn dictionary(c: &mut ServerHands) -> Outcome {
    let make = |content: &[u8]| {
        let size = Some(size(content));
        Crafted { dictionary: Some(7), size, window: None }.body(content)
    };
    refused(c, "a frame that names a dictionary", &[&make]).await
}

async fn no_secrets(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", WITH_IDS).await?;
    let mut ben = c.join_with("ben", WITH_IDS).await?;
    // Something public, so that there is enough to compress in every welcome.
    let texts = say_several(c, &mut ann).await;
    let Some(last) = texts.last() else { return Ok(Verdict::inconclusive("no texts")) };
    bob.expect_content(last).await?;
    ben.expect_content(last).await?;
    // Live, and as a page.
    let since = bob.mark();
    let secret = long(&c.text());
    ann.tell(&bob.name, &secret).await;
    bob.expect_content(&secret).await?;
    bob.send(&json!({"HISTORY": {"WITH": ann.name}})).await;
    let page = bob.find(since, |frame| frame.key("HISTORY").cloned()).await;
    if page.is_none() {
        return Ok(Verdict::inconclusive("HISTORY was not answered"));
    }
    let packed = |frame: &Frame| frame.packed.is_some();
    let live = |frame: &Frame| frame.messages().iter().any(|one| one.content == secret);
    if bob.frames(since).iter().any(|frame| packed(frame) && live(frame)) {
        return Ok(Verdict::fail("a private message comes as it is", "it is compressed"));
    }
    let paged = |frame: &Frame| frame.key("HISTORY").is_some();
    if bob.frames(since).iter().any(|frame| packed(frame) && paged(frame)) {
        return Ok(Verdict::fail("a page of private messages comes as it is", "it is compressed"));
    }
    // The welcome of a session that goes on.
    let welcome = ben.welcome();
    let token = welcome.as_ref().and_then(|welcome| welcome.key("RESUME")).cloned();
    let name = ben.name.clone();
    ben.close(Closing::Polite).await;
    let mut again = c.connect("ben").await?;
    let resume = json!({"TOKEN": token, "AFTER": 0});
    match again.offer(&name, WITH_IDS, &[("RESUME", resume)]).await {
        Some(welcome) if welcome.key("RESUMED") == Some(&json!(true)) => {
            if welcome.packed.is_some() {
                let expected = "the welcome of a resumed session comes as it is: its RESUME is always the same";
                return Ok(Verdict::fail(expected, "it is compressed"));
            }
        }
        // Whether it can be resumed is another case's business.
        _ => return Ok(Verdict::inconclusive("a session could not be resumed")),
    }
    // The welcome of who has private messages: they belong to the name.
    let name = bob.name.clone();
    bob.close(Closing::Polite).await;
    ann.find_left(Mark::START, &name).await;
    let bob = c.join_with_as("bob", &name, WITH_IDS).await?;
    private_welcome(bob, &secret)
}

fn private_welcome(mut bob: Peer, secret: &str) -> Outcome {
    let Some(welcome) = bob.welcome() else { return Ok(Verdict::inconclusive("no welcome")) };
    if !welcome.messages().iter().any(|one| one.content == secret) {
        // A server may have forgotten it.
        return Ok(Verdict::Pass);
    }
    let expected = "a welcome with private messages comes as it is";
    Ok(Verdict::check(welcome.packed.is_none(), expected, "it is compressed"))
}

async fn small_plain(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let (mut bob, mut ben) = (c.join_with("bob", OFFER).await?, c.join_with("ben", OFFER).await?);
    for _ in 0..5 {
        let text = c.text();
        ann.say(&text).await;
        bob.expect_content(&text).await?;
        ben.expect_content(&text).await?;
    }
    for peer in [&mut bob, &mut ben] {
        let small = |frame: &&Frame| {
            frame.packed.as_ref().is_some_and(|p| p.wrong.is_none()) && frame.body.len() < WORTH
        };
        if let Some(frame) = peer.frames(Mark::START).iter().find(small) {
            let packed = frame.packed.as_ref().map_or(0, |packed| packed.bytes);
            let got = format!("{} bytes compressed into {packed}", frame.body.len());
            return Ok(Verdict::fail("frames of less than 1,024 bytes come as they are", got));
        }
    }
    Ok(Verdict::Pass)
}
