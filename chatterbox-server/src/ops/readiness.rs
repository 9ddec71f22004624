//! Whether a server takes users now, for whoever sends them: a balancer, or who looks after it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Whether users should be sent here, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// What earlier runs have left is not loaded yet, or the order is not followed to its end.
    Starting,
    /// Users are taken.
    Ready,
    /// Nothing has come round in the order for too long: whoever joined here would wait.
    NoEngine,
    /// The server is shutting down.
    Draining,
}

impl Readiness {
    /// Whether users are taken.
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Ready)
    }

    /// The word for it, which does not change.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::NoEngine => "no-engine",
            Self::Draining => "draining",
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a readiness follows from. Several parts of the server know one of them each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reasons {
    has_started: bool,
    is_without_engine: bool,
    is_draining: bool,
}

impl Reasons {
    const fn readiness(self) -> Readiness {
        // Nothing is better once it drains, so that is said first.
        match self {
            Self { is_draining: true, .. } => Readiness::Draining,
            Self { has_started: false, .. } => Readiness::Starting,
            Self { is_without_engine: true, .. } => Readiness::NoEngine,
            Self { .. } => Readiness::Ready,
        }
    }
}

/// The readiness of this process, shared by those who change it and those who tell it.
#[derive(Debug, Clone)]
pub struct Health(Arc<watch::Sender<Reasons>>);

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Reasons::default())))
    }
}

impl Health {
    /// What it is now.
    pub fn readiness(&self) -> Readiness {
        self.0.borrow().readiness()
    }

    /// Waits until it is another one than this.
    pub(crate) async fn differs_from(&self, readiness: Readiness) {
        let mut reasons = self.0.subscribe();
        // The sending end is here, so this does not end without it.
        let _ = reasons.wait_for(|reasons| reasons.readiness() != readiness).await;
    }

    /// All is loaded: users can join.
    pub fn started(&self) {
        self.change(|reasons| reasons.has_started = true);
    }

    /// Whether the order has stood still for too long.
    pub fn is_without_engine(&self, is_so: bool) {
        self.change(|reasons| reasons.is_without_engine = is_so);
    }

    /// The server shuts down. This is never taken back.
    pub fn drains(&self) {
        self.change(|reasons| reasons.is_draining = true);
    }

    fn change(&self, change: impl FnOnce(&mut Reasons)) {
        self.0.send_if_modified(|reasons| {
            let before = *reasons;
            change(reasons);
            let (old, new) = (before.readiness(), reasons.readiness());
            if old != new {
                tracing::info!(readiness = %new, before = %old, "readiness");
            }
            before != *reasons
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_between_its_start_and_its_drain_while_the_order_moves() {
        let health = Health::default();
        let told = health.clone();
        assert_eq!(told.readiness(), Readiness::Starting);
        health.is_without_engine(true);
        assert_eq!(told.readiness(), Readiness::Starting, "nobody was here before");
        health.started();
        assert_eq!(told.readiness(), Readiness::NoEngine);
        health.is_without_engine(false);
        assert!(told.readiness().is_ready());
        health.drains();
        health.started();
        health.is_without_engine(true);
        assert_eq!(told.readiness(), Readiness::Draining, "that is never taken back");
    }

    #[test]
    fn words_are_one_word_each() {
        let words =
            [Readiness::Starting, Readiness::Ready, Readiness::NoEngine, Readiness::Draining]
                .map(Readiness::word);
        assert_eq!(words, ["starting", "ready", "no-engine", "draining"]);
    }
}
