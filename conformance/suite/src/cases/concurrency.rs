//! `conc`: many at once, and some of them difficult.

use std::collections::{HashMap, HashSet};

use conformance_kit::{
    clock::Clock,
    wire::{ascii::ascii, frame::Frame},
};
use futures_util::future::join_all;
use serde_json::json;

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
    Case::must("conc.half-frame", "AS-1", |c| Box::pin(half_frame(c)))
        .asks("Peers that stop in the middle of a frame delay nobody")
        .hint("Never wait for the rest of one client's frame where the others have to wait, too: a thread, a task or a buffer for each.")
        .needs(&["bcast.all-others", "conc.idle"])
        .killed_by(&[Fault::HalfFrameStalls])
        .rough(),
    Case::must("conc.idle", "AS-1", |c| Box::pin(idle(c)))
        .asks("Peers that connect and say nothing delay nobody")
        .hint("Read the name in the client's own thread, not in the loop that accepts.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::IdleStalls])
        .rough(),
    Case::must("conc.20x20", "RT-1", |c| Box::pin(twenty(c)))
        .revised(2)
        .asks("20 users, 20 messages each: nothing is lost, nothing comes twice")
        .hint("Two threads that write to one socket at the same time mix their frames: one lock for each connection. A list that changes while you go through it loses receivers.")
        .needs(&["bcast.all-others"])
        .excused_by(&["framing.coalesced", "bcast.multi"])
        .killed_by(&[Fault::LosesUnderLoad])
        .rough()
        .by_chance(),
    Case::should("conc.slow-reader", "AS-3", |c| Box::pin(slow_reader(c)))
        .asks("A peer that stops reading delays nobody")
        .hint("Don't write to a client's socket while holding a lock that others need: give every client a queue of its own, with an end.")
        .needs(&["private.not-others", "framing.over-64k"])
        .excused_by(&["framing.coalesced"])
        .killed_by(&[Fault::SlowReaderStalls])
        .heavy(),
    Case::should("conc.churn", "UL-4", |c| Box::pin(churn(c)))
        .asks("After many joins and leaves under traffic all agree on who is here")
        .hint("Change the list of users and send the notice under one lock.")
        .needs(&["users.others-listed", "users.left-removed", "users.joined-notice", "leave.no-close-notify", "join.after-talk"])
        .killed_by(&[Fault::LosesLeavesUnderLoad])
        .rough()
        .by_chance(),
];

async fn half_frame(c: &mut ServerHands) -> Outcome {
    let mut stuck = c.join("stuck").await?;
    let frame = stuck.frame(ascii(&json!({"MESSAGES": [[stuck.name, "ALL", 1, "x"]]})).as_bytes());
    stuck.send_bytes(frame.get(..15).unwrap_or_default()).await;
    let mut early = c.connect("early").await?;
    early.send_bytes(frame.get(..2).unwrap_or_default()).await;
    c.settle().await;
    c.others_are_served("while two peers are stuck in the middle of a frame").await
}

async fn idle(c: &mut ServerHands) -> Outcome {
    let _idle = c.join("idle").await?;
    let _silent = [c.connect("silent").await?, c.connect("mute").await?];
    c.settle().await;
    c.others_are_served("while two peers are connected and have not said who they are").await
}

/// Two messages in each frame: four hundred frames at once would be a flood of the lobby.
async fn twenty(c: &mut ServerHands) -> Outcome {
    let mut crowd = Vec::new();
    for n in 0..20 {
        crowd.push(c.join(&format!("u{n}")).await?);
    }
    let run = c.text();
    let speak = |(n, mut peer): (usize, Peer)| {
        let run = run.clone();
        async move {
            for turn in 0..10 {
                let two = [2 * turn, 2 * turn + 1].map(|turn| {
                    ServerHands::message(&peer.name, "ALL", &format!("{run} {n} {turn}"))
                });
                peer.send(&json!({"MESSAGES": two})).await;
            }
            peer
        }
    };
    let crowd: Vec<_> = crowd.into_iter().enumerate().map(speak).collect();
    let mut crowd = join_all(crowd).await;
    for (listener, peer) in crowd.iter_mut().enumerate() {
        let heard = hear_all(peer, &run, listener).await;
        for speaker in (0..20).filter(|speaker| *speaker != listener) {
            for turn in 0..20 {
                let text = format!("{run} {speaker} {turn}");
                let times = heard.get(&text).copied().unwrap_or_default();
                if times != 1 {
                    let (got, role) = (heard.len(), &peer.role);
                    let expected = "every user gets each of the 380 messages of the others once";
                    let actual =
                        format!("{role} got {got} different ones, and \"{text}\" {times} times");
                    return Ok(if times == 0 {
                        Verdict::missing(expected, actual)
                    } else {
                        Verdict::fail(expected, actual)
                    });
                }
            }
        }
    }
    Ok(Verdict::Pass)
}

