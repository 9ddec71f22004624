//! The first contact: how the client speaks, how fast it is, and whether the profile fits.
//!
//! Each deviation is charged to one case; then it is spoken, so that one habit does not hide all
//! else.

use std::sync::Arc;

use conformance_kit::clock::Clock;

use super::{
    hands::{ClientHands, Setup},
    operator::{Action, Means},
    quirks::Quirks,
    screen::{Screen, ScreenMark},
    session::ClientSession,
    shared::{Pace, Shared},
};
use crate::{invariants::Invariant, verdict::Verdict};

/// Meets the client once, and stores what was found out in the shared state.
///
/// # Errors
/// When the client can't be started at all.
pub async fn greet(shared: &Arc<Shared>, seed: u64, scale: f64) -> Result<(), Verdict> {
    let mut hands = ClientHands::new(Arc::clone(shared), "the first contact", seed);
    let clock = Clock::start();
    let arrival = hands.start(&Setup::default()).await?;
    hands.give_name(&arrival).await;
    let mut session = match hands.arrive(arrival).await {
        Ok(session) => session,
        Err(silence) => {
            let quirks = Quirks { silence: Some(silence), ..Quirks::default() };
            shared.learn(shared.pace(), quirks);
            return Ok(());
        }
    };
    let started = clock.elapsed();
    let mut quirks = Quirks {
        plaintext: session.peer.hello.version.is_none(),
        prefix: session.peer.prefix(),
        ..Quirks::default()
    };
    if quirks.prefix.is_some_and(|prefix| prefix.counts_itself) {
        let what = "the length counts its own four bytes";
        shared.invariants.charge(Invariant::Length, hands.case, what);
    }
    shared.learn(shared.pace(), quirks.clone());
    session.welcome().await;
    let people = matches!(shared.means, Means::Person(_));
    if people {
        return Ok(());
    }
    let mut slowest = std::time::Duration::ZERO;
    // The second waits for whatever the client does after the first.
    for text in [hands.text(), hands.text()] {
        let clock = Clock::start();
        session.operator.act(Action::Say(text.clone())).await;
        if session.must_send(&text).await.is_err() {
            quirks.unheard = Some(format!("{}; {}", session.peer.heard(), session.shown()));
            break;
        }
        slowest = slowest.max(clock.elapsed());
    }
    let text = hands.text();
    let clock = Clock::start();
    session.hears(&text).await;
    if sees(&session, &text).await {
        slowest = slowest.max(clock.elapsed());
    } else {
        quirks.needs_a_key = with_keys(&session, &text).await;
    }
    shared.learn(Pace::measured(started, slowest, scale), quirks);
    Ok(())
}

async fn sees(session: &ClientSession, text: &str) -> bool {
    let shown = |screen: &Screen| screen.shows(ScreenMark::START, text);
    session.operator.screen.wait(session.patience() / 2, shown).await
}

async fn with_keys(session: &ClientSession, text: &str) -> bool {
    for _ in 0..4 {
        session.operator.act(Action::Line(String::new())).await;
        let shown = |screen: &Screen| screen.shows(ScreenMark::START, text);
        if session.operator.screen.wait(session.patience() / 6, shown).await {
            return true;
        }
    }
    false
}
