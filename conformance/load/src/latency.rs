//! Latencies of messages, as histograms.
//!
//! With a fixed schedule the time counts from when a message was *to be* sent, so a server that
//! stalls is charged for everything that it held up. In a closed loop a stall also stops the
//! senders, and what they would have sent is missing; [`Latency::corrected`] fills it in, as if each
//! sender had gone on at its mean pace.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest time that is told apart, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// Times of deliveries in microseconds, to three digits.
#[derive(Debug, Clone)]
pub struct Latency {
    histogram: Option<Histogram<u64>>,
}

impl Default for Latency {
    fn default() -> Self {
        // The bounds are constants that a histogram can have.
        Self { histogram: Histogram::new_with_bounds(1, LONGEST, 3).ok() }
    }
}

impl Latency {
    /// Records that many deliveries took this long.
    pub fn record(&mut self, micros: u64, count: u32) {
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record_n(micros.max(1), count.into());
        }
    }

    /// Adds the times of another part of the run.
    pub fn add(&mut self, other: &Self) {
        if let (Some(histogram), Some(other)) = (&mut self.histogram, &other.histogram) {
            // Both have the same bounds.
            let _ = histogram.add(other);
        }
    }

    /// How many deliveries were recorded.
    #[cfg(test)]
    fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// The same with what a stalled sender would have sent, when it sends every `interval`.
    #[must_use]
    pub fn corrected(&self, interval: u64) -> Self {
        let clone = |histogram: &Histogram<u64>| histogram.clone_correct(interval);
        Self { histogram: self.histogram.as_ref().filter(|_| interval > 0).map(clone) }
    }

    /// The figures for a report; `None` when nothing was recorded.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let histogram = self.histogram.as_ref().filter(|histogram| !histogram.is_empty())?;
        let at = |quantile| histogram.value_at_quantile(quantile).min(histogram.max());
        Some(Figures {
            count: histogram.len(),
            mean: histogram.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max(),
            curve: CURVE.iter().map(|quantile| (*quantile, at(*quantile))).collect(),
        })
    }
}

/// The points of the curve: one, nine, ninety-nine... of so many, and what lies between.
const CURVE: &[f64] = &[
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.98, 0.99,
    0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999, 1.0,
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub count: u64,
    pub mean: f64,
    /// Half took at most this.
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    /// Pairs of a quantile from 0 to 1 and its latency.
    pub curve: Vec<(f64, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: u64, expected: u64) -> bool {
        value.abs_diff(expected) <= expected / 200
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latency = Latency::default();
        for micros in 1..=10_000 {
            latency.record(micros, 1);
        }
        let figures = latency.figures().unwrap();
        assert_eq!(figures.count, 10_000);
        for (value, expected) in [
            (figures.p50, 5_000),
            (figures.p90, 9_000),
            (figures.p99, 9_900),
            (figures.max, 10_000),
        ] {
            assert!(near(value, expected), "{value} {expected}");
        }
        assert!(figures.curve.is_sorted_by_key(|(_, value)| *value));
        assert!(Latency::default().figures().is_none());
    }

    #[test]
    fn what_a_stall_held_up_is_filled_in() {
        // 999 deliveries of 1 ms, and one that stood still for a second: at one message a
        // millisecond another 999 would have waited, 999 ms, 998 ms and so on.
        let mut latency = Latency::default();
        latency.record(1_000, 999);
        latency.record(1_000_000, 1);
        let plain = latency.figures().unwrap();
        let corrected = latency.corrected(1_000).figures().unwrap();
        assert!(near(plain.p99, 1_000), "{plain:?}");
        assert_eq!(corrected.count, 1_999);
        assert!(near(corrected.p90, 800_000), "{corrected:?}");
        assert!(near(corrected.max, plain.max));
    }

    #[test]
    fn parts_add_up_and_extremes_are_kept_in_bounds() {
        let (mut one, mut two) = (Latency::default(), Latency::default());
        one.record(0, 2);
        two.record(u64::MAX, 3);
        one.add(&two);
        assert_eq!(one.count(), 5);
        assert!(one.figures().unwrap().max >= LONGEST);
    }
}
