//! Encrypted messages as a server passes them on (EE-3, EE-4).

use conformance_kit::wire::frame::Frame;
use serde_json::{Map, Value, json};

use super::people::{Device, OFFER, Person, back_as, publish, published};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// CONTENT of every encrypted message.
const SENTENCE: &str = "[encrypted message: your client can't read it]";

/// What goes with an encrypted message: for each of these devices another text.
fn sealed(c: &mut ServerHands, from: &Device, to: &[&Device]) -> Value {
    let entry = |device: &&Device| (device.name.clone(), json!([0, c.nonces.letters(16)]));
    let to: Map<String, Value> = to.iter().map(entry).collect();
    json!({"E2EE": {"FROM": from.name, "TO": to}})
}

/// The same as one device is told it.
fn only(sealed: &Value, device: &Device) -> Value {
    let entry = sealed.pointer("/E2EE/TO").and_then(|to| to.get(&device.name));
    let from = sealed.pointer("/E2EE/FROM");
    json!({"E2EE": {"FROM": from, "TO": {&*device.name: entry}}})
}

/// Says something with what goes with it; the id, or the CODE of the refusal.
async fn say(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    text: &str,
    meta: &Value,
) -> Result<Result<u64, String>, Verdict> {
    let (since, tag) = (from.mark(), c.nonces.letters(10));
    let message = ServerHands::message(&from.name, dest, text);
    from.send(&json!({"MESSAGES": [message], "TAGS": [tag], "META": [meta]})).await;
    let answer = |frame: &Frame| {
        let refused = || frame.refusal(&tag)?.get("CODE")?.as_str().map(str::to_owned);
        frame.ack(&tag).map(Ok).or_else(|| refused().map(Err))
    };
    match from.find(since, answer).await {
        Some(Err(code)) if matches!(&*code, "flood" | "throttled" | "not-stored") => {
            Err(Verdict::inconclusive(from.heard(since)))
        }
        Some(answer) => Ok(answer),
        None => {
            let expected = format!("{} gets ACKS or REFUSED", from.role);
            Err(Verdict::missing(expected, from.heard(since)))
        }
    }
}

/// Says something encrypted that has to be taken; the id.
async fn said(
    c: &mut ServerHands,
    from: &mut Peer,
    dest: &str,
    meta: &Value,
) -> Result<u64, Verdict> {
    say(c, from, dest, SENTENCE, meta).await?.map_err(|code| {
        let expected = format!("an encrypted message for each device of both is taken: {meta}");
        Verdict::fail(expected, format!("refused: {code}"))
    })
}

/// Says something that has to be refused with this word.
async fn refused(
    c: &mut ServerHands,
    from: &mut Peer,
    (dest, text): (&str, &str),
    meta: &Value,
    word: &str,
) -> Result<(), Verdict> {
    match say(c, from, dest, text, meta).await? {
        Err(code) if code == word => Ok(()),
        other => {
            let expected = format!("REFUSED with CODE {word} for {meta} to {dest}");
            Err(Verdict::fail(expected, format!("{other:?}")))
        }
    }
}

/// What goes with the messages of an object that have the sentence.
fn beside(object: &Map<String, Value>) -> Vec<Value> {
    let list = |key: &str| object.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut metas = list("META");
    let messages = list("MESSAGES");
    metas.resize(messages.len(), Value::Null);
    let all = messages.iter().zip(metas);
    let encrypted = all.filter(|(message, _)| message.get(3) == Some(&json!(SENTENCE)));
    encrypted.map(|(_, meta)| meta).collect()
}

/// What goes with the next encrypted message.
async fn told(peer: &mut Peer, since: Mark) -> Result<Value, Verdict> {
    let found = peer.find(since, |frame| beside(frame.object()?).pop()).await;
    found.ok_or_else(|| {
        let expected = format!("{} gets the message with the sentence", peer.role);
        Verdict::missing(expected, peer.heard(since))
    })
}

