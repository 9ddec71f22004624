//! `src`: nobody speaks in another's name.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

const HINT: &str = "Compare SRC of every message with the name that this connection joined under; on a difference answer {\"ERROR\": ...} and deliver nothing.";

pub const CASES: &[Case] = &[
    Case::must("src.spoof", "SR-1", |c| Box::pin(spoof(c)))
        .asks("A public message with somebody else's SRC is answered with ERROR and not delivered")
        .hint(HINT)
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::SpoofDelivered, Fault::SpoofSilentlyDropped])
        .rough(),
    Case::must("src.spoof-private", "SR-1", |c| Box::pin(spoof_private(c)))
        .asks("The same holds for private messages")
        .hint(HINT)
        .needs(&["private.delivered"])
        .killed_by(&[Fault::SpoofPrivateDelivered])
        .rough(),
    Case::must("src.spoof-second", "SR-2", |c| Box::pin(spoof_second(c)))
        .asks("A good first message does not cover a forged second one")
        .hint("Check SRC inside the loop over the messages, not once before it.")
        .needs(&["bcast.all-others"])
        .excused_by(&["bcast.multi"])
        .killed_by(&[Fault::OnlyFirstSourceChecked])
        .rough(),
    Case::must("src.before-join", "SR-3", |c| Box::pin(before_join(c)))
        .asks("Who has not joined can't send")
        .hint("Until a name was accepted, answer everything but USERNAME with ERROR.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::UnjoinedMaySend, Fault::UnjoinedIgnored])
        .literal()
        .marking(),
];

/// Sends messages that must be refused: the sender gets ERROR, the victim nothing of them.
async fn refused(
    c: &mut ServerHands,
    sender: &mut Peer,
    victim: &mut Peer,
    messages: &[Value],
    text: &str,
) -> Outcome {
    let mut witness = c.join("witness").await?;
    let since = sender.mark();
    sender.send(&json!({"MESSAGES": messages})).await;
    let error = sender.expect_error(since, "a message with a SRC that is not its own").await;
    let fence = c.fence(&mut witness, victim).await;
    if victim.count(text) > 0 {
        let expected = format!("{} does not get the forged message", victim.role);
        let actual = format!("{} got \"{text}\"", victim.role);
        return Ok(Verdict::fail(expected, actual));
    }
    fence?;
    error?;
    Ok(Verdict::Pass)
}

async fn spoof(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    let text = c.text();
    let forged = ServerHands::message(&bob.name, "ALL", &text);
    refused(c, &mut ann, &mut carl, &[forged], &text).await
}

async fn spoof_private(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    let text = c.text();
    let forged = ServerHands::message(&bob.name, &carl.name, &text);
    refused(c, &mut ann, &mut carl, &[forged], &text).await
}

async fn spoof_second(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut carl = c.join("carl").await?;
    let (good, text) = (c.text(), c.text());
    let messages = [
        ServerHands::message(&ann.name, "ALL", &good),
        ServerHands::message(&bob.name, "ALL", &text),
    ];
    refused(c, &mut ann, &mut carl, &messages, &text).await
}

async fn before_join(c: &mut ServerHands) -> Outcome {
    let mut carl = c.join("carl").await?;
    let mut stranger = c.connect("stranger").await?;
    let (name, text) = (c.name("stranger"), c.text());
    let early = ServerHands::message(&name, "ALL", &text);
    let outcome = refused(c, &mut stranger, &mut carl, &[early], &text).await;
    c.dismiss(stranger).await;
    outcome
}
