//! Slows down whoever guesses, without locking out whom they guess at (AN-6).
//!
//! A try is counted before it is checked, so that a thousand at the same moment are no way around, and taken back when
//! it succeeds. It is counted three times:
//!
//! - for the name from this address: a few are free, then each one doubles the wait;
//! - for the address (IPv6: its /64 network), whatever the name: more are free, since many people may share one;
//! - for the name from everywhere: many are free. Addresses from which its owner got in before are not held up by this
//!   one, or anybody could keep anybody out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// How tries of one kind are slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slope {
    /// Failures that cost nothing.
    pub free: u32,
    /// What the next try waits after as many; each further failure doubles it.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// After so long without a failure nothing is remembered.
    pub forgotten: Duration,
}

const LONGEST: Duration = Duration::from_secs(5 * 60);
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

impl Slope {
    /// So many are free; then one second, two, four, up to five minutes.
    pub const fn after(free: u32) -> Self {
        Self { free, first: Duration::from_secs(1), longest: LONGEST, forgotten: FORGOTTEN }
    }

    /// The part of it that one of so many nodes has which count for themselves, so that together they let hardly more through than one
    /// would. Two are free at each: whoever was wrong once may try again on the same connection (AN-4).
    #[must_use]
    pub const fn shared_among(self, nodes: u32) -> Self {
        let free = self.free / if nodes == 0 { 1 } else { nodes };
        Self { free: if free < 2 { 2 } else { free }, ..self }
    }

    fn wait_after(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// Tries for one name from one address.
pub const NAME_FROM_ADDRESS: Slope = Slope::after(5);
/// Tries from one address: a class may sit behind one.
pub const ADDRESS: Slope = Slope::after(50);
/// Tries for one name from everywhere.
pub const NAME: Slope = Slope::after(100);

/// Entries of each table. Who fills it pushes out what is oldest, and has spent as many addresses or names on it.
pub const ENTRIES: usize = 10_000;

/// Counts failures of one kind.
#[derive(Debug)]
pub struct Counter<K> {
    slope: Slope,
    entries: usize,
    counts: HashMap<K, Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    last: Duration,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    /// Nothing counted yet; of at most `entries` keys anything is remembered.
    pub fn new(slope: Slope, entries: usize) -> Self {
        Self { slope, entries, counts: HashMap::new() }
    }

    /// Changes the slope; what was counted still counts.
    pub const fn set_slope(&mut self, slope: Slope) {
        self.slope = slope;
    }

    /// How long a try has to wait still. `now` is any clock that does not go back.
    pub fn wait(&self, now: Duration, key: &K) -> Duration {
        self.counts.get(key).filter(|count| !self.is_forgotten(now, count)).map_or(
            Duration::ZERO,
            |count| {
                let since = now.saturating_sub(count.last);
                self.slope.wait_after(count.failures).saturating_sub(since)
            },
        )
    }

    /// Counts a try.
    pub fn count(&mut self, now: Duration, key: &K) {
        if let Some(count) = self.counts.get_mut(key) {
            let forgotten = now.saturating_sub(count.last) >= self.slope.forgotten;
            count.failures = if forgotten { 1 } else { count.failures.saturating_add(1) };
            count.last = now;
            return;
        }
        if self.counts.len() >= self.entries {
            self.make_room(now);
        }
        self.counts.insert(key.clone(), Count { failures: 1, last: now });
    }

    /// Takes one back: it was no failure.
    pub fn take_back(&mut self, key: &K) {
        if let Some(count) = self.counts.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
            if count.failures == 0 {
                self.counts.remove(key);
            }
        }
    }

    /// Forgets what was counted for a key.
    pub fn forget(&mut self, key: &K) {
        self.counts.remove(key);
    }

    /// How many keys something is remembered of.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn is_forgotten(&self, now: Duration, count: &Count) -> bool {
        now.saturating_sub(count.last) >= self.slope.forgotten
    }

    /// A tenth goes at once, so that a full table is not gone through for every try.
    fn make_room(&mut self, now: Duration) {
        let slope = self.slope;
        self.counts.retain(|_, count| now.saturating_sub(count.last) < slope.forgotten);
        if self.counts.len() < self.entries {
            return;
        }
        let mut ages: Vec<_> = self.counts.values().map(|count| count.last).collect();
        ages.sort_unstable();
        let oldest = ages.get(self.entries / 10).copied().unwrap_or(now);
        let mut spare = self.counts.len() - self.entries + 1 + self.entries / 10;
        self.counts.retain(|_, count| {
            let goes = spare > 0 && count.last <= oldest;
            spare -= usize::from(goes);
            !goes
        });
    }
}

/// A try that has begun: it is a failure until it is said to have succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a try that is not said to have succeeded was a failure"]
pub struct Try {
    name: String,
    address: IpAddr,
}

/// Too many tries: the next one may be made after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany(pub Duration);

/// Tries to prove who one is.
#[derive(Debug)]
pub struct Throttle {
    pairs: Counter<(String, IpAddr)>,
    addresses: Counter<IpAddr>,
    names: Counter<String>,
    /// From where a name got in, and when.
    known: HashMap<(String, IpAddr), Duration>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            pairs: Counter::new(NAME_FROM_ADDRESS, ENTRIES),
            addresses: Counter::new(ADDRESS, ENTRIES),
            names: Counter::new(NAME, ENTRIES),
            known: HashMap::new(),
        }
    }
}

impl Throttle {
    /// From now on so many nodes count for themselves, and each has its part of all limits. What was counted still counts.
    pub const fn share_among(&mut self, nodes: u32) {
        self.pairs.set_slope(NAME_FROM_ADDRESS.shared_among(nodes));
        self.addresses.set_slope(ADDRESS.shared_among(nodes));
        self.names.set_slope(NAME.shared_among(nodes));
    }

    /// Begins a try, which is counted at once. `address` stands for a network: see [`crate::guard::network`].
    ///
    /// # Errors
    /// [`TooMany`]; what is not allowed is not counted.
    pub fn begin(&mut self, now: Duration, name: &str, address: IpAddr) -> Result<Try, TooMany> {
        let pair = (name.to_owned(), address);
        let from_everywhere = if self.known.contains_key(&pair) {
            Duration::ZERO
        } else {
            self.names.wait(now, &pair.0)
        };
        let wait = self
            .pairs
            .wait(now, &pair)
            .max(self.addresses.wait(now, &address))
            .max(from_everywhere);
        if !wait.is_zero() {
            return Err(TooMany(wait));
        }
        self.pairs.count(now, &pair);
        self.addresses.count(now, &address);
        self.names.count(now, &pair.0);
        Ok(Try { name: pair.0, address })
    }

    /// A try has succeeded: the name is free again for this address, and for no other.
    pub fn succeeded(&mut self, now: Duration, this: Try) {
        self.give_up(&this);
        let pair = (this.name, this.address);
        self.pairs.forget(&pair);
        if self.known.len() >= ENTRIES && !self.known.contains_key(&pair) {
            let oldest = self.known.iter().min_by_key(|(_, since)| **since);
            if let Some(oldest) = oldest.map(|(pair, _)| pair.clone()) {
                self.known.remove(&oldest);
            }
        }
        self.known.insert(pair, now);
    }

    /// A try was not made in the end, for reasons of our own: it does not count.
    pub fn give_up(&mut self, this: &Try) {
        self.pairs.take_back(&(this.name.clone(), this.address));
        self.addresses.take_back(&this.address);
        self.names.take_back(&this.name);
    }
}

#[cfg(test)]
mod tests;
