//! `c.inv`: what must hold for every frame that the client sends in any case. A short ordinary
//! session feeds them when nothing else runs.

use crate::{
    clause::Level,
    client::{Action, Case, ClientHands},
    fault::ClientFault,
    invariants::Invariant,
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::new("c.inv.length", Level::Must, "FR-1", |c| {
        Box::pin(holds(c, Invariant::Length, "the length is the number of body bytes"))
    })
    .asks("The length in front of every frame is the number of bytes of its body")
    .hint("Encode to bytes first, then take len() of the bytes: characters are not bytes. The four bytes of the length don't count.")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::LengthCountsItself, ClientFault::LengthInCharacters])
    .last(),
    Case::new("c.inv.json-object", Level::Must, "JS-1", |c| {
        Box::pin(holds(c, Invariant::JsonObject, "the body is a JSON object"))
    })
    .asks("Every body is a JSON object")
    .hint("json.dumps of a dict; never a bare string or list.")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::BareStringFrame])
    .last(),
    Case::new("c.inv.tuple", Level::Must, "T4-1", |c| {
        Box::pin(holds(c, Invariant::Tuple, "[SRC, DEST, TIMESTAMP, CONTENT]"))
    })
    .asks("Every message has four elements of the right types")
    .hint("MESSAGES is a list of lists: {\"MESSAGES\": [[src, dest, time, text]]}.")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::FiveElements])
    .last(),
    Case::new("c.inv.timestamp-int", Level::Must, "TS-1", |c| {
        Box::pin(holds(c, Invariant::TimestampInt, "an integer as TIMESTAMP"))
    })
    .asks("The time of every message is an integer")
    .hint("int(time.time()), not time.time() and not a string.")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::TimestampFloat])
    .last(),
    Case::new("c.inv.byte-order", Level::Open, "FR-2", |c| Box::pin(byte_order(c)))
        .asks("Which byte order does the length have?")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::LittleEndian]),
];

async fn holds(c: &mut ClientHands, invariant: Invariant, expected: &str) -> Outcome {
    // Who never asks for a name sends no more now than in the first contact.
    if c.shared.quirks().silence.is_none() {
        feed(c).await;
    }
    let tally = c.shared.invariants.tally(invariant);
    Ok(match tally.first {
        Some((case, what)) => Verdict::fail(
            expected,
            format!("{what} (in {case}; {} of {} frames)", tally.broken, tally.looked_at),
        ),
        None if tally.looked_at == 0 => {
            Verdict::inconclusive("the client sent nothing that this could be judged by")
        }
        None => Verdict::Pass,
    })
}

/// A short ordinary session. How it goes is the business of other cases.
async fn feed(c: &mut ClientHands) {
    let Ok(mut session) = c.join().await else { return };
    let (public, private) = (format!("{} \u{e9}\u{e8}", c.text()), c.text());
    session.operator.act(Action::Say(public.clone())).await;
    let patience = session.patience();
    let _ = session.peer.find_message(patience, |m| m.content.contains(&public)).await;
    session.operator.act(Action::Tell { user: session.other.clone(), text: private.clone() }).await;
    let _ = session.peer.find_message(patience, |m| m.content.contains(&private)).await;
}

async fn byte_order(c: &mut ClientHands) -> Outcome {
    let session = c.enter().await?;
    let value = session.peer.prefix().unwrap_or_else(|| c.shared.prefix()).describe();
    Ok(Verdict::observed("the length", value))
}
