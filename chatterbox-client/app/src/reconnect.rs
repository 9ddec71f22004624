//! Whether there is a connection, and when the next one is tried: a jittered exponential back-off.
//!
//! Nothing here knows a clock or a random number: both are given.

use std::time::Duration;

/// How a lost connection is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconnectPolicy {
    /// About how long the first wait is; each further one is twice as long.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// After this long without a session it is given up.
    pub total: Duration,
}

impl ReconnectPolicy {
    /// Begins with half a second, and never waits longer than half a minute.
    pub fn for_at_most(total: Duration) -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30), total }
    }
}

/// The state of the connection.
#[derive(Debug)]
pub struct Reconnect {
    policy: Option<ReconnectPolicy>,
    down: bool,
    /// Since when, and how often it was tried. It outlives the connection that came about: only when that is good for
    /// something, the next outage is another one.
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Duration,
    tries: u32,
}

impl Reconnect {
    /// A connection that is there. Without a policy it is not tried again.
    pub fn new(policy: Option<ReconnectPolicy>) -> Self {
        Self { policy, down: false, outage: None }
    }

    /// Whether the session is waiting for a connection.
    pub fn is_down(&self) -> bool {
        self.down
    }

    /// How long it is tried, if at all.
    pub fn limit(&self) -> Option<Duration> {
        self.policy.map(|policy| policy.total)
    }

    /// The connection is gone, or the next one failed, at `now` of a clock that never goes back: after how long the next
    /// one is tried. `None` when that is over. Any random number will do.
    pub fn failed(&mut self, now: Duration, random: u64) -> Option<Duration> {
        let policy = self.policy?;
        self.down = true;
        let outage = self.outage.get_or_insert(Outage { since: now, tries: 0 });
        let left = policy.total.checked_sub(now.saturating_sub(outage.since))?;
        if left.is_zero() {
            return None;
        }
        let doubled =
            policy.first.saturating_mul(1_u32.checked_shl(outage.tries).unwrap_or(u32::MAX));
        let full = doubled.min(policy.longest);
        outage.tries = (outage.tries + 1).min(31);
        // Between half of it and all: when a server comes back, not everybody is there at once.
        let millis = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
        let wait = Duration::from_millis(millis + random % (millis + 1));
        // The last try comes at the end, however long the waits are by then.
        Some(wait.min(left))
    }

    /// The session goes on.
    pub fn resumed(&mut self) {
        self.down = false;
    }

    /// The connection is good for something. One that a message kills each time never is.
    pub fn proved_useful(&mut self) {
        if !self.down {
            self.outage = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut reconnect = Reconnect::new(Some(ReconnectPolicy::for_at_most(S(3600))));
        let waits: Vec<_> = (0..9).map(|_| reconnect.failed(S(0), u64::MAX).unwrap()).collect();
        for (wait, full) in waits.iter().zip([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]) {
            let millis = u64::try_from(wait.as_millis()).unwrap();
            assert!(millis >= full / 2 && millis <= full, "{waits:?}");
        }
        reconnect.resumed();
        assert!(!reconnect.is_down());
        assert!(
            reconnect.failed(S(0), 0).unwrap() > Duration::from_secs(10),
            "it was good for nothing"
        );
        reconnect.resumed();
        reconnect.proved_useful();
        assert!(reconnect.failed(S(0), 0).unwrap() <= Duration::from_millis(500));
    }

    #[test]
    fn every_random_number_gives_a_wait_between_half_and_all() {
        let policy = ReconnectPolicy::for_at_most(S(60));
        let waits: Vec<_> = (0..1000)
            .map(|random| Reconnect::new(Some(policy)).failed(S(5), random).unwrap())
            .collect();
        assert_eq!(waits.iter().min(), Some(&Duration::from_millis(250)));
        assert_eq!(waits.iter().max(), Some(&Duration::from_millis(500)));
    }

    #[test]
    fn it_is_given_up_after_the_total_and_tried_at_its_end() {
        let mut reconnect = Reconnect::new(Some(ReconnectPolicy::for_at_most(S(10))));
        let mut now = S(1000);
        let mut tries = 0;
        while let Some(wait) = reconnect.failed(now, 7) {
            now += wait;
            tries += 1;
            assert!(tries < 100);
        }
        assert_eq!(now, S(1010));
        assert_eq!(Reconnect::new(None).failed(S(0), 0), None);
    }
}
