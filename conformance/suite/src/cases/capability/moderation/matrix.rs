//! Every act for every pair of levels, against a table: who is below the level of a command, or not above the one that it
//! is about, is refused, and nothing changes.

use serde_json::Value;

use super::scene::{account, guest, must, ranked};
use crate::{
    cases::capability::{
        calling::{code, is_ok},
        membership::{run, said},
    },
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// The acts on a user, with the level that each takes.
const ON_USERS: [(&str, usize); 3] = [("kick", 2), ("mute", 3), ("ban", 3)];
/// The others, with arguments for which nothing happens to anybody where they are done in spite of all.
const OTHERS: [(&str, &[&str], usize); 5] = [
    ("banned-users", &[], 3),
    ("reports", &[], 3),
    ("audit", &[], 3),
    ("guests", &["on"], 4),
    ("server-broadcast", &["not mine to say"], 5),
];

/// One user of each level, beginning with 0.
async fn one_of_each(c: &mut ServerHands) -> Result<Vec<Peer>, Verdict> {
    let mut all = vec![guest(c, "guest").await?, account(c, "user").await?.0];
    for (level, role) in [(2, "helper"), (3, "mod"), (4, "operator")] {
        all.push(ranked(c, role, level).await?);
    }
    Ok(all)
}

/// The words with which an act is refused that is not allowed.
fn words(act: &str) -> &'static [&'static str] {
    if act == "ban" { &["forbidden", "would-lock-out"] } else { &["forbidden"] }
}

fn refused(
    result: &Value,
    (act, args): (&str, &[&str]),
    (own, other): (usize, Option<usize>),
) -> Result<(), Verdict> {
    if !is_ok(result) && words(act).contains(&code(result)) {
        return Ok(());
    }
    let about = other.map_or_else(String::new, |other| format!(" about one of level {other}"));
    let expected = format!("{} for {act} {args:?} by level {own}{about}", words(act).join(" or "));
    Err(Verdict::fail(expected, result.to_string()))
}

/// Whoever may act on somebody does, and undoes it.
async fn allowed(c: &mut ServerHands, actor: &mut Peer, target: &str) -> Result<(), Verdict> {
    must(c, actor, "mute", &[target, "1m"]).await?;
    must(c, actor, "unmute", &[target]).await?;
    Ok(())
}

pub(super) async fn pairs(c: &mut ServerHands) -> Outcome {
    let mut all = one_of_each(c).await?;
    // The staff is nobody's target: a server that is wrong would keep out who puts everything back.
    let names: Vec<String> = all.iter().map(|peer| peer.name.clone()).collect();
    for (own, actor) in all.iter_mut().enumerate() {
        for (other, name) in names.iter().enumerate() {
            for (act, level) in ON_USERS {
                let args: &[&str] = &[name, "1m"];
                let args = args.get(..if act == "kick" { 1 } else { 2 }).unwrap_or_default();
                if own < level || own <= other {
                    let result = run(c, actor, act, args, &[]).await?;
                    refused(&result, (act, args), (own, Some(other)))?;
                }
            }
            if own >= 3 && own > other {
                allowed(c, actor, name).await?;
            }
        }
        for (act, args, level) in OTHERS {
            if own < level && !(act == "audit" && own == 3) {
                let result = run(c, actor, act, args, &[]).await?;
                refused(&result, (act, args), (own, None))?;
            }
        }
    }
    unchanged(c, &mut all).await?;
    // A level is enough for the one below it.
    for (own, other) in [(2, 1), (3, 2), (4, 3)] {
        let (Some(actor), Some(name)) = (all.get_mut(own), names.get(other)) else { continue };
        must(c, actor, "kick", &[name]).await?;
        if let Some(target) = all.get_mut(other)
            && !target.find_closed().await
        {
            let expected = format!("level {own} can kick level {other}");
            return Ok(Verdict::missing(expected, target.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

/// Everybody is here, and heard by the first.
async fn unchanged(c: &mut ServerHands, all: &mut [Peer]) -> Result<(), Verdict> {
    let mut texts = Vec::new();
    for peer in all.iter_mut() {
        match said(c, peer, "ALL").await {
            Ok((text, _)) => texts.push(text),
            Err(_) => {
                let expected = format!("{} is here, and not muted: all was refused", peer.role);
                return Err(Verdict::fail(expected, peer.heard(Mark::START)));
            }
        }
    }
    if let Some(first) = all.first_mut() {
        for text in &texts {
            first.expect_content(text).await?;
        }
    }
    Ok(())
}
