//! `presence`: what who joins is told, and who is told nothing.

use std::collections::BTreeSet;

use conformance_kit::wire::frame::Frame;

use super::told::{WALKER, WATCHER, gone, is_sound, of, presence};
use crate::{
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

pub(super) async fn welcome(c: &mut ServerHands) -> Outcome {
    let _others = [c.join("bob").await?, c.join_with("carl", WATCHER).await?];
    let mut ann = c.join_with("ann", WATCHER).await?;
    let Some(welcome) = ann.welcome() else {
        return Err(Verdict::inconclusive("no welcome"));
    };
    let listed: BTreeSet<String> = welcome.user_list().unwrap_or_default().into_iter().collect();
    let expected =
        "PRESENCE {name: {\"SINCE\": seconds, \"AWAY\": null or text}} for everybody in USER_LIST";
    let Some(users) = presence(&welcome) else {
        return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
    };
    let mut told: BTreeSet<String> = users.keys().cloned().collect();
    if !listed.contains(&ann.name) {
        // Whether USER_LIST holds the joining user is left open, so either is right here, too.
        told.remove(&ann.name);
    }
    let odd = users.iter().find(|(_, state)| !is_sound(state));
    if let Some((name, state)) = odd {
        return Ok(Verdict::fail(expected, format!("{name}: {state}")));
    }
    let differ: Vec<_> = listed.symmetric_difference(&told).collect();
    let actual = format!("not in both: {differ:?}");
    Ok(Verdict::check(differ.is_empty(), expected, actual))
}

pub(super) async fn base(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", WATCHER).await?;
    let mut bob = c.join_with("bob", WALKER).await?;
    let mut others = [c.join("carl").await?, c.join_with("dora", "commands/1").await?];
    gone(c, &mut bob, &mut ann).await?;
    let mut late = c.join("eve").await?;
    for other in others.iter_mut().chain([&mut late]) {
        c.fence(&mut ann, other).await?;
        let told = |frame: &Frame| frame.key("PRESENCE").is_some();
        if other.frames(Mark::START).iter().any(told) {
            let expected = format!("no PRESENCE for {}, who did not agree on it", other.role);
            return Ok(Verdict::fail(expected, other.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn away_before(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", WATCHER).await?;
    let mut bob = c.join_with("bob", WALKER).await?;
    let text = gone(c, &mut bob, &mut ann).await?;
    let mut carl = c.join_with("carl", WATCHER).await?;
    let state = carl.welcome().and_then(|welcome| of(&welcome, &bob.name).cloned());
    let fits = state.as_ref().and_then(|state| state.get("AWAY")?.as_str()) == Some(&text);
    let expected = format!("the welcome of carl says that bob is away: \"{text}\"");
    Ok(Verdict::check(fits, expected, format!("{state:?}")))
}
