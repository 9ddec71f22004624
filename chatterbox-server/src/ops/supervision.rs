//! What the service manager knows of a server while it runs: whether it takes users, and that it is alive.
//!
//! Alive is a server in which something that is proposed comes round: that takes the tasks, the lock of the chat, the store and the
//! order. One that says by itself that it takes no users at the moment need not show that: it waits for an engine, or goes.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer")]

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::ops::readiness::Health;
use crate::ops::service_manager::ServiceManager;

/// So many looks in the time after which the manager ends a server that says nothing: each may take as long as there is between two.
const LOOKS: u32 = 3;

/// Tells the manager how the server is, until this is dropped. `comes_round` is done, and true, when what was proposed has come round.
pub(crate) async fn supervise<F: Future<Output = bool>>(
    manager: ServiceManager,
    health: Health,
    comes_round: impl Fn() -> F,
) {
    if !manager.is_there() {
        return;
    }
    let between = manager.watchdog().map(|time| time / LOOKS);
    let mut looks = between.map(looks);
    let mut told = None;
    loop {
        let readiness = health.readiness();
        if told.replace(readiness) != Some(readiness) {
            manager.is_at(readiness);
        }
        tokio::select! {
            () = health.differs_from(readiness) => {}
            () = next(&mut looks) => {
                if is_alive(&health, &comes_round, between.unwrap_or_default()).await {
                    manager.is_alive();
                } else {
                    tracing::error!(
                        "nothing that is proposed comes round: the service manager is not told that this server is alive"
                    );
                }
            }
        }
    }
}

fn looks(between: Duration) -> Interval {
    let mut looks = interval(between);
    // After a look that took long the next one comes no sooner.
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

async fn next(looks: &mut Option<Interval>) {
    match looks {
        Some(looks) => {
            looks.tick().await;
        }
        None => std::future::pending().await,
    }
}

async fn is_alive<F: Future<Output = bool>>(
    health: &Health,
    comes_round: impl Fn() -> F,
    within: Duration,
) -> bool {
    if !health.readiness().is_ready() {
        return true;
    }
    let came = timeout(within, comes_round()).await.unwrap_or(false);
    // It may have noticed meanwhile that it can't take users.
    came || !health.readiness().is_ready()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn alive_is_in_which_something_comes_round_or_who_takes_no_users() {
        let health = Health::default();
        let stands_still = AtomicBool::new(true);
        let comes_round = || async {
            if stands_still.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            true
        };
        assert!(is_alive(&health, comes_round, WITHIN).await, "it starts");
        health.started();
        assert!(!is_alive(&health, comes_round, WITHIN).await, "it is ready and does nothing");
        stands_still.store(false, Ordering::Relaxed);
        assert!(is_alive(&health, comes_round, WITHIN).await);
        assert!(!is_alive(&health, || async { false }, WITHIN).await, "nothing will come round");
        stands_still.store(true, Ordering::Relaxed);
        health.is_without_engine(true);
        assert!(is_alive(&health, comes_round, WITHIN).await, "it waits for the engine");
        health.is_without_engine(false);
        let notices = async {
            tokio::time::sleep(WITHIN / 2).await;
            health.is_without_engine(true);
        };
        let (is_alive, ()) = tokio::join!(is_alive(&health, comes_round, WITHIN), notices);
        assert!(is_alive, "it has noticed while it was waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_manager_nothing_is_done() {
        let never = || async { unreachable!("nobody asks") };
        supervise(ServiceManager::default(), Health::default(), never).await;
    }
}
