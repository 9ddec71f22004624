//! Who logs in while they are banned: refused, or closed before the RESULT.

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::json;
use tokio::time::sleep;

use super::scene::{OFFER, away, back, leaves, ranked};
use crate::{
    cases::capability::calling::{Came, call, came, is_ok},
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

/// How often it is tried.
const ROUNDS: u32 = 4;

pub(super) async fn never_there(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let mut took = None;
    for round in 0..ROUNDS {
        let owner = away(c, "ann", &mut moderator).await?;
        // How long a login takes here, so that the ban comes at different moments of one.
        if took.is_none() {
            let clock = Clock::start();
            let ann = back(c, "ann", &owner).await?;
            took = Some(clock.elapsed());
            leaves(ann, &mut moderator).await;
        }
        let pause = took.unwrap_or_default() * round / ROUNDS;
        let mut ann = c.connect("ann").await?;
        let since = moderator.mark();
        let password = [("PASSWORD", json!(owner.password))];
        let banning = async {
            sleep(pause).await;
            let id = call(c, &mut moderator, "ban", &[&owner.name, "2m"]).await;
            came(&mut moderator, since, &id).await
        };
        let (answer, banned) = tokio::join!(ann.offer(&owner.name, OFFER, &password), banning);
        if !matches!(&banned, Came::Result(result) if is_ok(result)) {
            return Ok(Verdict::fail("OK for a ban of who is logging in", banned.to_string()));
        }
        let joined = answer.is_some_and(|frame: Frame| frame.accepted() == Some(true));
        if joined && !ann.find_closed().await {
            let expected = "who logs in while they are banned is not there behind the RESULT";
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}
