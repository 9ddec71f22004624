//! The first contact: how the client speaks, how fast it is, and whether the profile fits.
//!
//! Each deviation is charged to one case; then it is spoken, so that one habit does not hide all
//! else.

use std::sync::Arc;

use super::{
    hands::{Setup, Stage},
    operator::{Action, Means},
    screen::{Screen, ScreenMark},
    session::Visit,
    shared::{Lobby, Manners, Pace},
};
use crate::{invariants::Invariant, verdict::Verdict};
use conformance_kit::clock::Clock;

/// Meets the client once, and leaves what was found out in the lobby.
///
/// # Errors
/// When the client can't be started at all.
pub async fn greet(lobby: &Arc<Lobby>, seed: u64, scale: f64) -> Result<(), Verdict> {
    let mut stage = Stage::new(Arc::clone(lobby), "the first contact", seed);
    let clock = Clock::start();
    let arrival = stage.start(&Setup::default()).await?;
    stage.give_name(&arrival).await;
    let mut visit = match stage.arrive(arrival).await {
        Ok(visit) => visit,
        Err(silence) => {
            let manners = Manners { silence: Some(silence), ..Manners::default() };
            lobby.learn(lobby.pace(), manners);
            return Ok(());
        }
    };
    let started = clock.elapsed();
    let mut manners = Manners {
        plaintext: visit.link.hello.version.is_none(),
        prefix: visit.link.prefix(),
        ..Manners::default()
    };
    if manners.prefix.is_some_and(|prefix| prefix.counts_itself) {
        let what = "the length counts its own four bytes";
        lobby.census.charge(Invariant::Length, stage.case, what);
    }
    lobby.learn(lobby.pace(), manners.clone());
    visit.welcome().await;
    let people = matches!(lobby.means, Means::Person(_));
    if people {
        return Ok(());
    }
    let mut slowest = std::time::Duration::ZERO;
    // The second waits for whatever the client does after the first.
    for text in [stage.text(), stage.text()] {
        let clock = Clock::start();
        visit.actor.act(Action::Say(text.clone())).await;
        if visit.must_send(&text).await.is_err() {
            manners.unheard = Some(format!("{}; {}", visit.link.heard(), visit.shown()));
            break;
        }
        slowest = slowest.max(clock.elapsed());
    }
    let text = stage.text();
    let clock = Clock::start();
    visit.hears(&text).await;
    if sees(&visit, &text).await {
        slowest = slowest.max(clock.elapsed());
    } else {
        manners.needs_a_key = with_keys(&visit, &text).await;
    }
    lobby.learn(Pace::measured(started, slowest, scale), manners);
    Ok(())
}

async fn sees(visit: &Visit, text: &str) -> bool {
    let shown = |screen: &Screen| screen.shows(ScreenMark::START, text);
    visit.actor.screen.wait(visit.patience() / 2, shown).await
}

async fn with_keys(visit: &Visit, text: &str) -> bool {
    for _ in 0..4 {
        visit.actor.act(Action::Line(String::new())).await;
        let shown = |screen: &Screen| screen.shows(ScreenMark::START, text);
        if visit.actor.screen.wait(visit.patience() / 6, shown).await {
            return true;
        }
    }
    false
}
