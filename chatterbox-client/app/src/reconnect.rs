//! Reconnecting: jittered exponential back-off with a time limit. Clock and random numbers are arguments.

use std::time::Duration;

/// The waits between the tries to connect again, and the limit of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconnectPolicy {
    /// The longest first wait; it doubles with each further try.
    pub first: Duration,
    /// The limit of a single wait.
    pub longest: Duration,
    /// The limit of an outage: after this time there are no more tries.
    pub total: Duration,
}

impl ReconnectPolicy {
    /// Waits of half a second up to half a minute.
    pub fn for_at_most(total: Duration) -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30), total }
    }
}

/// Whether the session is without a connection, and how often the next one was tried.
#[derive(Debug)]
pub(crate) struct Reconnect {
    policy: Option<ReconnectPolicy>,
    down: bool,
    /// The tries since the connection was lost. They go on counting after a reconnect until the new connection has
    /// proved useful, so a message that kills each connection can't cause endless tries.
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Duration,
    tries: u32,
}

impl Reconnect {
    /// Starts with a connection. Without a policy it is never tried again.
    pub(crate) fn new(policy: Option<ReconnectPolicy>) -> Self {
        Self { policy, down: false, outage: None }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down
    }

    /// The limit of an outage, if there are tries at all.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.policy.map(|policy| policy.total)
    }

    /// The connection is lost, or a try failed, at `now` of a monotonic clock. Returns the wait before the next try;
    /// `None` when the limit is reached. `random` may be any number; the server does not want to be tried before
    /// `at_least` is over (NO-4).
    pub(crate) fn failed(
        &mut self,
        now: Duration,
        random: u64,
        at_least: Duration,
    ) -> Option<Duration> {
        let policy = self.policy?;
        self.down = true;
        let outage = self.outage.get_or_insert(Outage { since: now, tries: 0 });
        let left = policy.total.checked_sub(now.saturating_sub(outage.since))?;
        if left.is_zero() || at_least > left {
            return None;
        }
        let doubled =
            policy.first.saturating_mul(1_u32.checked_shl(outage.tries).unwrap_or(u32::MAX));
        let full = doubled.min(policy.longest);
        outage.tries = (outage.tries + 1).min(31);
        // Jitter between half the wait and all of it, so that a restarted server does not get all clients at once.
        let millis = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
        let wait = Duration::from_millis(millis + random % (millis + 1));
        // The last try comes exactly at the limit, however long the waits are by then.
        Some(wait.min(left).max(at_least))
    }

    /// The session was resumed on a new connection.
    pub(crate) fn resumed(&mut self) {
        self.down = false;
    }

    /// The server made progress on this connection: the next outage starts its tries anew.
    pub(crate) fn proved_useful(&mut self) {
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
        let waits: Vec<_> =
            (0..9).map(|_| reconnect.failed(S(0), u64::MAX, S(0)).unwrap()).collect();
        for (wait, full) in waits.iter().zip([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]) {
            let millis = u64::try_from(wait.as_millis()).unwrap();
            assert!(millis >= full / 2 && millis <= full, "{waits:?}");
        }
        reconnect.resumed();
        assert!(!reconnect.is_down());
        assert!(
            reconnect.failed(S(0), 0, S(0)).unwrap() > Duration::from_secs(10),
            "it was good for nothing"
        );
        reconnect.resumed();
        reconnect.proved_useful();
        assert!(reconnect.failed(S(0), 0, S(0)).unwrap() <= Duration::from_millis(500));
    }

    #[test]
    fn every_random_number_gives_a_wait_between_half_and_all() {
        let policy = ReconnectPolicy::for_at_most(S(60));
        let waits: Vec<_> = (0..1000)
            .map(|random| Reconnect::new(Some(policy)).failed(S(5), random, S(0)).unwrap())
            .collect();
        assert_eq!(waits.iter().min(), Some(&Duration::from_millis(250)));
        assert_eq!(waits.iter().max(), Some(&Duration::from_millis(500)));
    }

    #[test]
    fn it_is_given_up_after_the_total_and_tried_at_its_end() {
        let mut reconnect = Reconnect::new(Some(ReconnectPolicy::for_at_most(S(10))));
        let mut now = S(1000);
        let mut tries = 0;
        while let Some(wait) = reconnect.failed(now, 7, S(0)) {
            now += wait;
            tries += 1;
            assert!(tries < 100);
        }
        assert_eq!(now, S(1010));
        assert_eq!(Reconnect::new(None).failed(S(0), 0, S(0)), None);
    }

    #[test]
    fn the_server_may_ask_for_a_longer_wait_but_not_beyond_the_limit() {
        let mut reconnect = Reconnect::new(Some(ReconnectPolicy::for_at_most(S(10))));
        assert_eq!(reconnect.failed(S(0), 0, S(5)), Some(S(5)));
        assert!(reconnect.failed(S(5), 0, S(0)).unwrap() < S(1), "the next try waits as usual");
        assert_eq!(reconnect.failed(S(6), 0, S(5)), None);
    }
}
