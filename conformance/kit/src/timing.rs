//! Deadlines that are derived from the subject's own speed.

#![allow(clippy::disallowed_methods, reason = "the measuring task ends with its handle")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::clock::Clock;

/// The waiting times of a run; all of them grow with `--timeout-scale`.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long something that must come may take.
    pub patience: Duration,
    /// How long after a sentinel something unwanted may still trickle in.
    pub settle: Duration,
}

impl Timing {
    /// Before anything is known about the subject.
    #[must_use]
    pub fn unmeasured(scale: f64) -> Self {
        Self {
            patience: Duration::from_secs(4).mul_f64(scale),
            settle: Duration::from_millis(100).mul_f64(scale),
        }
    }

    /// From the time that connecting and joining took: fifteen times that, within bounds.
    #[must_use]
    pub fn measured(join: Duration, scale: f64) -> Self {
        let patience = (join * 15).clamp(Duration::from_millis(2_500), Duration::from_secs(15));
        let settle = (join * 2).clamp(Duration::from_millis(80), Duration::from_millis(600));
        Self { patience: patience.mul_f64(scale), settle: settle.mul_f64(scale) }
    }
}

/// Measures how much later than it asked for the suite itself is woken: what makes the suite late makes
/// the subject late, too.
pub struct Lag {
    worst: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

/// How often the suite asks to be woken.
const PULSE: Duration = Duration::from_millis(20);

impl Lag {
    /// Measures from now on, until this is dropped.
    #[must_use]
    pub fn watch() -> Self {
        let worst = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&worst);
        let task = tokio::spawn(async move {
            loop {
                let clock = Clock::start();
                tokio::time::sleep(PULSE).await;
                let late = clock.elapsed().saturating_sub(PULSE).as_millis();
                seen.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self { worst, task }
    }

    /// The worst since it was taken last.
    pub fn take(&self) -> Duration {
        Duration::from_millis(self.worst.swap(0, Ordering::Relaxed))
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.task.abort();
    }
}
