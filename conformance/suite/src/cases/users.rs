//! `users`: the list of those who are here, and the notices that keep it true.

use conformance_kit::wire::frame::Frame;

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::must("users.others-listed", "UL-2", |c| Box::pin(others_listed(c)))
        .asks("USER_LIST holds those who joined earlier")
        .hint("Build the list from everybody who is joined at this moment.")
        .needs(&["join.second-user", "join.has-user-list"])
        .killed_by(&[Fault::UserListEmpty]),
    Case::open("users.self-listed", "UL-5", |c| Box::pin(self_listed(c)))
        .asks("Does USER_LIST hold the user who joins?")
        .needs(&["join.has-user-list"])
        .killed_by(&[Fault::ListWithoutSelf]),
    Case::must("users.left-removed", "UL-3", |c| Box::pin(left_removed(c)))
        .asks("USER_LIST does not hold those who have left")
        .hint("Remove the user from the list when the connection ends, in finally.")
        .needs(&["join.second-user", "join.has-user-list"])
        .killed_by(&[Fault::LeaversStayListed]),
    Case::should("users.no-dup", "UL-4", |c| Box::pin(no_dup(c)))
        .asks("USER_LIST holds nobody twice")
        .hint("Add the newcomer once: before or after taking the list, not both.")
        .needs(&["users.others-listed"])
        .killed_by(&[Fault::ListDoubles]),
    Case::must("users.joined-notice", "UJ-1", |c| Box::pin(joined_notice(c)))
        .asks("The others are told with USERS_JOINED when somebody joins")
        .hint("Send {\"USERS_JOINED\": [name]} to everybody else; a text in INFO does not replace it.")
        .needs(&["join.second-user"])
        .killed_by(&[Fault::NoJoinedNotice, Fault::JoinsToldByInfo]),
    Case::should("users.joined-once", "UJ-2", |c| Box::pin(joined_once(c)))
        .asks("A join is announced once")
        .hint("Send the notice in one place only.")
        .needs(&["users.joined-notice", "bcast.all-others"])
        .killed_by(&[Fault::JoinedTwice]),
    Case::open("users.joined-self", "UJ-3", |c| Box::pin(joined_self(c)))
        .asks("Does the user who joins get the notice too?")
        .needs(&["users.joined-notice", "bcast.all-others"])
        .killed_by(&[Fault::JoinedToSelf]),
    Case::must("users.no-notice-on-reject", "UJ-4", |c| Box::pin(no_notice_on_reject(c)))
        .asks("A refused attempt is not announced")
        .hint("Announce a user after the name was accepted, not when it was asked for.")
        .needs(&["join.taken", "users.joined-notice", "bcast.all-others"])
        .killed_by(&[Fault::RefusedAnnounced]),
];

/// The list that came with the welcome.
async fn list_of(peer: &mut Peer) -> Result<Vec<String>, Verdict> {
    match peer.find(Mark::START, Frame::user_list).await {
        Some(list) => Ok(list),
        None => Err(Verdict::inconclusive(format!("no USER_LIST; {}", peer.heard(Mark::START)))),
    }
}

async fn others_listed(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    let with_ann = |frame: &Frame| frame.user_list()?.contains(&ann.name).then_some(());
    let listed = bob.find(Mark::START, with_ann).await.is_some();
    let expected = format!("bob's USER_LIST holds ann, who is {}", ann.name);
    Ok(Verdict::came(listed, expected, bob.heard(Mark::START)))
}

async fn self_listed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let value = if list_of(&mut ann).await?.contains(&ann.name) { "yes" } else { "no" };
    Ok(Verdict::observed("the joining user in USER_LIST", value))
}

async fn left_removed(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let gone = ann.name.clone();
    ann.close(Closing::Polite).await;
    let patience = c.patience();
    let mut looked = 0;
    let looking = async {
        loop {
            let mut bob = c.join("bob").await?;
            let list = list_of(&mut bob).await?;
            if !list.contains(&gone) {
                return Ok(Verdict::Pass);
            }
            looked += 1;
            c.settle().await;
        }
    };
    match tokio::time::timeout(patience, looking).await {
        Ok(outcome) => outcome,
        Err(_) if looked > 0 => Ok(Verdict::missing(
            format!("USER_LIST without {gone}, who has left"),
            format!("{looked} newcomers in {patience:.1?} still found them listed"),
        )),
        Err(_) => Err(Verdict::inconclusive("no USER_LIST came in time")),
    }
}

async fn no_dup(c: &mut ServerHands) -> Outcome {
    let ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    let list = list_of(&mut bob).await?;
    for name in [&ann.name, &bob.name] {
        let times = list.iter().filter(|listed| *listed == name).count();
        if times > 1 {
            let expected = "USER_LIST holds everybody at most once";
            return Ok(Verdict::fail(expected, format!("{name} is there {times} times")));
        }
    }
    Ok(Verdict::Pass)
}

async fn joined_notice(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let since = ann.mark();
    let bob = c.join("bob").await?;
    let told = ann.find_joined(since, &bob.name).await;
    let expected = format!("ann gets USERS_JOINED with {}", bob.name);
    Ok(Verdict::came(told, expected, ann.heard(since)))
}

async fn joined_once(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    ann.find_joined(Mark::START, &bob.name).await;
    c.fence(&mut bob, &mut ann).await?;
    let times = announced(&mut ann, Mark::START, &bob.name);
    let expected = "ann is told once that bob joined";
    Ok(match times {
        0 => Verdict::missing(expected, ann.heard(Mark::START)),
        _ => Verdict::check(times == 1, expected, format!("{times} times")),
    })
}

async fn joined_self(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    c.fence(&mut ann, &mut bob).await?;
    let name = bob.name.clone();
    let own = announced(&mut bob, Mark::START, &name) > 0;
    Ok(Verdict::observed("USERS_JOINED to the joining user", if own { "yes" } else { "no" }))
}

async fn no_notice_on_reject(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join("bob").await?;
    ann.find_joined(Mark::START, &bob.name).await;
    let since = ann.mark();
    let mut thief = c.connect("thief").await?;
    thief.ask_for(&bob.name).await;
    c.fence(&mut bob, &mut ann).await?;
    c.dismiss(thief).await;
    let times = announced(&mut ann, since, &bob.name);
    let expected = "no USERS_JOINED for an attempt that was refused";
    Ok(Verdict::check(times == 0, expected, ann.heard(since)))
}

/// How often a peer was told since a mark that somebody joined.
fn announced(peer: &mut Peer, since: Mark, name: &str) -> usize {
    let names = peer.frames(since).iter().filter_map(Frame::joined).flatten();
    names.filter(|announced| announced == name).count()
}
