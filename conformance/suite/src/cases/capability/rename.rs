//! `rename`: a user changes name without leaving. Names are changed by the command `nick`, so most of it is asked only where
//! `commands` is claimed, too.

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use super::{
    agreed::{AGREED_HINT, agreed},
    calling::{is_ok, nick},
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const RENAME: &str = "rename";
const OFFER: &str = "rename/1";
const BOTH: &str = "commands/1 rename/1";

pub const CASES: &[Case] = &[
    Case::must("rename.agreed", "CP-2", |c| Box::pin(agreed(c, RENAME)))
        .asks("rename/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(RENAME)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("rename.notice", "RN-1", |c| Box::pin(notice(c)))
        .asks("A client with rename gets USERS_RENAMED, and neither LEFT nor JOINED")
        .hint("{\"USERS_RENAMED\": {old: new}}, one change in each object.")
        .needs(&["rename.agreed", "commands.result"])
        .extension(RENAME)
        .also(&["commands"])
        .killed_by(&[Fault::RenamedAsLeft, Fault::RenamedBothWays]),
    Case::must("rename.self", "RN-1", |c| Box::pin(own(c)))
        .asks("The user itself gets USERS_RENAMED, and speaks under the new name from then on")
        .hint("Send the notice to the one who is renamed as well: the next SRC depends on it.")
        .needs(&["rename.agreed", "commands.result"])
        .extension(RENAME)
        .also(&["commands"])
        .killed_by(&[Fault::RenamedUntoldToSelf]),
    Case::must("rename.base", "RN-2", |c| Box::pin(base(c)))
        .asks("Everybody else gets USERS_LEFT with the old name, then USERS_JOINED with the new one")
        .hint("Two objects, in this order: in one object the two would have none.")
        .needs(&["rename.agreed", "commands.result"])
        .extension(RENAME)
        .also(&["commands"])
        .killed_by(&[Fault::RenameHidden, Fault::RenameJoinedFirst]),
    Case::should("rename.old-src", "RN-3", |c| Box::pin(old_src(c)))
        .asks("What was sent under the old name before the notice arrives is delivered under the new one")
        .hint("Take the old name as SRC for ten seconds, and put the new one in its place.")
        .needs(&["rename.self"])
        .extension(RENAME)
        .also(&["commands"])
        .killed_by(&[Fault::OldSrcRefused]),
    Case::must("rename.old-dest", "RN-4", |c| Box::pin(old_dest(c)))
        .asks("Private messages to the new name arrive, those to the old one are to nobody")
        .hint("Change the key of the table in which you look DEST up.")
        .needs(&["rename.self", "private.delivered"])
        .extension(RENAME)
        .also(&["commands"])
        .killed_by(&[Fault::RenameKeepsRoute]),
    Case::must("rename.taken", "TK-1", |c| Box::pin(taken(c)))
        .asks("Nobody is renamed to a name in use")
        .hint("A new name has to be free, whichever way it is asked for.")
        .needs(&["rename.self", "join.taken"])
        .extension(RENAME)
        .also(&["commands"])
        .killed_by(&[Fault::NickTakesAnyName]),
];

/// Ann changes name; the old and the new one.
async fn renamed(c: &mut ServerHands, ann: &mut Peer) -> Result<(String, String), Verdict> {
    let (old, new) = (ann.name.clone(), c.name("anna"));
    ann.remember(&new);
    let result = nick(c, ann, &new).await?;
    if !is_ok(&result) {
        return Err(Verdict::inconclusive(format!("nick to a free name: {result}")));
    }
    new.clone_into(&mut ann.name);
    Ok((old, new))
}

/// The change that a frame tells, if it does.
fn change(frame: &Frame) -> Option<Vec<(String, String)>> {
    let object = frame.key("USERS_RENAMED")?.as_object()?;
    object.iter().map(|(old, new)| Some((old.clone(), new.as_str()?.to_owned()))).collect()
}

async fn notice(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", BOTH).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let since = bob.mark();
    let (old, new) = renamed(c, &mut ann).await?;
    let told =
        bob.find(since, |frame| change(frame).filter(|all| all.iter().any(|(o, _)| *o == old)));
    let told = told.await;
    let expected = format!("{{\"USERS_RENAMED\": {{\"{old}\": \"{new}\"}}}}");
    if told.as_deref() != Some(&[(old.clone(), new.clone())]) {
        return Ok(Verdict::fail(expected, format!("{told:?}; {}", bob.heard(since))));
    }
    c.fence(&mut ann, &mut bob).await?;
    let other = |frame: &Frame| {
        let names = frame.left().into_iter().chain(frame.joined()).flatten();
        names.into_iter().any(|name| name == old || name == new)
    };
    let both = bob.frames(since).iter().any(other);
    Ok(Verdict::check(!both, "no LEFT and no JOINED beside it", bob.heard(since)))
}

async fn own(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", BOTH).await?;
    let mut bob = c.join("bob").await?;
    let since = ann.mark();
    let (old, new) = renamed(c, &mut ann).await?;
    let pair = (old, new.clone());
    if ann.find(since, |frame| change(frame).filter(|all| all.contains(&pair))).await.is_none() {
        let expected = "USERS_RENAMED for the user who has another name";
        return Ok(Verdict::fail(expected, ann.heard(since)));
    }
    let text = c.text();
    ann.say(&text).await;
    let message = bob.expect_content(&text).await?;
    Ok(Verdict::check(message.src == new, format!("SRC {new}"), message.src))
}

async fn base(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", BOTH).await?;
    // A base client, and one that speaks other capabilities alone.
    let mut bob = c.join("bob").await?;
    let mut carl = c.join_with("carl", "commands/1").await?;
    let marks = (bob.mark(), carl.mark());
    let (old, new) = renamed(c, &mut ann).await?;
    for (peer, since) in [(&mut bob, marks.0), (&mut carl, marks.1)] {
        let expected = format!("{} gets USERS_LEFT {old}, then USERS_JOINED {new}", peer.role);
        if !(peer.find_left(since, &old).await && peer.find_joined(since, &new).await) {
            return Ok(Verdict::fail(expected, peer.heard(since)));
        }
        let frames = peer.frames(since);
        let named =
            |names: Option<Vec<String>>, name: &String| names.is_some_and(|n| n.contains(name));
        let left = frames.iter().position(|frame| named(frame.left(), &old));
        let joined = frames.iter().position(|frame| named(frame.joined(), &new));
        if left >= joined {
            let actual = if left == joined { "both in one object" } else { "the other way round" };
            return Ok(Verdict::fail(expected, actual));
        }
        if frames.iter().any(|frame| frame.key("USERS_RENAMED").is_some()) {
            return Ok(Verdict::fail(expected, "USERS_RENAMED"));
        }
    }
    Ok(Verdict::Pass)
}

async fn old_src(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", BOTH).await?;
    let mut bob = c.join("bob").await?;
    let (old, new) = renamed(c, &mut ann).await?;
    let text = c.text();
    ann.send(&json!({"MESSAGES": [ServerHands::message(&old, "ALL", &text)]})).await;
    let got = bob.find_message(Mark::START, |m| m.content == text).await;
    let expected = format!("the message, with SRC {new}");
    Ok(match got {
        Some(message) => {
            Verdict::check(message.src == new, expected, format!("SRC {}", message.src))
        }
        None => Verdict::fail(
            expected,
            format!("{}; {}", bob.heard(Mark::START), ann.heard(Mark::START)),
        ),
    })
}

async fn old_dest(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", BOTH).await?;
    let mut bob = c.join("bob").await?;
    let (old, new) = renamed(c, &mut ann).await?;
    bob.find_joined(Mark::START, &new).await;
    let (to_old, to_new) = (c.text(), c.text());
    bob.tell(&old, &to_old).await;
    bob.tell(&new, &to_new).await;
    let got = ann.find_message(Mark::START, |m| m.content == to_new).await;
    if got.is_none() {
        return Ok(Verdict::fail(format!("a message to {new} arrives"), ann.heard(Mark::START)));
    }
    c.fence(&mut bob, &mut ann).await?;
    let expected = format!("a message to {old} does not");
    Ok(Verdict::check(ann.count(&to_old) == 0, expected, "ann got it"))
}

async fn taken(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", BOTH).await?;
    let mut bob = c.join("bob").await?;
    let result = nick(c, &mut ann, &bob.name.clone()).await?;
    if is_ok(&result) || result.get("CODE") != Some(&json!("taken")) {
        return Ok(Verdict::fail("CODE taken for a name in use", result.to_string()));
    }
    // And the new name of somebody is in use.
    let (_, new) = renamed(c, &mut ann).await?;
    let mut thief = c.connect("thief").await?;
    let answer = thief.ask_for(&new).await;
    c.dismiss(thief).await;
    c.fence(&mut ann, &mut bob).await?;
    let expected = "false for the name that somebody was renamed to";
    Ok(Verdict::check(answer == Some(false), expected, format!("{answer:?}")))
}
