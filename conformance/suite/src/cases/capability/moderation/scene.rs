//! What the cases about moderation have in common: users with levels, what they do, and how it is told.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use crate::{
    cases::capability::{
        calling::{Owner, code, is_ok, register},
        membership::{rejoined, run},
        told::text,
    },
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::Verdict,
};

/// What a user speaks here.
pub(super) const OFFER: &str = "accounts/1 commands/1 ids/1 notices/1 rename/1 rooms/1";
/// With this many others at its address a guest is not alone there (MO-5).
const CROWD: usize = 8;

/// Words of refusals that say nothing about moderation.
const ELSEWHERE: [&str; 5] = ["throttled", "busy", "no-guests", "held", "not-stored"];

/// A guest.
pub(super) async fn guest(c: &mut ServerHands, role: &str) -> Result<Peer, Verdict> {
    c.join_with(role, OFFER).await
}

/// A user who has just got an account.
pub(super) async fn account(c: &mut ServerHands, role: &str) -> Result<(Peer, Owner), Verdict> {
    let mut peer = guest(c, role).await?;
    let password = format!("pass {} word", c.nonces.letters(12));
    register(c, &mut peer, &password).await?;
    let name = peer.name.clone();
    Ok((peer, Owner { name, password }))
}

/// The same with a level on the server, which the staff takes back when the case is over.
pub(super) async fn ranked(c: &mut ServerHands, role: &str, level: u8) -> Result<Peer, Verdict> {
    // Whoever can't get a level need not be made.
    c.staff().await?;
    let (peer, owner) = account(c, role).await?;
    c.staff().await?.promote(&owner.name, level).await?;
    Ok(peer)
}

/// Somebody with an account who is not here, as another user has been told.
pub(super) async fn away(
    c: &mut ServerHands,
    role: &str,
    witness: &mut Peer,
) -> Result<Owner, Verdict> {
    let (peer, owner) = account(c, role).await?;
    leaves(peer, witness).await;
    Ok(owner)
}

/// Somebody leaves, and another user is told.
pub(super) async fn leaves(peer: Peer, witness: &mut Peer) {
    let (since, name) = (witness.mark(), peer.name.clone());
    peer.close(Closing::Polite).await;
    witness.find_left(since, &name).await;
}

/// So many base users that no guest is alone at this address.
pub(super) async fn crowd(c: &mut ServerHands) -> Result<Vec<Peer>, Verdict> {
    let mut all = Vec::new();
    for _ in 0..CROWD {
        all.push(c.join("crowd").await?);
    }
    Ok(all)
}

/// Calls a command that has to be done for this user.
pub(super) async fn must(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    args: &[&str],
) -> Result<Value, Verdict> {
    let result = run(c, peer, name, args, &[]).await?;
    if is_ok(&result) {
        return Ok(result);
    }
    let expected = format!("OK for {name} {args:?}, called by {}", peer.role);
    Err(Verdict::fail(expected, result.to_string()))
}

/// Calls a command that has to be refused with one of these words.
pub(super) async fn must_not(
    c: &mut ServerHands,
    peer: &mut Peer,
    (name, args): (&str, &[&str]),
    words: &[&str],
) -> Result<(), Verdict> {
    let result = run(c, peer, name, args, &[]).await?;
    if !is_ok(&result) && words.contains(&code(&result)) {
        return Ok(());
    }
    let expected = format!("{} for {name} {args:?}, called by {}", words.join(" or "), peer.role);
    Err(Verdict::fail(expected, result.to_string()))
}

/// The connection of somebody ends, and the last frame says why; CLOSED.
pub(super) async fn ended(
    peer: &mut Peer,
    since: Mark,
    word: &str,
    why: &str,
) -> Result<Value, Verdict> {
    let expected = format!(
        "the connection of {} ends, with ERROR and CLOSED {{\"CODE\": \"{word}\", \"INFO\": ... {why} ...}} in its last frame",
        peer.role
    );
    if !peer.find_closed().await {
        return Err(Verdict::missing(expected, peer.heard(since)));
    }
    let last = peer.frames(since).last().cloned();
    let told = last.as_ref().and_then(|last| {
        let closed = last.key("CLOSED")?;
        let fits = text(closed, "CODE") == word && text(closed, "INFO").contains(why);
        (fits && last.error().is_some()).then(|| closed.clone())
    });
    told.ok_or_else(|| Verdict::fail(expected, peer.heard(since)))
}

/// Asks for a name, which has to be refused with this word; the frame.
pub(super) async fn kept_out(
    c: &mut ServerHands,
    (role, name): (&str, &str),
    more: &[(&str, Value)],
    word: &str,
) -> Result<Frame, Verdict> {
    let mut peer = c.connect(role).await?;
    let answer = peer.offer(name, OFFER, more).await;
    let expected = format!("{role} is refused the name {name} with CODE {word}");
    let heard = peer.heard(Mark::START);
    match answer {
        Some(frame) if frame.accepted() == Some(false) => match text_of(&frame, "CODE") {
            given if given == word => Ok(frame),
            given if ELSEWHERE.contains(&given) => Err(Verdict::inconclusive(heard)),
            _ => Err(Verdict::fail(expected, heard)),
        },
        Some(_) => Err(Verdict::fail(expected, heard)),
        // Whoever closes without a word keeps out, and does not say why.
        None => Err(Verdict::missing(expected, heard)),
    }
}

/// A text in a frame.
pub(super) fn text_of<'a>(frame: &'a Frame, key: &str) -> &'a str {
    frame.key(key).and_then(Value::as_str).unwrap_or_default()
}

/// Logs in to an account under its name, which has to succeed in a while.
pub(super) async fn back(c: &mut ServerHands, role: &str, owner: &Owner) -> Result<Peer, Verdict> {
    let password = [("PASSWORD", json!(owner.password))];
    match rejoined(c, role, &owner.name, OFFER, &password).await {
        Err(Verdict::Inconclusive { reason }) => {
            Err(Verdict::missing(format!("{role} can log in"), reason))
        }
        other => other,
    }
}

/// The notices of this word in a frame.
pub(super) fn notices(frame: &Frame, word: &str) -> Vec<Value> {
    let list = frame.key("NOTICES").and_then(Value::as_array).into_iter().flatten();
    list.filter(|one| text(one, "CODE") == word).cloned().collect()
}

/// What SERVER has said since a mark, to a destination.
pub(super) fn said_by_server(peer: &mut Peer, since: Mark, dest: &str) -> Vec<String> {
    let messages = peer.messages(since).into_iter();
    let its = messages.filter(|message| message.src == "SERVER" && message.dest == dest);
    its.map(|message| message.content).collect()
}

/// Whether a text stands anywhere in what somebody got since a mark.
pub(super) fn hears_of(peer: &mut Peer, since: Mark, wanted: &str) -> bool {
    let holds = |frame: &Frame| String::from_utf8_lossy(&frame.body).contains(wanted);
    peer.frames(since).iter().any(holds)
}
