//! Deadlines that are derived from the subject's own speed.

use std::time::Duration;

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
