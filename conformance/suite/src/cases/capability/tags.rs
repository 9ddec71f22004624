//! `tags`: what a sender learns of its messages (the capability `ids`).

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::ids::tells_of;
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const IDS: &str = "ids";
const OFFER: &str = "ids/1";

pub const CASES: &[Case] = &[
    Case::must("tags.ack", "ID-4", |c| Box::pin(ack(c)))
        .asks("A tagged message is acknowledged with the id that others see")
        .hint("ACKS is an object {tag: id}; the id is that of the message, not that of the frame.")
        .needs(&["ids.live"])
        .extension(IDS)
        .killed_by(&[Fault::NoAcks, Fault::AckWithOtherId]),
    Case::must("tags.ack-stored", "ID-4", |c| Box::pin(ack_stored(c)))
        .asks("An acknowledged message is part of the history")
        .hint("Acknowledge when the message is stored, not when it comes in.")
        .needs(&["tags.ack", "history.public"])
        .extension(IDS)
        .killed_by(&[Fault::AckBeforeStored]),
    Case::must("tags.ack-behind", "ID-4", |c| Box::pin(ack_behind(c)))
        .asks("Where a message comes back to its sender, the acknowledgement does not come before it")
        .hint("Queue the message for its sender first, then the acknowledgement, or both in one object.")
        .needs(&["tags.ack"])
        .extension(IDS)
        .killed_by(&[Fault::AckBeforeEcho]),
    Case::must("tags.null", "ID-3", |c| Box::pin(null(c)))
        .asks("A null among the tags stands for a message without one")
        .hint("Whoever tags one message of a frame need not tag all of them.")
        .needs(&["tags.ack"])
        .extension(IDS)
        .killed_by(&[Fault::NullTagRefused]),
    Case::must("tags.shape", "ID-3", |c| Box::pin(shape(c)))
        .asks("TAGS that are no list, or not as long as MESSAGES, are answered with ERROR, and nothing is delivered")
        .hint("Check all of TAGS before the first message is passed on.")
        .needs(&["ids.agreed", "bcast.all-others"])
        .extension(IDS)
        .killed_by(&[Fault::TagsShapeUnchecked]),
    Case::must("tags.elements", "ID-3", |c| Box::pin(elements(c)))
        .asks("A tag that is neither null nor a string of 1 to 64 bytes is answered with ERROR, and nothing is delivered")
        .hint("Count bytes, not characters; check all of TAGS before the first message is passed on.")
        .needs(&["ids.agreed", "bcast.all-others"])
        .extension(IDS)
        .killed_by(&[Fault::TagsUnchecked, Fault::TagsInCharacters, Fault::TagsCheckedOneByOne]),
    Case::must("tags.count", "ID-3", |c| Box::pin(count(c)))
        .asks("256 messages of a frame may have tags, 257 may not")
        .hint("Count the strings, not the nulls; more than are remembered could not be recognised.")
        .needs(&["tags.ack"])
        .extension(IDS)
        .killed_by(&[Fault::TagsUncounted]),
    Case::must("tags.refused", "ID-4", |c| Box::pin(refused(c)))
        .asks("A tagged message that is refused stands in REFUSED, beside ERROR")
        .hint("REFUSED is an object {tag: {\"CODE\": word, \"ERROR\": text}}, with ERROR in the same object for clients that look for that.")
        .needs(&["tags.ack", "src.spoof"])
        .extension(IDS)
        .killed_by(&[
            Fault::NoRefused,
            Fault::RefusedAcked,
            Fault::RefusedWithoutError,
            Fault::RefusedAsText,
        ]),
    Case::must("tags.refused-again", "ID-5", |c| Box::pin(refused_again(c)))
        .asks("A tag that was refused may be used again")
        .hint("Remember a tag when its message is stored, and only then.")
        .needs(&["tags.refused"])
        .extension(IDS)
        .killed_by(&[Fault::RefusedTagUsed]),
    Case::must("tags.again", "ID-5", |c| Box::pin(again(c)))
        .asks("A tag that was used is not delivered again, and is answered with the id that it had")
        .hint("Keep the last 256 tags of each session with their ids, and look there first.")
        .needs(&["tags.ack"])
        .extension(IDS)
        .killed_by(&[
            Fault::DuplicateDelivered,
            Fault::DuplicateNewId,
            Fault::DuplicateUnanswered,
        ]),
    Case::must("tags.again-in-frame", "ID-5", |c| Box::pin(again_in_frame(c)))
        .asks("Two messages of one frame with the same tag are delivered once")
        .hint("Remember each tag as soon as its message is stored, not at the end of the frame.")
        .needs(&["tags.again"])
        .extension(IDS)
        .killed_by(&[Fault::DuplicateInFrame]),
    Case::must("tags.256", "ID-5", |c| Box::pin(two_hundred_fifty_six(c)))
        .asks("The last 256 tags are remembered")
        .hint("A queue of 256 for each session; the oldest one goes.")
        .needs(&["tags.again"])
        .extension(IDS)
        .killed_by(&[Fault::TagsForgottenEarly]),
    Case::must("tags.own", "ID-5", |c| Box::pin(own(c)))
        .asks("The tags of two users have nothing to do with each other")
        .hint("Tags belong to a session: keep them there, not in one table for all.")
        .needs(&["tags.ack"])
        .extension(IDS)
        .killed_by(&[Fault::TagsShared]),
];

