//! `rooms`: what is agreed, and what the welcome says.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use crate::{
    cases::capability::{
        agreed,
        membership::{OFFER, account, guest, make, room_name, whole},
        told::{complaint, object},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub(super) async fn agreed(c: &mut ServerHands) -> Outcome {
    let verdict = agreed::agreed(c, "rooms").await?;
    if verdict != Verdict::Pass {
        return Ok(verdict);
    }
    let mut bob = guest(c, "bob").await?;
    let Some(welcome) = bob.welcome() else { return Ok(Verdict::inconclusive("no welcome")) };
    let first = welcome.key("ROOMS").and_then(|rooms| rooms.get(0));
    if !first.is_some_and(is_lobby) || memberships(&welcome) != Some(0) {
        let expected = "ROOMS in the welcome of who is in no room: [{\"ROOM\": \"ALL\", \"TOPIC\": text, \"TALK\": n, \"SLOW\": n, \"FLOOR\": n}]";
        return Ok(Verdict::fail(expected, shown(&mut bob)));
    }
    if welcome.key("DEFAULT") != Some(&json!("ALL")) {
        let expected = "DEFAULT: \"ALL\" in the welcome of who has set no other room";
        return Ok(Verdict::fail(expected, shown(&mut bob)));
    }
    // Every key of a room is told to who makes one.
    let (mut ann, _) = account(c, "ann").await?;
    let (since, name) = (ann.mark(), room_name(c));
    make(c, &mut ann, &name, &[]).await?;
    let object = whole(&mut ann, since, &name).await?;
    Ok(match complaint(&object) {
        Some(key) => Verdict::fail(format!("every key of a room, {key} too"), object.to_string()),
        None => Verdict::Pass,
    })
}

fn is_lobby(object: &Value) -> bool {
    let number = |key: &str| object.get(key).is_some_and(Value::is_u64);
    object.get("ROOM") == Some(&json!("ALL"))
        && object.get("TOPIC").is_some_and(Value::is_string)
        && ["TALK", "SLOW", "FLOOR"].iter().all(|key| number(key))
}

/// The number of rooms beside the lobby in a welcome.
fn memberships(welcome: &Frame) -> Option<usize> {
    welcome.key("ROOMS")?.as_array()?.len().checked_sub(1)
}

fn shown(peer: &mut Peer) -> String {
    let keys = peer.welcome().and_then(|welcome| {
        let object = welcome.object()?;
        let of = |key: &str| object.get(key).map(|value| format!("{key} {value}"));
        Some([of("ROOMS"), of("DEFAULT")].into_iter().flatten().collect::<Vec<_>>().join(", "))
    });
    keys.filter(|keys| !keys.is_empty()).unwrap_or_else(|| peer.heard(Mark::START))
}

/// Offers of rooms that lack something.
const SHORT: [&str; 5] = [
    "rooms/1",
    "ids/1 rename/1 rooms/1",
    "commands/1 ids/1 rooms/1",
    "commands/1 rename/1 rooms/1",
    "accounts/1 ping/1 rooms/1",
];

pub(super) async fn needs(c: &mut ServerHands) -> Outcome {
    for offer in SHORT {
        let mut ann = c.connect("ann").await?;
        let name = c.name("ann");
        let welcome = ann.offer(&name, offer, &[]).await;
        let Some(welcome) = welcome.filter(|frame| frame.accepted() == Some(true)) else {
            let expected = format!("USERNAME_ACCEPTED: true for a free name with {offer:?}");
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        };
        if welcome.agrees_to("rooms") || welcome.key("ROOMS").is_some() {
            let expected = format!(
                "rooms is left out of the answer to {offer:?}, which lacks something of {OFFER:?}"
            );
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    // What is left out there is agreed on with all that it needs.
    let mut bob = guest(c, "bob").await?;
    let told = bob.welcome().is_some_and(|welcome| object(&welcome, "ALL").is_some());
    Ok(Verdict::check(told, "ROOMS where all of it is offered", bob.heard(Mark::START)))
}
