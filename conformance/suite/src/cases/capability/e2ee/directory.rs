//! The directory of keys (EE-1, EE-2).

use std::{collections::BTreeSet, time::Duration};

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    super::{calling::code as outcome, membership::run},
    people::{
        self, Device, OFFER, Person, WITH_COMMANDS, answer, ask, claim, is_refused, key_of,
        look_up, names, person, published, send,
    },
};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// So many devices an account has at most.
const MOST: usize = 5;

/// So many claims come at the same time: of each of some users so many.
const CLAIMANTS: usize = 4;
const EACH: usize = 5;

/// How long something may wait to be told with others.
const TOGETHER: Duration = Duration::from_secs(5);

/// A signature that nobody has made.
fn no_signature() -> String {
    "A".repeat(86)
}

/// The names of the devices of a user, as the directory has them.
fn devices(user: &Value) -> Vec<&str> {
    let all = user.get("DEVICES").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|device| device.get("DEVICE")?.as_str()).collect()
}

pub(super) async fn publish(c: &mut ServerHands) -> Outcome {
    let (ann, mut own) = person(c, "ann", OFFER).await?;
    let (_, mut other) = person(c, "bob", OFFER).await?;
    let before = look_up(c, &mut other, &ann.owner.name).await?;
    if before.get("IDENTITY") != Some(&Value::Null) || !devices(&before).is_empty() {
        let expected = "IDENTITY null and no DEVICES before anything is published";
        return Ok(Verdict::fail(expected, before.to_string()));
    }
    let device = Device::new(c)?;
    let put = ann.put(&device, &names(0, 3));
    let done = people::publish(c, &mut own, &ann, &device, &names(0, 3)).await?;
    if done.get("NUMBER") != Some(&json!(ann.number)) || done.get("COUNT") != Some(&json!(3)) {
        let expected = format!("KEYS with NUMBER {} and COUNT 3", ann.number);
        return Ok(Verdict::fail(expected, done.to_string()));
    }
    let found = look_up(c, &mut other, &ann.owner.name).await?;
    let same = found.get("IDENTITY") == put.get("IDENTITY")
        && found.get("NUMBER") == Some(&json!(ann.number))
        && found.get("DEVICES") == Some(&json!([put.get("DEVICE")]));
    let expected = "KEYS_GET gives identity, number and device as they were published";
    Ok(Verdict::check(same, expected, found.to_string()))
}

/// Whether nothing is published of somebody.
async fn nothing_of(
    c: &mut ServerHands,
    peer: &mut Peer,
    person: &Person,
) -> Result<Verdict, Verdict> {
    let found = look_up(c, peer, &person.owner.name).await?;
    let none = found.get("IDENTITY") == Some(&Value::Null) && devices(&found).is_empty();
    Ok(Verdict::check(none, "nothing of what was refused is published", found.to_string()))
}

pub(super) async fn only_own(c: &mut ServerHands) -> Outcome {
    let (ann, mut own) = person(c, "ann", OFFER).await?;
    let (bob, _) = person(c, "bob", OFFER).await?;
    let device = Device::new(c)?;
    for (number, name) in [
        (bob.number, &bob.owner.name),
        (bob.number, &ann.owner.name),
        (ann.number, &bob.owner.name),
    ] {
        let put = ann.put_for(number, name, &device, &names(0, 1));
        is_refused(&ask(c, &mut own, "KEYS_PUT", put).await?, "bad-signature")?;
    }
    nothing_of(c, &mut own, &ann).await
}

pub(super) async fn bad_signature(c: &mut ServerHands) -> Outcome {
    let (ann, mut own) = person(c, "ann", OFFER).await?;
    let device = Device::new(c)?;
    let good = ann.put(&device, &names(0, 2));
    let key = "/ONE_TIME/000000000001/SIGNATURE";
    for place in ["/DEVICE/SIGNATURE", key, "/FALLBACK/SIGNATURE"] {
        let mut put = good.clone();
        if let Some(signature) = put.pointer_mut(place) {
            *signature = json!(no_signature());
        }
        is_refused(&ask(c, &mut own, "KEYS_PUT", put).await?, "bad-signature")?;
    }
    nothing_of(c, &mut own, &ann).await
}

