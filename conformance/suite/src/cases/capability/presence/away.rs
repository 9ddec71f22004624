//! `presence`: going away, and coming back.

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::json;

use super::told::{WALKER, WATCHER, gone, of, presence, told};
use crate::{
    cases::capability::{
        calling::is_ok,
        membership::{done, run},
    },
    server::{hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

/// The longest text of who is away, in characters.
const LONGEST: usize = 200;

pub(super) async fn away(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", WATCHER).await?;
    let mut bob = c.join_with("bob", WALKER).await?;
    gone(c, &mut bob, &mut ann).await?;
    // As long as it may be, in characters.
    let (since, name) = (ann.mark(), bob.name.clone());
    let long = format!("\u{e9}{}", c.nonces.letters(LONGEST - 1));
    done(c, &mut bob, "away", &[&long]).await?;
    told(c, &mut ann, since, &name, Some(&long)).await?;
    // Longer: refused, or cut.
    let since = ann.mark();
    let longer = c.nonces.letters(LONGEST + 1);
    let result = run(c, &mut bob, "away", &[&longer], &[]).await?;
    if is_ok(&result) {
        let text = |frame: &Frame| Some(of(frame, &name)?.get("AWAY")?.as_str()?.to_owned());
        let patience = c.patience() * 2;
        let text = ann.find_within(patience, since, text).await;
        let expected = format!("{} characters are refused, or cut to {LONGEST}", LONGEST + 1);
        let fits = text.as_ref().is_some_and(|text| text.chars().count() <= LONGEST);
        return Ok(Verdict::check(fits, expected, format!("{result}, then {text:?}")));
    }
    Ok(Verdict::Pass)
}

pub(super) async fn back(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", WATCHER).await?;
    let mut bob = c.join_with("bob", WALKER).await?;
    let name = bob.name.clone();
    gone(c, &mut bob, &mut ann).await?;
    let (since, text) = (ann.mark(), c.text());
    bob.tell(&ann.name, &text).await;
    told(c, &mut ann, since, &name, None).await?;
    gone(c, &mut bob, &mut ann).await?;
    let since = ann.mark();
    done(c, &mut bob, "back", &[]).await?;
    told(c, &mut ann, since, &name, None).await?;
    Ok(Verdict::Pass)
}

/// So many users go away and come back so often.
const USERS: usize = 6;
const ROUNDS: usize = 3;

/// Goes away and comes back, and away again at last.
async fn restless(peer: &mut Peer, text: &str, tag: &str) {
    for round in 0..ROUNDS {
        let names: &[&str] = if round + 1 < ROUNDS { &["away", "back"] } else { &["away"] };
        for name in names {
            let id = format!("{tag} {name} {round}");
            let args: &[&str] = if *name == "away" { &[text] } else { &[] };
            peer.send(&json!({"COMMAND": {"ID": id, "NAME": name, "ARGS": args}})).await;
        }
    }
}

/// The text with which a user is away, as it was told last.
fn newest(frames: &[Frame], name: &str) -> Option<String> {
    let state = frames.iter().rev().find_map(|frame| of(frame, name))?;
    state.get("AWAY")?.as_str().map(str::to_owned)
}

pub(super) async fn batched(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", WATCHER).await?;
    let mut crowd = Vec::new();
    for _ in 0..USERS {
        crowd.push(c.join_with("walker", WALKER).await?);
    }
    let (since, text, clock) = (ann.mark(), c.text(), Clock::start());
    for (n, peer) in crowd.iter_mut().enumerate() {
        restless(peer, &text, &n.to_string()).await;
    }
    // Each is away in the end, which is told at last.
    let names: Vec<String> = crowd.iter().map(|peer| peer.name.clone()).collect();
    for name in names {
        told(c, &mut ann, since, &name, Some(&text)).await?;
        // What has been told behind that may be that the user was back once more.
        let behind = ann.mark();
        if newest(ann.frames(since), &name).as_deref() != Some(&text) {
            told(c, &mut ann, behind, &name, Some(&text)).await?;
        }
    }
    c.settle().await;
    let seconds = usize::try_from(clock.elapsed().as_secs()).unwrap_or(usize::MAX / 2);
    let told = ann.frames(since).iter().filter(|frame| presence(frame).is_some()).count();
    let most = seconds / 2 + 2;
    let expected = format!(
        "{} changes told together, at most every two seconds: at most {most} times within {seconds} s",
        USERS * (2 * ROUNDS - 1)
    );
    Ok(Verdict::check(told <= most, expected, format!("{told} times")))
}
