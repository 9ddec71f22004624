//! Token buckets: so much at once, and then one in so long, for each account, address or member.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So often at once.
    pub burst: u32,
    /// Then once in so long.
    pub every: Duration,
}

impl Rate {
    /// The part of it that one of so many nodes has which count for themselves, so that together they allow what one would.
    #[must_use]
    pub const fn shared_among(self, nodes: u32) -> Self {
        let nodes = if nodes == 0 { 1 } else { nodes };
        let burst = self.burst / nodes;
        let burst = if burst == 0 { 1 } else { burst };
        Self { burst, every: self.every.saturating_mul(nodes) }
    }

    /// How much may have been used when so many tokens are still there; of more than fit a bucket, when it is full.
    const fn ahead(&self, tokens: u32) -> Duration {
        self.every.saturating_mul(self.burst.saturating_sub(tokens))
    }

    /// How long to wait for so many tokens, or until the bucket is full, when it is full in `full_in`.
    pub(crate) const fn wait(&self, full_in: Duration, tokens: u32) -> Duration {
        full_in.saturating_sub(self.ahead(tokens))
    }

    /// How long so many tokens take.
    pub(crate) const fn price(&self, tokens: u32) -> Duration {
        self.every.saturating_mul(tokens)
    }
}

/// A token bucket for each key.
///
/// Of a bucket only the moment is kept at which it will be full again, and nothing of one that is full. Who fills the table
/// with keys pushes out the buckets that are the fullest, and has spent as many keys on it.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    entries: usize,
    full_at: HashMap<K, Duration>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Full buckets; at most `entries` others are remembered.
    pub fn new(rate: Rate, entries: usize) -> Self {
        Self { rate, entries, full_at: HashMap::new() }
    }

    /// Changes the rate; what is owed stays owed.
    pub fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// How long to wait for a token. `now` is any clock that does not go back.
    pub fn wait(&self, now: Duration, key: &K) -> Duration {
        self.wait_for(now, key, 1)
    }

    /// How long to wait for so many tokens; for more than fit a bucket, until it is full.
    pub fn wait_for(&self, now: Duration, key: &K, tokens: u32) -> Duration {
        let full_in = self.full_at.get(key).map_or(Duration::ZERO, |at| at.saturating_sub(now));
        self.rate.wait(full_in, tokens)
    }

    /// Takes a token; one that is not there yet is owed.
    pub fn take(&mut self, now: Duration, key: &K) {
        self.take_many(now, key, 1);
    }

    /// Takes so many tokens; those that are not there yet are owed.
    pub fn take_many(&mut self, now: Duration, key: &K, tokens: u32) {
        let price = self.rate.price(tokens);
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = (*full_at).max(now).saturating_add(price);
            return;
        }
        if self.full_at.len() >= self.entries {
            self.make_room(now);
        }
        self.full_at.insert(key.clone(), now.saturating_add(price));
    }

    /// Gives so many tokens back that were taken and not used.
    pub fn give_back(&mut self, key: &K, tokens: u32) {
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = full_at.saturating_sub(self.rate.price(tokens));
        }
    }

    /// Takes a token if there is one.
    ///
    /// # Errors
    /// How long to wait for it.
    pub fn try_take(&mut self, now: Duration, key: &K) -> Result<(), Duration> {
        let wait = self.wait(now, key);
        if wait.is_zero() {
            self.take(now, key);
            return Ok(());
        }
        Err(wait)
    }

    /// How many buckets are not known to be full.
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Whether all are full.
    pub fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }

    /// A tenth goes at once, so that a full table is not gone through for every token.
    fn make_room(&mut self, now: Duration) {
        self.full_at.retain(|_, at| *at > now);
        if self.full_at.len() < self.entries {
            return;
        }
        let mut moments: Vec<_> = self.full_at.values().copied().collect();
        moments.sort_unstable();
        let first = moments.get(self.entries / 10).copied().unwrap_or(now);
        let mut spare = self.full_at.len() - self.entries + 1 + self.entries / 10;
        self.full_at.retain(|_, at| {
            let goes = spare > 0 && *at <= first;
            spare -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_burst_and_then_one_in_a_while() {
        let mut buckets = Buckets::new(RATE, 10);
        for _ in 0..3 {
            assert_eq!(buckets.try_take(seconds(100), &"ann"), Ok(()));
        }
        assert_eq!(buckets.try_take(seconds(100), &"ann"), Err(seconds(10)));
        assert_eq!(buckets.try_take(seconds(100), &"bob"), Ok(()), "a bucket of its own");
        assert_eq!(buckets.try_take(seconds(107), &"ann"), Err(seconds(3)));
        assert_eq!(buckets.try_take(seconds(110), &"ann"), Ok(()));
        assert_eq!(buckets.try_take(seconds(110), &"ann"), Err(seconds(10)));
        // A long rest is worth one burst.
        assert_eq!((0..9).filter(|_| buckets.try_take(seconds(999), &"ann").is_ok()).count(), 3);
    }

    /// Nodes that count for themselves allow together what one allows.
    #[test]
    fn a_rate_is_shared_among_nodes() {
        let rate = Rate { burst: 300, every: Duration::from_secs(10) };
        assert_eq!((rate.shared_among(0), rate.shared_among(1)), (rate, rate));
        assert_eq!(rate.shared_among(3), Rate { burst: 100, every: Duration::from_secs(30) });
        assert_eq!(rate.shared_among(1000).burst, 1, "nobody is locked out");
    }

    #[test]
    fn many_tokens_are_waited_for_owed_and_given_back() {
        let mut buckets = Buckets::new(RATE, 10);
        assert_eq!(buckets.wait_for(seconds(0), &"ann", 9), Duration::ZERO, "it is full");
        buckets.take_many(seconds(0), &"ann", 9);
        assert_eq!(buckets.wait(seconds(0), &"ann"), seconds(70), "six are owed");
        assert_eq!(buckets.wait_for(seconds(0), &"ann", 2), seconds(80));
        assert_eq!(buckets.wait_for(seconds(0), &"ann", 100), seconds(90), "until it is full");
        buckets.give_back(&"ann", 7);
        assert_eq!(buckets.wait(seconds(0), &"ann"), Duration::ZERO);
        assert_eq!(buckets.wait_for(seconds(0), &"ann", 2), seconds(10));
        // What was given back is worth no more than a full bucket.
        buckets.give_back(&"ann", 100);
        buckets.give_back(&"bob", 1);
        assert_eq!((0..9).filter(|_| buckets.try_take(seconds(9), &"ann").is_ok()).count(), 3);
    }

    #[test]
    fn the_table_is_bounded_and_the_emptiest_stay() {
        let mut buckets = Buckets::new(RATE, 100);
        for _ in 0..3 {
            buckets.take(seconds(0), &u32::MAX);
        }
        for key in 0..10_000 {
            buckets.take(seconds(0), &key);
            assert!(buckets.len() <= 100);
        }
        assert!(!buckets.wait(seconds(0), &u32::MAX).is_zero());
        buckets.take(seconds(1000), &7);
        assert!(buckets.len() <= 100);
    }

    proptest! {
        #[test]
        fn equals_a_count_of_tokens(steps in prop::collection::vec((0_u32..3, 0_u64..25), 1..60)) {
            let mut buckets = Buckets::new(RATE, 10);
            // Tokens in tenths, and when they were counted.
            let mut naive = [(30_u64, 0_u64); 3];
            let mut now = 0;
            for (key, passed) in steps {
                now += passed;
                let (tokens, counted) = &mut naive[key as usize];
                *tokens = (*tokens + now - *counted).min(30);
                *counted = now;
                let took = buckets.try_take(seconds(now), &key);
                let expected = if *tokens >= 10 { Ok(()) } else { Err(seconds(10 - *tokens)) };
                prop_assert_eq!(took, expected);
                if took.is_ok() {
                    *tokens -= 10;
                }
            }
        }
    }
}