/// The same of the welcome.
fn in_welcome(peer: &mut Peer) -> Vec<Value> {
    let welcome = peer.welcome();
    welcome.and_then(|welcome| welcome.object().map(beside)).unwrap_or_default()
}

/// Ann and bob, each with one device, and their connections.
struct Pair {
    anns: Device,
    bob: Person,
    bobs: Device,
    from: Peer,
    to: Peer,
}

async fn pair(c: &mut ServerHands) -> Result<Pair, Verdict> {
    let (_, anns, from) = published(c, "ann", 0).await?;
    let (bob, bobs, to) = published(c, "bob", 0).await?;
    Ok(Pair { anns, bob, bobs, from, to })
}

/// The connection of bob ends; he is away when this returns.
async fn leaves(from: &mut Peer, to: Peer, name: &str) {
    let since = from.mark();
    to.close(Closing::Polite).await;
    from.find_left(since, name).await;
}

pub(super) async fn own_entry(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bob, bobs, mut from, mut to } = pair(c).await?;
    let other = Device::new(c)?;
    // From here on the connection is the other device.
    publish(c, &mut to, &bob, &other, &[]).await?;
    let meta = sealed(c, &anns, &[&bobs, &other]);
    let since = to.mark();
    said(c, &mut from, &bob.owner.name, &meta).await?;
    let live = told(&mut to, since).await?;
    if live != only(&meta, &other) {
        let expected = format!("META {}", only(&meta, &other));
        return Ok(Verdict::fail(expected, live.to_string()));
    }
    leaves(&mut from, to, &bob.owner.name).await;
    let as_first = [("DEVICE", json!(bobs.name))];
    let mut to = back_as(c, "bob", &bob, OFFER, &as_first).await?;
    let found = in_welcome(&mut to);
    let expected = only(&meta, &bobs);
    let is_own = found == [expected.clone()];
    Ok(Verdict::check(is_own, format!("META {expected} in the welcome"), json!(found).to_string()))
}

pub(super) async fn fixed_text(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bob, bobs, mut from, mut to } = pair(c).await?;
    let meta = sealed(c, &anns, &[&bobs]);
    let text = c.text();
    let since = to.mark();
    let message = (&*bob.owner.name, &*text);
    refused(c, &mut from, message, &meta, "bad-e2ee").await?;
    c.fence(&mut from, &mut to).await?;
    let came = to.frames(since).iter().flat_map(Frame::messages).any(|one| one.content == text);
    Ok(Verdict::check(!came, "what was refused is not delivered", to.heard(since)))
}

