//! `ext`: extensions, and peers that don't know them.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use crate::{
    fault::Fault,
    invariants::BASE_KEYS,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::should("ext.extra-on-join", "BN-2", |c| Box::pin(extra_on_join(c)))
        .asks("Unknown keys beside USERNAME don't matter")
        .hint("Look for the keys that you know and leave the others alone.")
        .needs(&["join.accept"])
        .killed_by(&[Fault::ExtraOnJoinRefused]),
    Case::should("ext.extra-first", "BN-2", |c| Box::pin(extra_first(c)))
        .asks("An unknown key in front of USERNAME, with a list and objects in it, doesn't matter")
        .hint("Look a key up by its name; don't take the first one, and expect no type of what you don't know.")
        .needs(&["ext.extra-on-join"])
        .killed_by(&[Fault::FirstKeyOnly]),
    Case::should("ext.extra-beside-messages", "BN-2", |c| Box::pin(extra_beside_messages(c)))
        .asks("An unknown key beside MESSAGES does not matter")
        .hint("Look for the keys that you know and leave the others alone.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::ExtraBesideMessagesRefused]),
    Case::must("ext.piggyback", "PB-1", |c| Box::pin(piggyback(c)))
        .asks("USERNAME and MESSAGES in one object are both taken")
        .hint("Look for every key in every object, USERNAME first; don't return after the first that you find.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::PiggybackIgnored])
        .literal()
        .marking(),
    Case::must("ext.silent-by-default", "BN-1", |c| Box::pin(silent_by_default(c)))
        .asks("A plain client gets only frames that mean something in the base protocol")
        .hint("Send keys of your own only to clients that asked for them when they connected.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::UnaskedExtension])
        .alone(),
    Case::should("ext.no-foreign-keys", "BN-1", |c| Box::pin(no_foreign_keys(c)))
        .asks("What a plain client gets has no keys beyond the base protocol")
        .hint("Send keys of your own only to clients that asked for them when they connected.")
        .needs(&["ext.silent-by-default"])
        .killed_by(&[Fault::ExtraKey])
        .alone(),
];

async fn extra_on_join(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    ann.name = c.name("ann");
    ann.send(&json!({"USERNAME": ann.name, "X_EXTENSIONS": ["x-color"], "X_LEVEL": 3})).await;
    let answer = ann.find(Mark::START, Frame::accepted).await;
    let expected = "USERNAME_ACCEPTED: true beside unknown keys";
    Ok(Verdict::came(answer == Some(true), expected, ann.heard(Mark::START)))
}

async fn extra_first(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    ann.name = c.name("ann");
    let body = format!(
        r#"{{"X_LATER": ["a", ["b", 1], {{"USERNAME": null}}], "USERNAME": "{}"}}"#,
        ann.name
    );
    ann.send_body(body.as_bytes()).await;
    let answer = ann.find(Mark::START, Frame::accepted).await;
    let expected = "USERNAME_ACCEPTED: true for a USERNAME behind an unknown key";
    Ok(Verdict::came(answer == Some(true), expected, ann.heard(Mark::START)))
}

async fn extra_beside_messages(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    let message = ServerHands::message(&ann.name, "ALL", &text);
    ann.send(&json!({"X_NOTE": [1, {"a": null}], "MESSAGES": [message]})).await;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn piggyback(c: &mut ServerHands) -> Outcome {
    let mut bob = c.join("bob").await?;
    let mut ann = c.connect("ann").await?;
    ann.name = c.name("ann");
    let text = c.text();
    let message = ServerHands::message(&ann.name, "ALL", &text);
    ann.send(&json!({"USERNAME": ann.name, "MESSAGES": [message]})).await;
    let joined = ann.find(Mark::START, Frame::accepted).await == Some(true);
    let mut carl = c.join("carl").await?;
    c.fence(&mut carl, &mut bob).await?;
    let delivered = bob.count(&text) > 0;
    let expected = "ann joins, and her message is delivered";
    let actual = format!("joined: {joined}, delivered: {delivered}; {}", ann.heard(Mark::START));
    Ok(Verdict::came(joined && delivered, expected, actual))
}

/// The frames that a user gets in an ordinary session: others join, speak and leave.
async fn ordinary(c: &mut ServerHands) -> Result<Peer, Verdict> {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    c.fence(&mut ann, &mut bob).await?;
    c.fence(&mut bob, &mut ann).await?;
    let name = bob.name.clone();
    bob.close(Closing::Polite).await;
    ann.find_left(Mark::START, &name).await;
    c.settle().await;
    Ok(ann)
}

fn is_known(key: &str) -> bool {
    BASE_KEYS.contains(&key)
}

async fn silent_by_default(c: &mut ServerHands) -> Outcome {
    let mut ann = ordinary(c).await?;
    let foreign = |frame: &&Frame| {
        frame.object().is_some_and(|object| !object.keys().any(|key| is_known(key)))
    };
    let found = ann.frames(Mark::START).iter().find(foreign).cloned();
    Ok(match found {
        Some(frame) => Verdict::fail(
            "every frame of an ordinary session has a key of the base protocol",
            conformance_kit::escape::bytes(&frame.body, 200),
        ),
        None => Verdict::Pass,
    })
}

async fn no_foreign_keys(c: &mut ServerHands) -> Outcome {
    let mut ann = ordinary(c).await?;
    let foreign = ann.find_now(|frame| {
        let key = frame.object()?.keys().find(|key| !is_known(key))?;
        Some(format!("{key} in {}", conformance_kit::escape::bytes(&frame.body, 200)))
    });
    let expected = "only keys of the base protocol, since nothing else was asked for";
    Ok(Verdict::check(foreign.is_none(), expected, foreign.unwrap_or_default()))
}
