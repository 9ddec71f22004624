//! Bans of guests: the name with all that looks like it, the session, and who is at the same address.

use serde_json::json;

use super::scene::{OFFER, crowd, guest, kept_out, must, ranked};
use crate::{
    cases::capability::{
        calling::{code, is_ok, nick},
        membership::token_of,
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const LONG: &str = "2m";

/// A guest is banned among many at the address.
async fn banned(
    c: &mut ServerHands,
    moderator: &mut Peer,
    ann: &mut Peer,
) -> Result<Vec<Peer>, Verdict> {
    let crowd = crowd(c).await?;
    must(c, moderator, "ban", &[&ann.name, LONG]).await?;
    if ann.find_closed().await {
        return Ok(crowd);
    }
    let expected = "the connection of a guest who is banned ends";
    Err(Verdict::missing(expected, ann.heard(Mark::START)))
}

pub(super) async fn lookalikes(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let base = c.name("ann");
    let name = format!("{base}ill");
    let mut ann = c.join_with_as("ann", &name, OFFER).await?;
    let _crowd = banned(c, &mut moderator, &mut ann).await?;
    let others = [name.clone(), name.to_uppercase(), format!("{base}iII"), format!("{base}i1l")];
    for other in others {
        kept_out(c, ("ann", &other), &[], "banned").await?;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn no_way_around(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let mut ann = guest(c, "ann").await?;
    let (token, name) = (token_of(&mut ann)?, ann.name.clone());
    let mut dora = guest(c, "dora").await?;
    let _crowd = banned(c, &mut moderator, &mut ann).await?;
    let resume = [("RESUME", json!({"TOKEN": token, "AFTER": 0}))];
    kept_out(c, ("ann", &name), &resume, "banned").await?;
    let result = nick(c, &mut dora, &name).await?;
    let refused = !is_ok(&result) && code(&result) == "banned";
    Ok(Verdict::check(refused, "banned for nick to a banned name", result.to_string()))
}

pub(super) async fn shared_address(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let mut ann = guest(c, "ann").await?;
    let crowd = banned(c, &mut moderator, &mut ann).await?;
    let expected = "other guests at the address of a banned one are left alone, where many are";
    for mut one in crowd {
        if c.fence(&mut moderator, &mut one).await.is_err() || one.is_closed() {
            return Ok(Verdict::fail(expected, one.heard(Mark::START)));
        }
    }
    let (mut peer, name) = (c.connect("dora").await?, c.name("dora"));
    let answer = peer.offer(&name, OFFER, &[]).await;
    let let_in = answer.is_some_and(|frame| frame.accepted() == Some(true));
    Ok(Verdict::check(let_in, expected, peer.heard(Mark::START)))
}
