//! How long something took, as counts in buckets: many may add to it at once, and nobody locks anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds. A commit without a sync of the disk takes some of the first ones, one with it
/// those in the middle; whatever is in the last ones is felt by those who chat.
const BOUNDS: [u64; 13] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000,
];

const MICROSECONDS: f64 = 1e6;

/// Times, counted.
#[derive(Debug, Default)]
pub struct Histogram {
    /// How many were above the bound before and not above this one; those above all bounds are the last.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// All together, in microseconds.
    sum: AtomicU64,
}

/// What a [`Histogram`] had at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// The upper bound of each bucket in seconds, and how many were in it and not in the one before.
    pub buckets: Vec<(f64, u64)>,
    /// All together, in seconds.
    pub sum: f64,
    /// How many there were.
    pub count: u64,
}

impl Histogram {
    /// Something has taken so long.
    pub fn add(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < took);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(took, Ordering::Relaxed);
    }

    /// What it has now.
    pub fn read(&self) -> Distribution {
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / MICROSECONDS);
        let counts = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.sum.load(Ordering::Relaxed) as f64 / MICROSECONDS;
        Distribution { buckets, sum, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_the_first_bucket_that_is_not_below_it() {
        let histogram = Histogram::default();
        for micros in [0, 100, 101, 5_000_000, 5_000_001] {
            histogram.add(Duration::from_micros(micros));
        }
        let read = histogram.read();
        let mut counted = read.buckets.clone();
        counted.retain(|(_, count)| *count > 0);
        assert_eq!(counted, [(0.0001, 2), (0.00025, 1), (5.0, 1), (f64::INFINITY, 1)]);
        assert_eq!((read.count, read.buckets.len()), (5, BOUNDS.len() + 1));
        assert!((read.sum - 10.000_202).abs() < 1e-9, "{}", read.sum);
        histogram.add(Duration::MAX);
        assert_eq!(histogram.read().count, 6);
        assert!(BOUNDS.is_sorted(), "a bucket is found by halving");
    }
}