/// Waits until all messages of the others are there, or nothing new comes, and counts them.
async fn hear_all(peer: &mut Peer, run: &str, listener: usize) -> HashMap<String, usize> {
    let own = format!("{run} {listener} ");
    let mut since = Mark::START;
    let mut different = HashSet::new();
    while different.len() < 380 {
        let Some(texts) = peer.find(since, contents).await else { break };
        since = since.next();
        different.extend(texts.into_iter().filter(|t| t.starts_with(run) && !t.starts_with(&own)));
    }
    let mut heard = HashMap::new();
    for message in peer.messages(Mark::START) {
        *heard.entry(message.content).or_default() += 1;
    }
    heard.retain(|text, _| different.contains(text));
    heard
}

/// The texts of a frame; of every frame, so that the frames are counted.
#[allow(clippy::unnecessary_wraps, reason = "what `find` takes")]
fn contents(frame: &Frame) -> Option<Vec<String>> {
    Some(frame.messages().into_iter().map(|message| message.content).collect())
}

async fn slow_reader(c: &mut ServerHands) -> Outcome {
    let mut deaf = c.join("deaf").await?;
    deaf.stop_reading();
    let block = "x".repeat(128 * 1024);
    // More than the buffers of both kernels hold, so that the server's writes do block. Each block has a sender of its own, since
    // a second one of the same user may be a flood.
    let bound = c.patience() * 2;
    let clock = Clock::start();
    let mut senders = Vec::new();
    while senders.len() < 96 && clock.elapsed() < bound {
        // Whether others can join meanwhile is asked below.
        let Ok(mut sender) = c.join("sender").await else { break };
        let left = bound.saturating_sub(clock.elapsed());
        let said = tokio::time::timeout(left, sender.tell(&deaf.name, &block)).await;
        let stuck = said.is_err() || sender.is_closed() || sender.is_stuck();
        senders.push(sender);
        if stuck {
            break;
        }
    }
    let served = c.others_are_served("while a peer does not read what it is sent").await;
    drop(deaf);
    served
}

async fn churn(c: &mut ServerHands) -> Outcome {
    let mut resident = c.join("resident").await?;
    let mut stayed = Vec::new();
    let mut gone = Vec::new();
    for round in 0..6 {
        let mut wave = Vec::new();
        for n in 0..3 {
            wave.push(c.join(&format!("w{round}x{n}")).await?);
        }
        let text = c.text();
        resident.say(&text).await;
        for (n, peer) in wave.into_iter().enumerate() {
            if n == 0 {
                stayed.push(peer);
                continue;
            }
            gone.push(peer.name.clone());
            peer.close(if n == 1 { Closing::Polite } else { Closing::Fin }).await;
        }
    }
    for name in &gone {
        resident.find_left(Mark::START, name).await;
    }
    let mut newcomer = c.join("newcomer").await?;
    let listed = newcomer.find(Mark::START, Frame::user_list).await.unwrap_or_default();
    c.settle().await;
    let told = roster(&mut resident);
    for (names, here) in
        [(stayed.iter().map(|p| p.name.clone()).collect::<Vec<_>>(), true), (gone, false)]
    {
        for name in names {
            let views = (listed.contains(&name), told.contains(&name));
            if views != (here, here) {
                let is = if here { "is here" } else { "has left" };
                return Ok(Verdict::fail(
                    format!("USER_LIST and the notices agree that {name} {is}"),
                    format!(
                        "USER_LIST holds it: {}, the notices say it is here: {}",
                        views.0, views.1
                    ),
                ));
            }
        }
    }
    Ok(Verdict::Pass)
}

/// The users who are present according to a welcome and all notices since.
fn roster(peer: &mut Peer) -> Vec<String> {
    let mut here = Vec::new();
    for frame in peer.frames(Mark::START) {
        here.extend(frame.user_list().unwrap_or_default());
        here.extend(frame.joined().unwrap_or_default());
        let left = frame.left().unwrap_or_default();
        here.retain(|name| !left.contains(name));
    }
    here
}
