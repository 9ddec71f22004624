//! Bans of accounts: whoever they are here under, away or not, and until when.

use std::time::Duration;

use conformance_kit::{clock::Clock, wire::frame::Frame};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    mutes::renamed,
    scene::{OFFER, account, away, back, ended, kept_out, must, ranked, text_of},
};
use crate::{
    cases::capability::{calling::Owner, membership::column},
    server::{hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

const LONG: &str = "2m";
/// A ban that ends while the case looks.
const SHORT: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
/// How often it is tried whether a ban has ended: logins have their price.
const TURN: Duration = Duration::from_secs(1);

/// A refusal has the reason and the end.
fn is_whole(refused: &Frame, why: &str) -> Result<(), Verdict> {
    let until = refused.key("UNTIL").is_some_and(Value::is_u64);
    if until && text_of(refused, "INFO").contains(why) {
        return Ok(());
    }
    let expected = format!("the reason {why:?} in INFO, and UNTIL, a number, beside CODE banned");
    Err(Verdict::fail(expected, String::from_utf8_lossy(&refused.body)))
}

/// Logs in with the password, in vain.
async fn refused(c: &mut ServerHands, owner: &Owner) -> Result<Frame, Verdict> {
    let password = [("PASSWORD", json!(owner.password))];
    kept_out(c, ("ann", &owner.name), &password, "banned").await
}

pub(super) async fn of_account(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let (mut ann, owner) = account(c, "ann").await?;
    let (other, why) = (c.name("other"), c.text());
    renamed(c, &mut ann, &other).await?;
    let since = ann.mark();
    must(c, &mut moderator, "ban", &[&other, LONG, &why]).await?;
    ended(&mut ann, since, "banned", &why).await?;
    // Under its own name, which was not the one that the ban was asked for.
    let frame = refused(c, &owner).await?;
    is_whole(&frame, &why)?;
    Ok(Verdict::Pass)
}

pub(super) async fn offline(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let owner = away(c, "ann", &mut moderator).await?;
    must(c, &mut moderator, "ban", &[&owner.name, LONG]).await?;
    refused(c, &owner).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn unban(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let owner = away(c, "ann", &mut moderator).await?;
    must(c, &mut moderator, "ban", &[&owner.name, LONG]).await?;
    refused(c, &owner).await?;
    must(c, &mut moderator, "unban", &[&owner.name]).await?;
    back(c, "ann", &owner).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn listed(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let owner = away(c, "ann", &mut moderator).await?;
    let why = c.text();
    must(c, &mut moderator, "ban", &[&owner.name, LONG, &why]).await?;
    let list = must(c, &mut moderator, "banned-users", &[]).await?;
    let columns = ["NUMBER", "KIND", "VALUE", "SCOPE", "BY", "UNTIL", "REASON"];
    let by_column = columns.map(|name| column(&list, name));
    let (values, by) = (column(&list, "VALUE"), json!(moderator.name));
    let at = values.iter().position(|value| *value == json!(owner.name));
    let of =
        |name: &str| at.and_then(|at| column(&list, name).get(at).cloned()).unwrap_or_default();
    let whole = by_column.iter().all(|column| column.len() == values.len())
        && of("BY") == by
        && of("REASON") == json!(why)
        && of("UNTIL").is_u64();
    let number = of("NUMBER").as_u64().filter(|_| whole);
    let Some(number) = number else {
        let expected = format!(
            "DATA of banned-users is a table of {}, with VALUE {}, BY {by}, UNTIL, and REASON {why:?}",
            columns.join(", "),
            owner.name
        );
        return Ok(Verdict::fail(expected, list.to_string()));
    };
    must(c, &mut moderator, "unban", &[&number.to_string()]).await?;
    back(c, "ann", &owner).await?;
    Ok(Verdict::Pass)
}

/// Logs in once; whether it is let in.
async fn gets_in(c: &mut ServerHands, owner: &Owner) -> Result<Option<Peer>, Verdict> {
    let mut peer = c.connect("ann").await?;
    let answer = peer.offer(&owner.name, OFFER, &[("PASSWORD", json!(owner.password))]).await;
    Ok(answer.filter(|frame| frame.accepted() == Some(true)).map(|_| peer))
}

pub(super) async fn expires(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let owner = away(c, "ann", &mut moderator).await?;
    let clock = Clock::start();
    let seconds = format!("{}s", SHORT.as_secs());
    must(c, &mut moderator, "ban", &[&owner.name, &seconds]).await?;
    let imposed = clock.elapsed();
    let first = refused(c, &owner).await;
    if clock.elapsed() > SHORT.saturating_sub(SECOND) {
        return Ok(Verdict::inconclusive("it took longer than the ban"));
    }
    first?;
    let latest = imposed + SHORT + SECOND + c.patience();
    loop {
        sleep(TURN).await;
        let let_in = gets_in(c, &owner).await?.is_some();
        let now = clock.elapsed();
        if let_in && now < SHORT.saturating_sub(SECOND) {
            let expected = format!("a ban of {SHORT:.0?} lasts so long");
            return Ok(Verdict::fail(expected, format!("it is over after {now:.1?}")));
        }
        if let_in {
            return Ok(Verdict::Pass);
        }
        if now > latest {
            let expected = format!("a ban of {SHORT:.0?} ends");
            return Ok(Verdict::fail(expected, format!("it holds after {now:.1?}")));
        }
    }
}
