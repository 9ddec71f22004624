//! `meta`: what goes with a message beside its text.

use conformance_kit::wire::frame::Frame;
use serde_json::{Map, Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    calling::code,
    membership::{enter, host, resumed, said, token_of},
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const META: &str = "meta";
const OFFER: &str = "ids/1 meta/1";
const IN_ROOMS: &str = "commands/1 ids/1 meta/1 rename/1 rooms/1";

/// A number that no message of a test has.
const NOWHERE: u64 = (1 << 53) - 2;

pub const CASES: &[Case] = &[
    Case::must("meta.agreed", "CP-2", |c| Box::pin(agreed(c, META)))
        .asks("meta/1 is agreed to, with ids/1")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(META)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("meta.needs", "CP-8", |c| Box::pin(needs(c)))
        .asks("Offered without ids, meta is not agreed to")
        .hint("Leave a capability out of the answer when one that it needs is not in the offer.")
        .needs(&["meta.agreed"])
        .extension(META)
        .killed_by(&[Fault::MetaWithoutNeeds]),
    Case::must("meta.reply", "MT-1", |c| Box::pin(reply(c)))
        .asks("REPLY comes beside the message: live, in the welcome, and in pages")
        .hint("Keep META with the message, and put a list as long as MESSAGES beside it wherever it goes, with null for the others.")
        .needs(&["meta.agreed", "ids.live", "ids.welcome", "paging.after"])
        .extension(META)
        .killed_by(&[Fault::MetaUntold, Fault::MetaLiveOnly]),
    Case::must("meta.private", "MT-1", |c| Box::pin(private(c)))
        .asks("REPLY comes beside a private message, too: live, and in the page of the two")
        .hint("A private conversation is the messages in both directions; META goes with them as with public ones.")
        .needs(&["meta.reply", "ids.private", "paging.both-ways"])
        .extension(META)
        .killed_by(&[Fault::MetaOfLobbyOnly]),
    Case::must("meta.resumed", "MT-1", |c| Box::pin(going_on(c)))
        .asks("What was missed comes with its META in the welcome of a resumed session")
        .hint("Write that welcome as any other: META beside MESSAGES and IDS.")
        .needs(&["meta.reply", "resume.missed"])
        .extension(META)
        .killed_by(&[Fault::MetaNotResumed]),
    Case::must("meta.room", "MT-1", |c| Box::pin(room(c)))
        .asks("META goes with messages to rooms: REPLY within the room, MENTIONS of its members, its name for moderators")
        .hint("A room is a conversation of its own: look there for the id, among its members for the names, and at the level in it.")
        .needs(&["meta.reply", "rooms.create-join"])
        .extension(META)
        .also(&["accounts", "rooms"])
        .killed_by(&[
            Fault::MetaOfLobbyOnly,
            Fault::ReplyUnchecked,
            Fault::MentionsUnchecked,
            Fault::MentionAllByAnybody,
        ]),
    Case::must("meta.reply-foreign", "MT-3", |c| Box::pin(reply_foreign(c)))
        .asks("A REPLY to a message of another conversation is refused like one to none, and the message is not delivered")
        .hint("Look for the id in the conversation that the message is for, as its sender can read it; REFUSED has no-such-message for all else.")
        .needs(&["meta.reply", "tags.refused"])
        .extension(META)
        .killed_by(&[
            Fault::ReplyUnchecked,
            Fault::ReplyElsewhereTold,
            Fault::MetaRefusedDelivered,
        ]),
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
        .killed_by(&[Fault::MetaToEverybody, Fault::MetaPastToEverybody]),
    Case::must("meta.mentions", "MT-4", |c| Box::pin(mentions(c)))
        .asks("MENTIONS keeps those who can read the message, each once")
        .hint("Leave out names that nobody has, and for private messages all but the two of them; no name twice.")
        .needs(&["meta.agreed", "ids.live"])
        .extension(META)
        .killed_by(&[Fault::MetaUntold, Fault::MentionsUnchecked, Fault::MentionsTwice]),
    Case::must("meta.mention-all", "MT-4", |c| Box::pin(mention_all(c)))
        .asks("A guest who mentions ALL is refused with forbidden, and the message is not delivered")
        .hint("ALL, and in a room its name, needs level 3 there.")
        .needs(&["meta.mentions", "tags.refused"])
        .extension(META)
        .killed_by(&[Fault::MentionAllByAnybody, Fault::MetaRefusedDelivered]),
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

/// The same for a message that comes to somebody since a mark, live or in the welcome.
async fn told(peer: &mut Peer, since: Mark, text: &str) -> Result<Value, Verdict> {
    let found = peer.find(since, |frame| beside(frame.object()?, text)).await;
    sound(peer, since, found, format!("the message {text:?}"))
}

/// The same in the page of the oldest messages with somebody behind an id. It is asked for from that end, since other cases go on
/// talking in the lobby, and the newest messages are theirs.
async fn paged(peer: &mut Peer, with: &str, after: u64, text: &str) -> Result<Value, Verdict> {
    let since = peer.mark();
    peer.send(&json!({"HISTORY": {"WITH": with, "AFTER": after, "LIMIT": 100}})).await;
    let page = |frame: &Frame| beside(frame.key("HISTORY")?.as_object()?, text);
    let found = peer.find(since, page).await;
    sound(peer, since, found, format!("a page of HISTORY with the message {text:?}"))
}

/// What was found beside a message that has to come.
fn sound(
    peer: &mut Peer,
    since: Mark,
    found: Option<Result<Value, String>>,
    expected: String,
) -> Result<Value, Verdict> {
    match found {
        Some(Ok(meta)) => Ok(meta),
        Some(Err(why)) => Err(Verdict::fail("META, a list as long as MESSAGES", why)),
        None => Err(Verdict::missing(expected, peer.heard(since))),
    }
}

/// Whether MENTIONS has just these names, each once; in which order is the server's choice.
fn means(meta: &Value, names: &[&str]) -> bool {
    let list = meta.get("MENTIONS").and_then(Value::as_array);
    list.is_some_and(|list| {
        list.len() == names.len() && names.iter().all(|name| list.contains(&json!(name)))
    })
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

/// Offers of meta that lack what it needs.
const SHORT: [&str; 3] = ["meta/1", "meta/1 ping/1 recent/1", "commands/1 meta/1 rename/1"];

async fn needs(c: &mut ServerHands) -> Outcome {
    for offer in SHORT {
        let mut ann = c.connect("ann").await?;
        let name = c.name("ann");
        let welcome = ann.offer(&name, offer, &[]).await;
        let Some(welcome) = welcome.filter(|frame| frame.accepted() == Some(true)) else {
            let expected = format!("USERNAME_ACCEPTED: true for a free name with {offer:?}");
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        };
        if welcome.agrees_to(META) {
            let expected = format!("meta is left out of the answer to {offer:?}, which lacks ids");
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

async fn reply(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (first, second, tag) = (c.text(), c.text(), c.nonces.letters(10));
    ann.say(&first).await;
    let id = bob.id_of(&first).await?;
    let since = ann.mark();
    say(&mut bob, "ALL", &second, &tag, json!({"REPLY": id})).await;
    let live = told(&mut ann, since, &second).await?;
    let expected = format!("META with {{\"REPLY\": {id}}} beside the message");
    if live.get("REPLY") != Some(&json!(id)) {
        return Ok(Verdict::fail(expected, format!("live: {live}")));
    }
    let mut carl = c.join_with("carl", OFFER).await?;
    let later = told(&mut carl, Mark::START, &second).await?;
    if later.get("REPLY") != Some(&json!(id)) {
        return Ok(Verdict::fail(expected, format!("in the welcome: {later}")));
    }
    if !told(&mut carl, Mark::START, &first).await?.is_null() {
        return Ok(Verdict::fail(
            "null for a message that nothing goes with",
            carl.heard(Mark::START),
        ));
    }
    let page = paged(&mut carl, "ALL", id, &second).await?;
    let right = page.get("REPLY") == Some(&json!(id));
    Ok(Verdict::check(right, expected, format!("in a page: {page}")))
}

async fn private(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (first, second, tag) = (c.text(), c.text(), c.nonces.letters(10));
    ann.tell(&bob.name, &first).await;
    let id = bob.id_of(&first).await?;
    let since = ann.mark();
    say(&mut bob, &ann.name, &second, &tag, json!({"REPLY": id})).await;
    let live = told(&mut ann, since, &second).await?;
    let expected = format!("META with {{\"REPLY\": {id}}} beside the private message");
    if live.get("REPLY") != Some(&json!(id)) {
        return Ok(Verdict::fail(expected, format!("live: {live}")));
    }
    let page = paged(&mut ann, &bob.name, id, &second).await?;
    let right = page.get("REPLY") == Some(&json!(id));
    Ok(Verdict::check(right, expected, format!("in a page: {page}")))
}

async fn going_on(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (name, token) = (bob.name.clone(), token_of(&mut bob)?);
    let (first, second, tag) = (c.text(), c.text(), c.nonces.letters(10));
    ann.say(&first).await;
    let id = bob.id_of(&first).await?;
    bob.close(Closing::Polite).await;
    ann.find_left(Mark::START, &name).await;
    let since = ann.mark();
    say(&mut ann, "ALL", &second, &tag, json!({"REPLY": id})).await;
    ann.acked(since, &tag).await?;
    let (mut bob, _) = resumed(c, "bob", (&name, &token), OFFER, id).await?;
    let missed = told(&mut bob, Mark::START, &second).await?;
    let expected = format!("META with {{\"REPLY\": {id}}} beside the message that bob missed");
    let right = missed.get("REPLY") == Some(&json!(id));
    Ok(Verdict::check(right, expected, format!("in the welcome: {missed}")))
}

async fn room(c: &mut ServerHands) -> Outcome {
    let (_ann, room) = host(c).await?;
    let mut bob = c.join_with("bob", IN_ROOMS).await?;
    let mut carl = c.join_with("carl", IN_ROOMS).await?;
    let dora = c.join("dora").await?;
    for peer in [&mut bob, &mut carl] {
        enter(c, peer, &room).await?;
    }
    let (first, id) = said(c, &mut bob, &room.name).await?;
    carl.expect_content(&first).await?;
    let (text, tag, since) = (c.text(), c.nonces.letters(10), bob.mark());
    let put = json!({"REPLY": id, "MENTIONS": [dora.name, bob.name]});
    say(&mut carl, &room.name, &text, &tag, put).await;
    let live = told(&mut bob, since, &text).await?;
    let page = paged(&mut bob, &room.name, id, &text).await?;
    for (place, meta) in [("live", live), ("in a page", page)] {
        if meta.get("REPLY") != Some(&json!(id)) || !means(&meta, &[&bob.name]) {
            let expected = format!(
                "META with {{\"REPLY\": {id}, \"MENTIONS\": [\"{}\"]}}, who is a member as {} is not",
                bob.name, dora.name
            );
            return Ok(Verdict::fail(expected, format!("{place}: {meta}")));
        }
    }
    // A message of the lobby is none of the room, though all of its members can read it.
    let (_, outside) = said(c, &mut bob, "ALL").await?;
    unanswerable(c, &mut carl, &room.name, outside, &mut bob).await?;
    let (text, tag, since) = (c.text(), c.nonces.letters(10), carl.mark());
    say(&mut carl, &room.name, &text, &tag, json!({"MENTIONS": [room.name]})).await;
    let refused = refusal(&mut carl, since, &tag).await?;
    let expected = "REFUSED with CODE forbidden for a guest who mentions the name of the room";
    Ok(Verdict::check(code(&refused) == "forbidden", expected, refused.to_string()))
}

/// Whether two refusals say the same. Each may name the id that was asked for: that tells its sender nothing.
fn alike(one: (&Value, u64), other: (&Value, u64)) -> bool {
    let without = |(refusal, id): (&Value, u64)| refusal.to_string().replace(&id.to_string(), "id");
    one.0 == other.0 || without(one) == without(other)
}

/// Answers a message that is not of the conversation with DEST, and one that does not exist: both are refused in the same words,
/// and neither is delivered to who would hear it. Other conversations, and other senders, may be refused in other words.
async fn unanswerable(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    elsewhere: u64,
    hearer: &mut Peer,
) -> Result<(), Verdict> {
    let heard = hearer.mark();
    let (mut texts, mut answers) = (Vec::new(), Vec::new());
    for id in [elsewhere, NOWHERE] {
        let (text, tag, since) = (c.text(), c.nonces.letters(10), from.mark());
        say(from, dest, &text, &tag, json!({"REPLY": id})).await;
        let refused = refusal(from, since, &tag).await?;
        if code(&refused) != "no-such-message" {
            let expected = format!("REFUSED with CODE no-such-message for a REPLY to {id}");
            return Err(Verdict::fail(expected, refused.to_string()));
        }
        texts.push(text);
        answers.push((refused, id));
    }
    if let [(one, elsewhere), (other, nowhere)] = answers.as_slice()
        && !alike((one, *elsewhere), (other, *nowhere))
    {
        let expected = format!(
            "the same answer in the conversation with {dest} for an id of another one as for an id of none"
        );
        return Err(Verdict::fail(expected, format!("{one} and {other}")));
    }
    c.fence(from, hearer).await?;
    if hearer.messages(heard).iter().any(|message| texts.contains(&message.content)) {
        let expected = "a message that is refused for its REPLY is not delivered";
        return Err(Verdict::fail(expected, hearer.heard(heard)));
    }
    Ok(())
}

async fn reply_foreign(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let (public, private) = (c.text(), c.text());
    ann.say(&public).await;
    let public = bob.id_of(&public).await?;
    ann.tell(&bob.name, &private).await;
    let private = bob.id_of(&private).await?;
    let to_bob = bob.name.clone();
    // Of another conversation that one can read.
    unanswerable(c, &mut ann, "ALL", private, &mut bob).await?;
    unanswerable(c, &mut ann, &to_bob, public, &mut bob).await?;
    // What ann said to bob alone is of the two of them: carl can't read it, whomever he writes to.
    unanswerable(c, &mut carl, "ALL", private, &mut bob).await?;
    unanswerable(c, &mut carl, &to_bob, private, &mut bob).await?;
    Ok(Verdict::Pass)
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
    paged(&mut carl, "ALL", id, &second).await?;
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
    let own = bob.name.clone();
    let (public, private) = (vec![own.as_str(), carl.name.as_str()], vec![own.as_str()]);
    for (dest, expected) in [("ALL", public), (own.as_str(), private)] {
        let (text, tag, since) = (c.text(), c.nonces.letters(10), bob.mark());
        say(&mut ann, dest, &text, &tag, json!({"MENTIONS": names})).await;
        let meta = told(&mut bob, since, &text).await?;
        if !means(&meta, &expected) {
            let what =
                format!("MENTIONS with {expected:?}, each once, of {names} in a message to {dest}");
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