async fn ack(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    for dest in ["ALL".to_owned(), bob.name.clone()] {
        let (since, text, tag) = (ann.mark(), c.text(), c.nonces.letters(64));
        ann.tagged(&dest, &text, &tag).await;
        let acked = ann.acked(since, &tag).await?;
        let id = bob.id_of(&text).await?;
        if acked != id {
            let expected = format!("the id {id} in ACKS, with which bob got the message");
            return Ok(Verdict::fail(expected, acked.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

async fn ack_stored(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    for _ in 0..3 {
        let (since, text, tag) = (ann.mark(), c.text(), c.nonces.letters(8));
        ann.tagged("ALL", &text, &tag).await;
        ann.acked(since, &tag).await?;
        let mut carl = c.join("carl").await?;
        // The first list of messages is the history.
        let list = |frame: &Frame| frame.key("MESSAGES").is_some().then(|| frame.messages());
        let past = carl.find(Mark::START, list).await.unwrap_or_default();
        if !past.iter().any(|message| message.content == text) {
            let expected = "who joins after the acknowledgement has the message in the history";
            return Ok(Verdict::fail(expected, carl.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

async fn ack_behind(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let since = ann.mark();
    let pairs = [(c.text(), c.nonces.letters(8)), (c.text(), c.nonces.letters(8))];
    for (text, tag) in &pairs {
        ann.tagged("ALL", text, tag).await;
        ann.acked(since, tag).await?;
    }
    c.fence(&mut bob, &mut ann).await?;
    for (text, tag) in &pairs {
        let frames = ann.frames(since);
        let ack = frames.iter().position(|frame| frame.ack(tag).is_some());
        // Whether a message to ALL comes back to its sender is open (RT-3).
        let echo =
            frames.iter().position(|frame| frame.messages().iter().any(|m| m.content == *text));
        if echo > ack {
            let expected = "the message before its acknowledgement, or both in one object";
            return Ok(Verdict::fail(expected, ann.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}

async fn count(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let nonce = c.nonces.letters(8);
    let mut texts = Vec::new();
    for (round, number) in [256, 257].into_iter().enumerate() {
        // One more message, which has no tag.
        let text = c.text();
        let mut tags: Vec<_> = (0..number).map(|n| json!(format!("{nonce}-{round}-{n}"))).collect();
        let mut messages: Vec<_> = tags
            .iter()
            .map(|tag| ServerHands::message(&ann.name, &bob.name, &tag.to_string()))
            .collect();
        messages.insert(0, ServerHands::message(&ann.name, &bob.name, &text));
        tags.insert(0, Value::Null);
        let since = ann.mark();
        ann.send(&json!({"MESSAGES": messages, "TAGS": tags})).await;
        if round == 0 {
            ann.acked(since, &format!("{nonce}-0-255")).await?;
        } else {
            ann.expect_error(since, "257 messages with tags").await?;
        }
        texts.push(text);
    }
    c.fence(&mut ann, &mut bob).await?;
    let times: Vec<_> = texts.iter().map(|text| bob.count(text)).collect();
    let expected = "the frame with 256 tags is delivered, the one with 257 is not";
    Ok(Verdict::check(times == [1, 0], expected, format!("{times:?} times")))
}

async fn refused_again(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (text, tag, since) = (c.text(), c.nonces.letters(8), ann.mark());
    let spoof = ServerHands::message(&bob.name, "ALL", &text);
    ann.send(&json!({"MESSAGES": [spoof], "TAGS": [tag]})).await;
    ann.expect_error(since, "somebody else's SRC").await?;
    let since = ann.mark();
    ann.tagged("ALL", &text, &tag).await;
    let acked = ann.acked(since, &tag).await?;
    c.fence(&mut ann, &mut bob).await?;
    if bob.count(&text) != 1 {
        let expected = "the message is delivered under the tag that was refused before";
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let id = bob.id_of(&text).await?;
    Ok(Verdict::check(id == acked, format!("ACKS with the id {id}"), acked.to_string()))
}

/// Sends messages with tags in one frame.
async fn send(ann: &mut Peer, texts: &[String], tags: &Value) {
    let messages: Vec<_> =
        texts.iter().map(|text| ServerHands::message(&ann.name, "ALL", text)).collect();
    ann.send(&json!({"MESSAGES": messages, "TAGS": tags})).await;
}

async fn null(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (texts, tag) = ([c.text(), c.text(), c.text()], c.nonces.letters(8));
    let since = ann.mark();
    send(&mut ann, &texts, &json!([null, tag, null])).await;
    for text in &texts {
        bob.expect_content(text).await?;
    }
    ann.acked(since, &tag).await?;
    Ok(Verdict::Pass)
}

/// Malformed tags: ERROR, and nothing of the frame is delivered.
async fn malformed(c: &mut ServerHands, several: &[Value]) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let mut texts = Vec::new();
    for tags in several {
        let (since, pair) = (ann.mark(), [c.text(), c.text()]);
        send(&mut ann, &pair, tags).await;
        let shown = conformance_kit::escape::shorten(&tags.to_string(), 100);
        ann.expect_error(since, &format!("two messages with TAGS {shown}")).await?;
        texts.push((shown, pair));
    }
    c.fence(&mut ann, &mut bob).await?;
    for (tags, pair) in texts {
        if pair.iter().any(|text| bob.count(text) > 0) {
            let expected = format!("nothing of a frame with TAGS {tags} is delivered");
            return Ok(Verdict::fail(expected, "bob got a message of it"));
        }
    }
    Ok(Verdict::Pass)
}

async fn shape(c: &mut ServerHands) -> Outcome {
    let tag = c.nonces.letters(8);
    malformed(
        c,
        &[json!(tag), json!({"a": tag}), json!(5), json!([]), json!([tag]), json!([tag, "b", "c"])],
    )
    .await
}

async fn elements(c: &mut ServerHands) -> Outcome {
    let mut bad = Vec::new();
    let long = "x".repeat(65);
    // 33 characters of two bytes each.
    let wide = "\u{e9}".repeat(33);
    for odd in [json!(5), json!(""), json!(true), json!(["a"]), json!({}), json!(long), json!(wide)]
    {
        // In the second place, behind a good one.
        bad.push(json!([c.nonces.letters(8), odd]));
    }
    malformed(c, &bad).await
}

async fn refused(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (good, bad, text) = (c.nonces.letters(8), c.nonces.letters(8), c.text());
    let since = ann.mark();
    let messages = [
        ServerHands::message(&ann.name, "ALL", &text),
        ServerHands::message(&bob.name, "ALL", &c.text()),
    ];
    ann.send(&json!({"MESSAGES": messages, "TAGS": [good, bad]})).await;
    let told = ann.find(since, |frame| tells_of(frame, &bad).then(|| frame.clone())).await;
    let expected = "REFUSED: {tag: {\"CODE\": word, \"ERROR\": text}} and ERROR in one object for a tagged message with somebody else's SRC";
    let Some(frame) = told else { return Ok(Verdict::fail(expected, ann.heard(since))) };
    let shown = conformance_kit::escape::bytes(&frame.body, 300);
    let word = |key: &str| frame.refusal(&bad)?.get(key)?.as_str();
    let code = word("CODE").is_some_and(|code| !code.is_empty() && !code.contains(' '));
    if !code || word("ERROR").is_none() || frame.error().is_none() {
        return Ok(Verdict::fail(expected, shown));
    }
    let acked = |frame: &Frame| frame.ack(&bad).is_some();
    c.fence(&mut bob, &mut ann).await?;
    if ann.frames(since).iter().any(acked) {
        return Ok(Verdict::fail("no acknowledgement of what was refused", shown));
    }
    // The neighbour of a refused message may be delivered or not (IV-5); it is told in any case.
    let neighbour = ann.find(since, |frame| tells_of(frame, &good).then_some(())).await;
    let expected = "the other tag of the frame in ACKS or REFUSED";
    Ok(Verdict::check(neighbour.is_some(), expected, ann.heard(since)))
}

async fn again(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (text, tag) = (c.text(), c.nonces.letters(8));
    let mut ids = Vec::new();
    for _ in 0..3 {
        let since = ann.mark();
        ann.tagged("ALL", &text, &tag).await;
        ids.push(ann.acked(since, &tag).await?);
        let other = c.text();
        ann.say(&other).await;
        bob.expect_content(&other).await?;
    }
    // The tag decides, not the text.
    let (since, changed) = (ann.mark(), c.text());
    ann.tagged("ALL", &changed, &tag).await;
    ids.push(ann.acked(since, &tag).await?);
    c.fence(&mut ann, &mut bob).await?;
    let expected = "one delivery and the same id for every sending under one tag";
    let times = (bob.count(&text), bob.count(&changed));
    let same = ids.windows(2).all(|pair| pair.first() == pair.last());
    Ok(Verdict::check(
        times == (1, 0) && same,
        expected,
        format!("delivered {} and {} times, with the ids {ids:?}", times.0, times.1),
    ))
}

async fn again_in_frame(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (texts, tag) = ([c.text(), c.text()], c.nonces.letters(8));
    let since = ann.mark();
    send(&mut ann, &texts, &json!([tag, tag])).await;
    let acked = ann.acked(since, &tag).await?;
    c.fence(&mut ann, &mut bob).await?;
    let got: Vec<_> = texts.iter().map(|text| bob.count(text)).collect();
    if got != [1, 0] {
        let expected = "the first message under a tag is delivered, the second one is not";
        return Ok(Verdict::fail(expected, format!("{got:?} times")));
    }
    let [first, _] = &texts;
    let id = bob.id_of(first).await?;
    Ok(Verdict::check(id == acked, format!("ACKS with the id {id}"), acked.to_string()))
}

async fn two_hundred_fifty_six(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (text, tag) = (c.text(), c.nonces.letters(8));
    let since = ann.mark();
    ann.tagged(&bob.name, &text, &tag).await;
    let id = ann.acked(since, &tag).await?;
    // 255 more, in private, so that they don't burden the history of others.
    let more: Vec<String> = (0..255).map(|n| format!("{tag}-{n}")).collect();
    let messages: Vec<_> =
        more.iter().map(|tag| ServerHands::message(&ann.name, &bob.name, tag)).collect();
    ann.send(&json!({"MESSAGES": messages, "TAGS": more})).await;
    let last = format!("{tag}-254");
    ann.acked(since, &last).await?;
    let since = ann.mark();
    ann.tagged(&bob.name, &text, &tag).await;
    let repeated = ann.acked(since, &tag).await?;
    c.fence(&mut ann, &mut bob).await?;
    let times = bob.count(&text);
    let expected = format!("the tag of 256 messages ago is known: the id {id}, and one delivery");
    let actual = format!("the id {repeated}, and {times} deliveries");
    Ok(Verdict::check(repeated == id && times == 1, expected, actual))
}

async fn own(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut carl = c.join("carl").await?;
    let (first, second, tag) = (c.text(), c.text(), c.nonces.letters(8));
    let since = ann.mark();
    ann.tagged("ALL", &first, &tag).await;
    ann.acked(since, &tag).await?;
    let since = bob.mark();
    bob.tagged("ALL", &second, &tag).await;
    bob.acked(since, &tag).await?;
    c.fence(&mut bob, &mut carl).await?;
    let times = (carl.count(&first), carl.count(&second));
    Ok(Verdict::check(times == (1, 1), "each message once", format!("{times:?} times")))
}