pub(super) async fn other_identity(c: &mut ServerHands) -> Outcome {
    let (ann, _, mut own) = published(c, "ann", 0).await?;
    let before = look_up(c, &mut own, &ann.owner.name).await?;
    let (stranger, _) = person(c, "bob", OFFER).await?;
    // The other key has signed everything as it has to be.
    let put = stranger.put_for(ann.number, &ann.owner.name, &Device::new(c)?, &[]);
    is_refused(&ask(c, &mut own, "KEYS_PUT", put).await?, "other-identity")?;
    let after = look_up(c, &mut own, &ann.owner.name).await?;
    Ok(Verdict::check(after == before, format!("as before: {before}"), after.to_string()))
}

pub(super) async fn device_limit(c: &mut ServerHands) -> Outcome {
    let (ann, mut own) = person(c, "ann", OFFER).await?;
    for _ in 0..MOST {
        let device = Device::new(c)?;
        people::publish(c, &mut own, &ann, &device, &[]).await?;
    }
    let put = ann.put(&Device::new(c)?, &[]);
    is_refused(&ask(c, &mut own, "KEYS_PUT", put).await?, "too-many")?;
    let found = look_up(c, &mut own, &ann.owner.name).await?;
    let expected = format!("{MOST} devices");
    Ok(Verdict::check(devices(&found).len() == MOST, expected, found.to_string()))
}