pub(super) async fn devices_changed(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bob, bobs, mut from, mut to } = pair(c).await?;
    let name = bob.owner.name.clone();
    let (nobodys, since) = (Device::new(c)?, to.mark());
    let wrong: [&[&Device]; 4] = [&[], &[&nobodys], &[&bobs, &nobodys], &[&bobs, &anns]];
    for devices in wrong {
        let meta = sealed(c, &anns, devices);
        refused(c, &mut from, (&name, SENTENCE), &meta, "devices-changed").await?;
    }
    // One more device of bob, of which ann has not heard.
    let other = Device::new(c)?;
    publish(c, &mut to, &bob, &other, &[]).await?;
    let meta = sealed(c, &anns, &[&bobs]);
    refused(c, &mut from, (&name, SENTENCE), &meta, "devices-changed").await?;
    c.fence(&mut from, &mut to).await?;
    let came = to.frames(since).iter().any(|f| f.object().is_some_and(|f| !beside(f).is_empty()));
    if came {
        let expected = "what was refused is not delivered";
        return Ok(Verdict::fail(expected, to.heard(since)));
    }
    let meta = sealed(c, &anns, &[&bobs, &other]);
    said(c, &mut from, &name, &meta).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn to_all(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bobs, mut from, .. } = pair(c).await?;
    let meta = sealed(c, &anns, &[&bobs]);
    refused(c, &mut from, ("ALL", SENTENCE), &meta, "bad-e2ee").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn to_guest(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bobs, mut from, .. } = pair(c).await?;
    let guest = c.join_with("guest", OFFER).await?;
    let meta = sealed(c, &anns, &[&bobs]);
    refused(c, &mut from, (&guest.name, SENTENCE), &meta, "bad-e2ee").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn dropped_after_done(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bob, bobs, mut from, to } = pair(c).await?;
    let name = bob.owner.name.clone();
    leaves(&mut from, to, &name).await;
    let meta = sealed(c, &anns, &[&bobs]);
    let id = said(c, &mut from, &name, &meta).await?;
    let as_device = [("DEVICE", json!(bobs.name))];
    // Twice: it is there until the device says that it has read it.
    for _ in 0..2 {
        let mut to = back_as(c, "bob", &bob, OFFER, &as_device).await?;
        let found = in_welcome(&mut to);
        if found != [only(&meta, &bobs)] {
            let expected = format!("META {} in the welcome", only(&meta, &bobs));
            return Ok(Verdict::fail(expected, json!(found).to_string()));
        }
        leaves(&mut from, to, &name).await;
    }
    let mut to = back_as(c, "bob", &bob, OFFER, &as_device).await?;
    to.send(&json!({"KEYS_DONE": {"UPTO": id}})).await;
    c.fence(&mut to, &mut from).await?;
    leaves(&mut from, to, &name).await;
    let mut to = back_as(c, "bob", &bob, OFFER, &as_device).await?;
    let found = in_welcome(&mut to);
    let expected = "the message, and no E2EE, since the device has read it";
    Ok(Verdict::check(found == [Value::Null], expected, json!(found).to_string()))
}

pub(super) async fn base_sentence(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bob, bobs, mut from, to } = pair(c).await?;
    let name = bob.owner.name.clone();
    leaves(&mut from, to, &name).await;
    let mut to = back_as(c, "bob", &bob, "accounts/1", &[]).await?;
    let since = to.mark();
    let meta = sealed(c, &anns, &[&bobs]);
    said(c, &mut from, &name, &meta).await?;
    let live = told(&mut to, since).await?;
    let has_meta = |frame: &Frame| frame.key("META").is_some();
    if live != Value::Null || to.frames(since).iter().any(has_meta) {
        return Ok(Verdict::fail("the sentence without META", to.heard(since)));
    }
    leaves(&mut from, to, &name).await;
    let mut to = back_as(c, "bob", &bob, "accounts/1", &[]).await?;
    let found = in_welcome(&mut to);
    let expected = "the sentence in the welcome, without META";
    Ok(Verdict::check(found == [Value::Null], expected, to.heard(Mark::START)))
}

pub(super) async fn recent(c: &mut ServerHands) -> Outcome {
    let Pair { anns, bob, bobs, mut from, to } = pair(c).await?;
    let name = bob.owner.name.clone();
    leaves(&mut from, to, &name).await;
    let first = sealed(c, &anns, &[&bobs]);
    said(c, &mut from, &name, &first).await?;
    let second = sealed(c, &anns, &[&bobs]);
    said(c, &mut from, &name, &second).await?;
    for _ in 0..3 {
        let (since, text, tag) = (from.mark(), c.text(), c.nonces.letters(12));
        from.tagged("ALL", &text, &tag).await;
        from.acked(since, &tag).await?;
    }
    let offer = format!("{OFFER} recent/1");
    let more = [("DEVICE", json!(bobs.name)), ("RECENT", json!(1))];
    let mut to = back_as(c, "bob", &bob, &offer, &more).await?;
    let found = in_welcome(&mut to);
    let expected = [only(&first, &bobs), only(&second, &bobs)];
    let all = found == expected;
    Ok(Verdict::check(all, format!("META {}", json!(expected)), json!(found).to_string()))
}
