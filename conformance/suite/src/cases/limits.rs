//! `limits`: how much a server carries.

use std::time::Duration;

use conformance_kit::wire::{frame::Frame, message::Message};

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const MIB: usize = 1024 * 1024;

/// The group. Large things are sent in private, so that they don't burden everybody's history.
pub const CASES: &[Case] = &[
    Case::should("limits.1mib", "LG-2", |c| Box::pin(one_mib(c)))
        .revised(2)
        .asks("A message of 1 MiB arrives whole")
        .hint("Read until the frame is complete, and write with sendall.")
        .needs(&["private.delivered"])
        .excused_by(&["framing.over-64k"])
        .killed_by(&[Fault::CutsAt512KiB])
        .heavy(),
    Case::open("limits.16mib", "LG-3", |c| Box::pin(ladder(c)))
        .revised(2)
        .asks("How large a message arrives whole: 2, 4, 8, 16 MiB?")
        .needs(&["limits.1mib"])
        .killed_by(&[Fault::NothingAbove3MiB])
        .heavy(),
    Case::open("limits.name-64", "NM-2", |c| Box::pin(name_64(c)))
        .asks("Is a name of 64 characters accepted?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::LongNamesAccepted])
        .marking(),
    Case::open("limits.empty-content", "T4-2", |c| Box::pin(empty_content(c)))
        .asks("Is a message without text delivered?")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::EmptyContentRefused])
        .marking(),
];

/// Sends a private message of so many bytes; true when it arrives whole.
async fn arrives(c: &mut ServerHands, bytes: usize) -> Result<(bool, String), Verdict> {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let text = format!("{nonce} {}", "x".repeat(bytes));
    let since = ann.mark();
    ann.tell_in_pieces(&bob.name, &text).await;
    // So much takes its time, unless the server says that it will not come.
    let patience = c.patience() * u32::try_from(2 + bytes / MIB).unwrap_or(u32::MAX);
    let came = |frame: &Frame| frame.messages().into_iter().find(|m| m.content.starts_with(&nonce));
    let got = tokio::select! {
        got = bob.find_within(patience, Mark::START, came) => got,
        () = refused(&mut ann, since, patience) => None,
    };
    let whole = got.as_ref().is_some_and(|message| message.content == text);
    let heard = match got {
        Some(message) => format!("bob got {} of {} bytes", message.content.len(), text.len()),
        None => format!("{}; {}", bob.heard(Mark::START), ann.heard(Mark::START)),
    };
    Ok((whole, heard))
}

/// Waits until the server says to the sender that it does not take this: by an ERROR, or by closing.
async fn refused(ann: &mut Peer, since: Mark, patience: Duration) {
    if ann.find_within(patience, since, Frame::error).await.is_none() && !ann.is_closed() {
        std::future::pending::<()>().await;
    }
}

async fn one_mib(c: &mut ServerHands) -> Outcome {
    let (whole, heard) = arrives(c, MIB).await?;
    Ok(Verdict::came(whole, "bob gets the message of 1 MiB, whole", heard))
}

async fn ladder(c: &mut ServerHands) -> Outcome {
    let mut largest = 1;
    for mib in [2, 4, 8, 16] {
        if !arrives(c, mib * MIB - 256).await?.0 {
            break;
        }
        largest = mib;
    }
    Ok(Verdict::observed("the largest message", format!("{largest} MiB arrive")))
}

async fn name_64(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    let name = format!("ann{}", c.nonces.letters(61));
    let value = match ann.ask_for(&name).await {
        Some(true) => "accepted",
        Some(false) => "refused",
        None => "no answer",
    };
    c.dismiss(ann).await;
    Ok(Verdict::observed("a name of 64 characters", value))
}

async fn empty_content(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let (name, since) = (ann.name.clone(), ann.mark());
    let empty = |m: &Message| m.src == name && m.content.is_empty();
    ann.say("").await;
    // No fence: a frame behind this one could ride in the same read, and only `framing` may find
    // out what becomes of it.
    tokio::select! {
        _ = bob.find_message(Mark::START, empty) => {}
        _ = ann.find(since, Frame::error) => {}
    }
    c.settle().await;
    let empty = bob.messages(Mark::START).iter().any(empty);
    Ok(Verdict::observed(
        "a message without text",
        if empty { "delivered" } else { "not delivered" },
    ))
}
