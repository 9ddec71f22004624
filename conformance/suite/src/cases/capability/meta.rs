//! `meta`: what goes with a message beside its text.

use conformance_kit::wire::frame::Frame;
use serde_json::{Map, Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    calling::code,
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const META: &str = "meta";
const OFFER: &str = "ids/1 meta/1";

/// A number that no message of a test has.
const NOWHERE: u64 = (1 << 53) - 2;

pub const CASES: &[Case] = &[
    Case::must("meta.agreed", "CP-2", |c| Box::pin(agreed(c, META)))
        .asks("meta/1 is agreed to, with ids/1")
        .hint(AGREED_HINT)
        .needs(&["cap.answer", "ids.agreed"])
        .extension(META)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("meta.reply", "MT-1", |c| Box::pin(reply(c)))
        .asks("REPLY comes beside the message: live, in the welcome, and in pages")
        .hint("Keep META with the message, and put a list as long as MESSAGES beside it wherever it goes, with null for the others.")
        .needs(&["meta.agreed", "ids.live", "ids.welcome"])
        .extension(META)
        .killed_by(&[Fault::MetaUntold, Fault::MetaLiveOnly]),
    Case::must("meta.reply-foreign", "MT-3", |c| Box::pin(reply_foreign(c)))
        .asks("A REPLY to a message of another conversation is refused like one to none")
        .hint("Look for the id in the conversation that the message is for, as its sender can read it; REFUSED has no-such-message for all else.")
        .needs(&["meta.reply", "tags.refused"])
        .extension(META)
        .killed_by(&[Fault::ReplyUnchecked]),
    Case::must("meta.length", "MT-2", |c| Box::pin(length(c)))
        .asks("A META of another length or shape is answered with ERROR, and nothing is delivered")
        .hint("Check all of META before the first message is passed on: the length of the list, the keys, and at most 2 KiB for each object.")
        .needs(&["meta.agreed", "bcast.all-others"])
        .extension(META)
        .killed_by(&[Fault::MetaUnchecked]),
    Case::must("meta.base", "CP-5", |c| Box::pin(base(c)))
        .asks("Base clients, and those with ids alone, get no META, and the text as it was")
        .hint("META is for connections that agreed on it; nothing of it goes into CONTENT.")
        .needs(&["meta.reply"])
        .extension(META)
        .killed_by(&[Fault::MetaToEverybody]),
    Case::must("meta.mentions", "MT-4", |c| Box::pin(mentions(c)))
        .asks("MENTIONS keeps those who can read the message, each once")
        .hint("Leave out names that nobody has, and for private messages all but the two of them; no name twice.")
        .needs(&["meta.agreed", "ids.live"])
        .extension(META)
        .killed_by(&[Fault::MetaUntold, Fault::MentionsUnchecked]),
    Case::must("meta.mention-all", "MT-4", |c| Box::pin(mention_all(c)))
        .asks("A guest who mentions ALL is refused with forbidden, and the message is not delivered")
        .hint("ALL, and in a room its name, needs level 3 there.")
        .needs(&["meta.mentions", "tags.refused"])
        .extension(META)
        .killed_by(&[Fault::MentionAllByAnybody]),
];

/// Says something with what goes with it, and a tag.
async fn say(peer: &mut Peer, dest: &str, text: &str, tag: &str, meta: Value) {
    let message = ServerHands::message(&peer.name, dest, text);
    peer.send(&json!({"MESSAGES": [message], "TAGS": [tag], "META": [meta]})).await;
}

/// What goes with the message of a text, in an object with MESSAGES: nothing is null.
fn beside(object: &Map<String, Value>, text: &str) -> Option<Result<Value, String>> {
    let messages = object.get("MESSAGES")?.as_array()?;
    let place = messages.iter().position(|message| message.get(3) == Some(&json!(text)))?;
    let Some(meta) = object.get("META") else { return Some(Ok(Value::Null)) };
    let list = meta.as_array().filter(|list| list.len() == messages.len());
    let one = list.and_then(|list| list.get(place));
    Some(one.cloned().ok_or_else(|| format!("META is {meta} beside {} messages", messages.len())))
}

/// The same for a message that comes to somebody since a mark; in a page with `of` HISTORY.
async fn told(
    peer: &mut Peer,
    since: Mark,
    text: &str,
    of: Option<&'static str>,
) -> Result<Value, Verdict> {
    let look = |frame: &Frame| {
        let object = frame.object()?;
        let object = match of {
            Some(key) => object.get(key)?.as_object()?,
            None => object,
        };
        beside(object, text)
    };
    match peer.find(since, look).await {
        Some(Ok(meta)) => Ok(meta),
        Some(Err(why)) => Err(Verdict::fail("META, a list as long as MESSAGES", why)),
        None => Err(Verdict::missing(format!("the message {text:?}"), peer.heard(since))),
    }
}

/// The refusal of a tagged message.
async fn refusal(peer: &mut Peer, since: Mark, tag: &str) -> Result<Value, Verdict> {
    let found = peer.find(since, |frame| match (frame.ack(tag), frame.refusal(tag)) {
        (Some(id), _) => Some(Err(id)),
        (None, refusal) => refusal.cloned().map(Ok),
    });
    match found.await {
        Some(Ok(refusal)) => Ok(refusal),
        Some(Err(id)) => Err(Verdict::fail("REFUSED", format!("ACKS with the id {id}"))),
        None => Err(Verdict::missing("REFUSED", peer.heard(since))),
    }
}

async fn reply(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (first, second, tag) = (c.text(), c.text(), c.nonces.letters(10));
    ann.say(&first).await;
    let id = bob.id_of(&first).await?;
    let since = ann.mark();
    say(&mut bob, "ALL", &second, &tag, json!({"REPLY": id})).await;
    let live = told(&mut ann, since, &second, None).await?;
    let expected = format!("META with {{\"REPLY\": {id}}} beside the message");
    if live.get("REPLY") != Some(&json!(id)) {
        return Ok(Verdict::fail(expected, format!("live: {live}")));
    }
    let mut carl = c.join_with("carl", OFFER).await?;
    let later = told(&mut carl, Mark::START, &second, None).await?;
    if later.get("REPLY") != Some(&json!(id)) {
        return Ok(Verdict::fail(expected, format!("in the welcome: {later}")));
    }
    if !told(&mut carl, Mark::START, &first, None).await?.is_null() {
        return Ok(Verdict::fail(
            "null for a message that nothing goes with",
            carl.heard(Mark::START),
        ));
    }
    let since = carl.mark();
    carl.send(&json!({"HISTORY": {"WITH": "ALL", "LIMIT": 5}})).await;
    let paged = told(&mut carl, since, &second, Some("HISTORY")).await?;
    let right = paged.get("REPLY") == Some(&json!(id));
    Ok(Verdict::check(right, expected, format!("in a page: {paged}")))
}

async fn reply_foreign(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let (public, private) = (c.text(), c.text());
    ann.say(&public).await;
    let public = bob.id_of(&public).await?;
    ann.tell(&bob.name.clone(), &private).await;
    let private = bob.id_of(&private).await?;
    let to_bob = bob.name.clone();
    // Of another conversation of one's own, of one of others, and of none.
    let tries = [("ALL".to_owned(), private), (to_bob, public), ("ALL".to_owned(), NOWHERE)];
    let mut answers = Vec::new();
    for (dest, id) in tries {
        let (text, tag, since) = (c.text(), c.nonces.letters(10), ann.mark());
        let heard = carl.mark();
        say(&mut ann, &dest, &text, &tag, json!({"REPLY": id})).await;
        let refused = refusal(&mut ann, since, &tag).await?;
        if code(&refused) != "no-such-message" {
            return Ok(Verdict::fail("REFUSED with CODE no-such-message", refused.to_string()));
        }
        answers.push(refused);
        c.fence(&mut ann, &mut carl).await?;
        if carl.messages(heard).iter().any(|message| message.content == text) {
            return Ok(Verdict::fail("a refused message is not delivered", carl.heard(heard)));
        }
    }
    // What ann said to bob alone is for the two of them; carl can't answer it either.
    let (text, tag, since) = (c.text(), c.nonces.letters(10), carl.mark());
    say(&mut carl, &bob.name, &text, &tag, json!({"REPLY": private})).await;
    answers.push(refusal(&mut carl, since, &tag).await?);
    let alike = answers.windows(2).all(|pair| pair.first() == pair.last());
    Ok(Verdict::check(alike, "the same answer for all of them", format!("{answers:?}")))
}

async fn length(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let long = "x".repeat(3_000);
    let many = vec!["x"; 21];
    let shapes = [
        json!([]),
        json!([null]),
        json!([null, null, null]),
        json!({"REPLY": 1}),
        json!("x"),
        json!([null, 5]),
        json!([null, {"EDITED": 1}]),
        json!([null, {"REPLY": "1"}]),
        json!([null, {"MENTIONS": "ann"}]),
        json!([null, {"MENTIONS": [5]}]),
        json!([null, {"MENTIONS": [long]}]),
        json!([null, {"MENTIONS": many}]),
    ];
    for meta in shapes {
        let (since, heard) = (ann.mark(), bob.mark());
        let texts = [c.text(), c.text()];
        let messages: Vec<_> =
            texts.iter().map(|text| ServerHands::message(&ann.name, "ALL", text)).collect();
        let shown = conformance_kit::escape::bytes(meta.to_string().as_bytes(), 80);
        ann.send(&json!({"MESSAGES": messages, "META": meta})).await;
        ann.expect_error(since, &format!("META {shown} beside two messages")).await?;
        c.fence(&mut ann, &mut bob).await?;
        if bob.messages(heard).iter().any(|message| texts.contains(&message.content)) {
            let expected = format!("no message of a frame with META {shown} is delivered");
            return Ok(Verdict::fail(expected, bob.heard(heard)));
        }
    }
    Ok(Verdict::Pass)
}

async fn base(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let mut carl = c.join_with("carl", "ids/1").await?;
    let (first, second, tag) = (c.text(), c.text(), c.nonces.letters(10));
    ann.say(&first).await;
    let id = carl.id_of(&first).await?;
    let meta = json!({"REPLY": id, "MENTIONS": [bob.name]});
    say(&mut ann, "ALL", &second, &tag, meta).await;
    // The text is exactly what was sent.
    bob.expect_content(&second).await?;
    carl.expect_content(&second).await?;
    let mut dora = c.join("dora").await?;
    dora.expect_content(&second).await?;
    carl.send(&json!({"HISTORY": {"WITH": "ALL", "LIMIT": 5}})).await;
    carl.find(Mark::START, |frame| frame.key("HISTORY").cloned()).await;
    for peer in [&mut bob, &mut carl, &mut dora] {
        let has = |frame: &Frame| {
            let page = frame.key("HISTORY").and_then(Value::as_object);
            frame.key("META").is_some() || page.is_some_and(|page| page.contains_key("META"))
        };
        if peer.frames(Mark::START).iter().any(has) {
            let expected = format!("no META for {}, who did not agree on it", peer.role);
            return Ok(Verdict::fail(expected, peer.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

async fn mentions(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let carl = c.join("carl").await?;
    let nobody = c.name("nobody");
    let names = json!([bob.name, nobody, carl.name, bob.name]);
    let public = json!([bob.name, carl.name]);
    let private = json!([bob.name]);
    for (dest, expected) in [("ALL".to_owned(), public), (bob.name.clone(), private)] {
        let (text, tag, since) = (c.text(), c.nonces.letters(10), bob.mark());
        say(&mut ann, &dest, &text, &tag, json!({"MENTIONS": names})).await;
        let meta = told(&mut bob, since, &text, None).await?;
        if meta.get("MENTIONS") != Some(&expected) {
            let what = format!("MENTIONS {expected} of {names} in a message to {dest}");
            return Ok(Verdict::fail(what, meta.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

async fn mention_all(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (text, tag) = (c.text(), c.nonces.letters(10));
    let (since, heard) = (ann.mark(), bob.mark());
    say(&mut ann, "ALL", &text, &tag, json!({"MENTIONS": [bob.name, "ALL"]})).await;
    let refused = refusal(&mut ann, since, &tag).await?;
    if code(&refused) != "forbidden" {
        return Ok(Verdict::fail("REFUSED with CODE forbidden", refused.to_string()));
    }
    c.fence(&mut ann, &mut bob).await?;
    let delivered = bob.messages(heard).iter().any(|message| message.content == text);
    Ok(Verdict::check(!delivered, "a refused message is not delivered", bob.heard(heard)))
}