pub(super) async fn no_guest(c: &mut ServerHands) -> Outcome {
    let (ann, device, _own) = published(c, "ann", 1).await?;
    let mut guest = c.join_with("guest", OFFER).await?;
    let name = ann.owner.name.clone();
    for (key, request) in [
        ("KEYS_GET", json!({"NAMES": [name]})),
        ("KEYS_CLAIM", json!({"DEVICES": [[name, device.name]]})),
        ("KEYS_PUT", ann.put(&device, &[])),
    ] {
        is_refused(&ask(c, &mut guest, key, request).await?, "guest")?;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn claim_once(c: &mut ServerHands) -> Outcome {
    let (ann, device, _own) = published(c, "ann", CLAIMANTS * EACH).await?;
    let mut claimants = Vec::new();
    for n in 0..CLAIMANTS {
        claimants.push(person(c, &format!("bob{n}"), OFFER).await?.1);
    }
    let request = json!({"DEVICES": [[ann.owner.name, device.name]]});
    let mut asked = Vec::new();
    for _ in 0..EACH {
        for (n, peer) in claimants.iter_mut().enumerate() {
            asked.push((n, send(c, peer, "KEYS_CLAIM", request.clone()).await));
        }
    }
    let mut given = BTreeSet::new();
    for (n, id) in asked {
        let Some(peer) = claimants.get_mut(n) else { continue };
        let key = key_of(&answer(peer, Mark::START, "KEYS_CLAIM", &id).await?)?;
        let name = key.get("NAME").and_then(Value::as_str).unwrap_or_default().to_owned();
        if name.is_empty() || !given.insert(name) {
            let expected = "a key of its own for each claim, while there are enough";
            return Ok(Verdict::fail(expected, format!("{key}, after {given:?}")));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn claim_oldest(c: &mut ServerHands) -> Outcome {
    let (ann, device, mut own) = published(c, "ann", 1).await?;
    let later = names(1, 1);
    people::publish(c, &mut own, &ann, &device, &later).await?;
    let (_, mut bob) = person(c, "bob", OFFER).await?;
    for expected in names(0, 1).iter().chain(&later) {
        let key = claim(c, &mut bob, &ann.owner.name, &device).await?;
        if key.get("NAME") != Some(&json!(expected)) {
            return Ok(Verdict::fail(format!("the key {expected}"), key.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn never_again(c: &mut ServerHands) -> Outcome {
    let (ann, device, mut own) = published(c, "ann", 2).await?;
    let (_, mut bob) = person(c, "bob", OFFER).await?;
    claim(c, &mut bob, &ann.owner.name, &device).await?;
    // As a client does that has heard no answer.
    let again = people::publish(c, &mut own, &ann, &device, &names(0, 2)).await?;
    let expected = "COUNT 1: the key that was claimed is not published again";
    Ok(Verdict::check(again.get("COUNT") == Some(&json!(1)), expected, again.to_string()))
}

pub(super) async fn fallback(c: &mut ServerHands) -> Outcome {
    let (ann, device, _own) = published(c, "ann", 1).await?;
    let (_, mut bob) = person(c, "bob", OFFER).await?;
    let first = claim(c, &mut bob, &ann.owner.name, &device).await?;
    if first.get("FALLBACK").is_some_and(|fallback| fallback != &json!(false)) {
        return Ok(Verdict::fail("a one-time key, while there is one", first.to_string()));
    }
    for _ in 0..2 {
        let key = claim(c, &mut bob, &ann.owner.name, &device).await?;
        let is_it =
            key.get("NAME") == Some(&json!("F")) && key.get("FALLBACK") == Some(&json!(true));
        if !is_it {
            let expected = "the fallback key, with FALLBACK true";
            return Ok(Verdict::fail(expected, key.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn claim_limit(c: &mut ServerHands) -> Outcome {
    let (ann, device, _own) = published(c, "ann", 0).await?;
    let (_, mut bob) = person(c, "bob", OFFER).await?;
    let name = ann.owner.name.clone();
    let many = vec![json!([name, device.name]); 20];
    let all = ask(c, &mut bob, "KEYS_CLAIM", json!({"DEVICES": many})).await?;
    key_of(&all)?;
    let request = json!({"DEVICES": [[name, device.name]]});
    let refused = ask(c, &mut bob, "KEYS_CLAIM", request).await?;
    is_refused(&refused, "throttled")?;
    let has_wait = refused.get("WAIT").is_some_and(Value::is_u64);
    Ok(Verdict::check(has_wait, "WAIT in seconds", refused.to_string()))
}

pub(super) async fn low(c: &mut ServerHands) -> Outcome {
    let (ann, device, mut own) = published(c, "ann", 10).await?;
    let (_, mut bob) = person(c, "bob", OFFER).await?;
    let since = own.mark();
    claim(c, &mut bob, &ann.owner.name, &device).await?;
    let told = |frame: &Frame| {
        let low = frame.key("KEYS_LOW")?;
        let of_it = low.get("DEVICE").and_then(Value::as_str) == Some(&*device.name);
        (of_it && low.get("COUNT") == Some(&json!(9))).then_some(())
    };
    if own.find_within(c.patience() + TOGETHER, since, told).await.is_some() {
        return Ok(Verdict::Pass);
    }
    let expected = format!("KEYS_LOW {{\"DEVICE\": {:?}, \"COUNT\": 9}}", device.name);
    Ok(Verdict::missing(expected, own.heard(since)))
}

pub(super) async fn private(c: &mut ServerHands) -> Outcome {
    let (ann, device, mut own) = published(c, "ann", 20).await?;
    let (_, mut bob) = person(c, "bob", OFFER).await?;
    let mut eve = c.join_with("eve", OFFER).await?;
    let (of_ann, of_eve) = (own.mark(), eve.mark());
    claim(c, &mut bob, &ann.owner.name, &device).await?;
    c.fence(&mut bob, &mut own).await?;
    c.fence(&mut bob, &mut eve).await?;
    let tells = |frame: &Frame| frame.key("KEYS").is_some();
    for (peer, since) in [(&mut own, of_ann), (&mut eve, of_eve)] {
        if peer.frames(since).iter().any(tells) {
            let expected = format!("{} is told nothing of the claim", peer.role);
            return Ok(Verdict::fail(expected, peer.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn reset(c: &mut ServerHands) -> Outcome {
    let (ann, mut own) = person(c, "ann", WITH_COMMANDS).await?;
    let device = Device::new(c)?;
    people::publish(c, &mut own, &ann, &device, &[]).await?;
    let wrong = run(c, &mut own, "e2ee-reset", &["not the password"], &[]).await?;
    if outcome(&wrong) != "wrong-password" {
        let expected = "RESULT with CODE wrong-password";
        return Ok(Verdict::fail(expected, wrong.to_string()));
    }
    let found = look_up(c, &mut own, &ann.owner.name).await?;
    if devices(&found) != [device.name.as_str()] {
        return Ok(Verdict::fail("the device is still published", found.to_string()));
    }
    let done = run(c, &mut own, "e2ee-reset", &[&ann.owner.password], &[]).await?;
    if outcome(&done) != "ok" {
        return Ok(Verdict::fail("RESULT with CODE ok", done.to_string()));
    }
    nothing_of(c, &mut own, &ann).await
}
