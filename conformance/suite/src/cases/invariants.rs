//! `inv`: what holds for every frame that the server sends, whatever the case. The frames of all cases
//! are looked at as they come, and those of an ordinary session beside.

use std::future::ready;

use conformance_kit::wire::frame::Frame;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    fault::Fault,
    invariants::Invariant,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark},
    },
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::must("inv.length", "FR-1", |c| {
        Box::pin(judge(c, Invariant::Length, "the length is the number of bytes of the body"))
    })
    .asks("The length in front of every frame is the number of bytes that follow")
    .hint("Count the encoded bytes, not the characters, and do not add the four bytes of the length itself: struct.pack('!I', len(data)) with data already encoded.")
    .needs(&["join.accept"])
    .killed_by(&[Fault::LengthCountsItself, Fault::LengthInCharacters])
    .last(),
    Case::must("inv.json-object", "JS-1", |c| {
        Box::pin(judge(c, Invariant::JsonObject, "the body is one JSON object"))
    })
    .asks("The body of every frame is a JSON object")
    .hint("A text alone is not enough: wrap it, json.dumps({\"ERROR\": text}).")
    .needs(&["join.accept"])
    .killed_by(&[Fault::ErrorBareString])
    .last(),
    Case::must("inv.accepted-bool", "AC-1", |c| {
        Box::pin(judge(c, Invariant::AcceptedBool, "USERNAME_ACCEPTED is true or false"))
    })
    .asks("USERNAME_ACCEPTED is a JSON boolean")
    .hint("true, not \"true\": give json.dumps a bool, not a str.")
    .needs(&["join.accept", "join.taken"])
    .killed_by(&[Fault::AcceptedAsString])
    .last(),
    Case::must("inv.userlist-strings", "UL-1", |c| {
        Box::pin(judge(c, Invariant::UserListStrings, "USER_LIST is a list of strings"))
    })
    .asks("USER_LIST is a list of names")
    .hint("Put the names into the list, not the objects or tuples that your server keeps about its clients.")
    .needs(&["join.has-user-list"])
    .killed_by(&[Fault::UserListObjects])
    .last(),
    Case::must("inv.joined-list", "UJ-1", |c| {
        Box::pin(judge(c, Invariant::JoinedList, "USERS_JOINED is a list of strings"))
    })
    .asks("USERS_JOINED is a list of names")
    .hint("A list even for one name: [name], not name.")
    .needs(&["users.joined-notice"])
    .killed_by(&[Fault::JoinedBareString])
    .last(),
    Case::must("inv.left-list", "UX-1", |c| {
        Box::pin(judge(c, Invariant::LeftList, "USERS_LEFT is a list of strings"))
    })
    .asks("USERS_LEFT is a list of names")
    .hint("A list even for one name: [name], not name.")
    .needs(&["leave.fin"])
    .killed_by(&[Fault::LeftBareString])
    .last(),
    Case::must("inv.tuple", "T4-1", |c| {
        let expected = "a message is [SRC, DEST, TIMESTAMP, CONTENT], three of them strings";
        Box::pin(judge(c, Invariant::Tuple, expected))
    })
    .asks("Messages are lists of four elements with the right types")
    .hint("Pass on the four elements of the message as they came; nothing more, nothing less.")
    .needs(&["bcast.all-others"])
    .killed_by(&[Fault::FiveElements])
    .last(),
    Case::must("inv.timestamp-int", "TS-1", |c| {
        Box::pin(judge(c, Invariant::TimestampInt, "TIMESTAMP is an integer"))
    })
    .revised(2)
    .asks("The time of every message is an integer")
    .hint("int(time.time()), not time.time() and not a formatted date.")
    .needs(&["bcast.all-others"])
    .killed_by(&[Fault::TimestampFloat])
    .last(),
    Case::must("inv.error-string", "IV-1", |c| {
        Box::pin(judge(c, Invariant::ErrorString, "the value of ERROR is a string"))
    })
    .asks("The value of ERROR is a string")
    .hint("{\"ERROR\": \"text\"}: no list, no object, no number.")
    .needs(&["errors.not-json"])
    .killed_by(&[Fault::ErrorObject])
    .last(),
    Case::open("inv.unknown-keys", "BN-1", |c| Box::pin(ready(unknown_keys(c))))
        .asks("Does the server use keys beyond those of the base protocol?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::ExtraKey])
        .last(),
];

async fn judge(c: &mut ServerHands, invariant: Invariant, expected: &str) -> Outcome {
    if c.shared.invariants.tally(invariant).first.is_none() {
        // Asked alone, a rule is held against the same kinds of frames as in a whole run.
        let shared = std::sync::Arc::clone(&c.shared);
        shared.feed_once(feed(c)).await;
    }
    let tally = c.shared.invariants.tally(invariant);
    Ok(match tally.first {
        Some((case, what)) => Verdict::fail(
            expected,
            format!("{what} (first seen in {case}; {} of {})", tally.broken, tally.looked_at),
        ),
        None if tally.looked_at == 0 => Verdict::inconclusive("nothing of the kind was ever sent"),
        None => Verdict::Pass,
    })
}

/// A session in which a server has reason to send every kind of frame. How it goes is the business of
/// other cases.
pub(crate) async fn feed(c: &mut ServerHands) {
    let (Ok(mut ann), Ok(mut bob)) = (c.join("ann").await, c.join("bob").await) else { return };
    if let Ok(mut thief) = c.connect("thief").await {
        thief.ask_for(&ann.name).await;
        c.dismiss(thief).await;
    }
    let (public, private) = (format!("{} na\u{ef}ve", c.text()), c.text());
    // Whatever comes is judged when it comes; who does not send all kinds of frames yet is not waited
    // for each time.
    let moment = c.patience() / 4;
    ann.say(&public).await;
    let _ = timeout(moment, bob.find_message(Mark::START, |m| m.content == public)).await;
    ann.tell(&bob.name, &private).await;
    let _ = timeout(moment, bob.find_message(Mark::START, |m| m.content == private)).await;
    let forged = ServerHands::message(&bob.name, "ALL", &private);
    for body in ["xyz".to_owned(), "[1]".to_owned(), json!({"MESSAGES": [forged]}).to_string()] {
        let since = ann.mark();
        ann.send_body(body.as_bytes()).await;
        let _ = timeout(moment, ann.find(since, Frame::error)).await;
    }
    if let Ok(carl) = c.join("carl").await {
        let name = carl.name.clone();
        carl.close(Closing::Polite).await;
        let _ = timeout(moment, bob.find_left(Mark::START, &name)).await;
    }
    c.settle().await;
    ann.catch_up();
    bob.catch_up();
}

fn unknown_keys(c: &ServerHands) -> Outcome {
    let keys = c.shared.invariants.unknown_keys();
    let value = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
    Ok(Verdict::observed("keys beyond the base protocol", value))
}
