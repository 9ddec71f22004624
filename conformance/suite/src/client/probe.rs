//! The first contact: how the client speaks, how fast it is, and whether the profile fits.
//!
//! Each deviation is charged to one case; then it is spoken, so that one habit does not hide all
//! else.

use std::{sync::Arc, time::Duration};

use conformance_kit::clock::Clock;

use super::{
    hands::{ClientHands, Setup},
    operator::{Action, Means},
    quirks::{DELAYS, Quirks, Shows, Speaks},
    screen::{Screen, ScreenMark},
    session::ClientSession,
    shared::{Pace, Shared},
};
use crate::{invariants::Invariant, verdict::Verdict};

/// Meets the client, and stores what was found out in the shared state.
///
/// # Errors
/// When the client can't be started at all.
pub async fn greet(shared: &Arc<Shared>, seed: u64, scale: f64) -> Result<(), Verdict> {
    let unmeasured = shared.pace();
    let (pace, quirks) = meet(shared, seed, scale).await?;
    let typed = matches!(shared.means, Means::Terminal | Means::Pipe);
    if typed && quirks.may_want_a_delay() {
        for delay in DELAYS.into_iter().filter(|delay| *delay > shared.profile.delay) {
            // It was waited for long enough that another short wait is no injustice.
            let start = unmeasured.start / 3 + Duration::from_millis(delay * 2);
            let later = Quirks { delay: Some(delay), ..Quirks::default() };
            shared.learn(Pace { start, ..unmeasured }, later);
            let (pace, quirks) = meet(shared, seed ^ delay, scale).await?;
            if !quirks.may_want_a_delay() {
                shared.learn(pace, quirks);
                return Ok(());
            }
        }
    }
    shared.learn(pace, quirks);
    Ok(())
}

/// Meets the client once.
async fn meet(shared: &Arc<Shared>, seed: u64, scale: f64) -> Result<(Pace, Quirks), Verdict> {
    let mut hands = ClientHands::new(Arc::clone(shared), "the first contact", seed);
    let delay = shared.quirks().delay;
    let clock = Clock::start();
    let arrival = hands.start(&Setup::default()).await?;
    hands.give_name(&arrival).await;
    let mut session = match hands.arrive(arrival).await {
        Ok(session) => session,
        Err(silence) => {
            let quirks = Quirks { silence: Some(silence), delay, ..Quirks::default() };
            return Ok((shared.pace(), quirks));
        }
    };
    let started = clock.elapsed();
    let mut quirks = Quirks {
        plaintext: session.peer.hello.version.is_none(),
        prefix: session.peer.prefix(),
        delay,
        ..Quirks::default()
    };
    if quirks.prefix.is_some_and(|prefix| prefix.counts_itself) {
        let what = "the length counts its own four bytes";
        shared.invariants.charge(Invariant::Length, hands.case, what);
    }
    shared.learn(shared.pace(), quirks.clone());
    session.welcome().await;
    if matches!(shared.means, Means::Person(_)) {
        return Ok((shared.pace(), quirks));
    }
    let mut slowest = Duration::ZERO;
    // The second waits for whatever the client does after the first.
    for text in [hands.text(), hands.text()] {
        let clock = Clock::start();
        session.operator.act(Action::Say(text.clone())).await;
        match session.must_send(&text).await {
            Ok(message) if message.src == session.name => quirks.speaks = Speaks::AsItself,
            Ok(_) => quirks.speaks = Speaks::AsSomebodyElse,
            Err(_) => {
                // A line that gets lost behind one that arrived is the business of c.send.two.
                let nothing = quirks.speaks == Speaks::Unknown;
                quirks.unheard =
                    nothing.then(|| format!("{}; {}", session.peer.heard(), session.shown()));
                break;
            }
        }
        slowest = slowest.max(clock.elapsed());
    }
    let text = hands.text();
    let clock = Clock::start();
    session.hears(&text).await;
    if sees(&session, &text).await {
        slowest = slowest.max(clock.elapsed());
        quirks.shows = Shows::AtOnce;
    } else if with_keys(&session, &text).await {
        quirks.shows = Shows::WithKey;
    }
    Ok((Pace::measured(started, slowest, scale), quirks))
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
