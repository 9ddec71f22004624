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
    /// So much longer an outage may be if the server has said before that it is away for a time.
    pub announced: Duration,
}

impl Default for ReconnectPolicy {
    /// What suits somebody who has not said for how long to try: five minutes, and an hour for which the server has said that it is away.
    fn default() -> Self {
        let announced = Duration::from_secs(60 * 60);
        Self { announced, ..Self::for_at_most(Duration::from_secs(5 * 60)) }
    }
}

impl ReconnectPolicy {
    /// Waits of half a second up to half a minute, and no more tries after `total`, whatever the server says.
    pub fn for_at_most(total: Duration) -> Self {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(30));
        Self { first, longest, total, announced: Duration::ZERO }
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
    /// How much of it the server has announced, beyond what there would have been left.
    announced: Duration,
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
    /// `at_least` is over (NO-4), and all of its clients are told the same time: they come back within a tenth of it.
    pub(crate) fn failed(
        &mut self,
        now: Duration,
        random: u64,
        at_least: Duration,
    ) -> Option<Duration> {
        let policy = self.policy?;
        self.down = true;
        let begun = Outage { since: now, tries: 0, announced: Duration::ZERO };
        let outage = self.outage.get_or_insert(begun);
        let limit = policy.total.saturating_add(outage.announced);
        let mut left = limit.checked_sub(now.saturating_sub(outage.since))?;
        let announced = outage.announced.saturating_add(at_least);
        if at_least > left && announced <= policy.announced {
            outage.announced = announced;
            left = left.saturating_add(at_least);
        }
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
        if !at_least.is_zero() {
            let spread = (at_least / 10).max(policy.first).as_millis();
            let spread = u64::try_from(spread).unwrap_or(u64::MAX).saturating_add(1);
            let spread = Duration::from_millis(random % spread);
            return Some(wait.max(at_least.saturating_add(spread)).min(left).max(at_least));
        }
        // The last try comes exactly at the limit, however long the waits are by then.
        Some(wait.min(left))
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

    #[test]
    fn clients_that_are_told_the_same_time_do_not_come_back_at_once() {
        let policy = ReconnectPolicy::default();
        let wait =
            |random, at_least| Reconnect::new(Some(policy)).failed(S(9), random, at_least).unwrap();
        for (at_least, latest) in [(S(5), S(5) + policy.first), (S(120), S(132))] {
            let waits: Vec<_> = (0..20_000).map(|random| wait(random, at_least)).collect();
            assert_eq!(waits.iter().min(), Some(&at_least));
            assert_eq!(waits.iter().max(), Some(&latest));
        }
    }

    #[test]
    fn a_time_that_the_server_has_announced_is_waited_for_once_and_for_an_hour_at_most() {
        let mut reconnect = Reconnect::new(Some(ReconnectPolicy::default()));
        assert_eq!(reconnect.failed(S(0), 0, S(1200)), Some(S(1200)), "longer than five minutes");
        assert!(reconnect.failed(S(1200), 0, S(0)).is_some(), "and then five minutes");
        assert!(reconnect.failed(S(1499), 0, S(0)).is_some());
        assert_eq!(reconnect.failed(S(1500), 0, S(0)), None);
        assert_eq!(Reconnect::new(Some(ReconnectPolicy::default())).failed(S(0), 0, S(3601)), None);
        // A server that says it again and again keeps nobody for ever.
        let mut reconnect = Reconnect::new(Some(ReconnectPolicy::default()));
        let mut now = S(0);
        while let Some(wait) = reconnect.failed(now, 0, S(900)) {
            now += wait;
            assert!(now <= S(3600 + 300), "{now:?}");
        }
        assert!(now >= S(3600), "{now:?}");
    }
}
