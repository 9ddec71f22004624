//! `presence`: everybody who was ever here.

use serde_json::{Value, json};

use crate::{
    cases::capability::{
        calling::register,
        membership::{column, done},
    },
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Who asks, and who is asked about.
const OFFER: &str = "accounts/1 commands/1 presence/1";

const HOUR: i64 = 3_600;

/// The list has a page for each thousand users, and 10,000 guests and more accounts at most.
const MOST_PAGES: usize = 15;

/// Somebody who has just got an account.
async fn with_account(c: &mut ServerHands, role: &str) -> Result<Peer, Verdict> {
    let mut peer = c.join_with(role, OFFER).await?;
    let password = format!("pass {} word", c.nonces.letters(12));
    register(c, &mut peer, &password).await?;
    Ok(peer)
}

/// Who asks for everybody, which not all servers let guests do.
async fn asker(c: &mut ServerHands) -> Result<Peer, Verdict> {
    with_account(c, "ann").await
}

/// What the list of everybody says of one user: ONLINE and SINCE.
async fn row(
    c: &mut ServerHands,
    peer: &mut Peer,
    wanted: &str,
) -> Result<Option<(Value, Value)>, Verdict> {
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let args: Vec<&str> = ["--all"].into_iter().chain(after.as_deref()).collect();
        let page = done(c, peer, "users", &args).await?;
        let [names, online, since] = ["NAME", "ONLINE", "SINCE"].map(|name| column(&page, name));
        let rows = names.iter().zip(online).zip(since);
        if names.is_empty() {
            return Err(Verdict::fail(
                "DATA of users --all: a table of NAME, ONLINE and SINCE",
                page.to_string(),
            ));
        }
        for ((name, online), since) in rows {
            if name == wanted {
                return Ok(Some((online, since)));
            }
        }
        let more = page.get("DATA").and_then(|data| data.get("MORE")) == Some(&json!(true));
        let last = names.last().and_then(Value::as_str).map(str::to_owned);
        match last.filter(|last| more && after.as_ref() != Some(last)) {
            Some(last) => after = Some(last),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether a SINCE is that of somebody who is not here: of the hour, or not told at all.
fn is_of_the_hour(since: &Value) -> bool {
    since.is_null() || since.as_i64().is_some_and(|since| since > 0 && since % HOUR == 0)
}

/// Somebody leaves, which another one is told.
async fn leave(peer: Peer, watcher: &mut Peer) {
    let name = peer.name.clone();
    peer.close(Closing::Polite).await;
    watcher.find_left(Mark::START, &name).await;
}

pub(super) async fn ever_seen(c: &mut ServerHands) -> Outcome {
    let mut ann = asker(c).await?;
    let here = c.join("here").await?;
    let expected = format!("users --all lists {}, who is here: ONLINE true, SINCE", here.name);
    let found = row(c, &mut ann, &here.name).await?;
    let online = |(online, since): &(Value, Value)| *online == json!(true) && since.is_i64();
    if !found.as_ref().is_some_and(online) {
        return Ok(Verdict::fail(expected, format!("{found:?}")));
    }
    let owner = with_account(c, "owner").await?;
    for peer in [owner, here] {
        let (role, name) = (peer.role.clone(), peer.name.clone());
        leave(peer, &mut ann).await;
        let found = row(c, &mut ann, &name).await?;
        let fits = found
            .as_ref()
            .is_some_and(|(online, since)| *online == json!(false) && is_of_the_hour(since));
        if !fits {
            let expected = format!(
                "users --all lists {role} {name}, who has left: ONLINE false, SINCE of the hour or null"
            );
            return Ok(Verdict::fail(expected, format!("{found:?}")));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn hidden(c: &mut ServerHands) -> Outcome {
    let mut ann = asker(c).await?;
    let mut bob = with_account(c, "bob").await?;
    done(c, &mut bob, "hide-last-seen", &["on"]).await?;
    let name = bob.name.clone();
    leave(bob, &mut ann).await;
    let found = row(c, &mut ann, &name).await?;
    let expected = format!("{name}, who hides it, is listed with ONLINE false and SINCE null");
    let fits = found == Some((json!(false), Value::Null));
    Ok(Verdict::check(fits, expected, format!("{found:?}")))
}
