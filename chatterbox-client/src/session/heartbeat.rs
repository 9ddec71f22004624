//! The heartbeat of a connection: the server is sent a PING again and again, which tells whether it is there and how long it
//! takes to answer (PI-1).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The time between two PINGs. After this long again without a frame the server is taken for gone.
pub(super) const BEAT: Duration = Duration::from_secs(30);

/// A deadline that is found to be over by more than this was slept through.
const LATE: Duration = Duration::from_secs(5);

/// The latency is the median of so many round trips.
const TRIPS: usize = 5;

/// What is known of the server's life.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// The time of the next PING.
    due: Instant,
    /// The time of the last PING, if nothing was heard since.
    asked: Option<Instant>,
    /// The last PING that has no PONG: its number and its time.
    sent: Option<(i64, Instant)>,
    last: i64,
    trips: VecDeque<Duration>,
}

/// What follows from the silence of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// Nothing: it can't be asked, or nothing is read now.
    Off,
    /// It is asked, which tells how long it takes to answer.
    Asks,
    /// It is asked, and without an answer it is taken for gone.
    GivesUp,
}

impl Watch {
    /// A server is taken for gone only where the session can be resumed, so that a mistake costs nothing.
    pub(super) fn new(can_ask: bool, can_resume: bool) -> Self {
        match (can_ask, can_resume) {
            (false, _) => Self::Off,
            (true, false) => Self::Asks,
            (true, true) => Self::GivesUp,
        }
    }
}

/// What is to be done at a deadline.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a PING of this number.
    Ping(i64),
    /// The server is gone.
    Gone,
}

impl Heartbeat {
    pub(super) fn new(now: Instant) -> Self {
        Self { due: now + BEAT, asked: None, sent: None, last: 0, trips: VecDeque::new() }
    }

    /// There is another connection, perhaps over another way.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self { last: self.last, ..Self::new(now) };
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Instant {
        self.asked.map_or(self.due, |asked| asked + BEAT)
    }

    /// What is to be done now, if the deadline is over.
    pub(super) fn expired(&mut self, watch: Watch, now: Instant) -> Option<Beat> {
        let deadline = self.deadline();
        if watch == Watch::Off || now < deadline {
            return None;
        }
        // Whoever wakes up late was suspended, or did not read. The answer may be there: it is asked for anew.
        if watch == Watch::GivesUp && self.asked.is_some() && now - deadline <= LATE {
            return Some(Beat::Gone);
        }
        self.last = self.last.wrapping_add(1);
        self.asked = Some(now);
        self.sent = Some((self.last, now));
        self.due = now + BEAT;
        Some(Beat::Ping(self.last))
    }

    /// The machine was asleep: the server is asked at once.
    pub(super) fn woken(&mut self, now: Instant) {
        self.asked = None;
        self.due = now;
    }

    /// A frame arrived.
    pub(super) fn heard(&mut self) {
        self.asked = None;
    }

    /// A PONG arrived; one that answers no PING tells nothing.
    pub(super) fn pong(&mut self, number: i64, now: Instant) {
        if let Some((_, at)) = self.sent.take_if(|(sent, _)| *sent == number) {
            if self.trips.len() == TRIPS {
                self.trips.pop_front();
            }
            self.trips.push_back(now.saturating_duration_since(at));
        }
    }

    /// How long the server takes to answer.
    pub(super) fn latency(&self) -> Option<Duration> {
        let mut trips: Vec<_> = self.trips.iter().copied().collect();
        trips.sort_unstable();
        trips.get(trips.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::clock::Clock;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_silent_server_gets_a_ping_and_is_then_taken_for_gone() {
        let start = Clock::start().now();
        let mut heart = Heartbeat::new(start);
        assert_eq!(heart.deadline(), start + BEAT);
        assert_eq!(heart.expired(Watch::GivesUp, start), None);
        assert_eq!(heart.expired(Watch::GivesUp, start + BEAT), Some(Beat::Ping(1)));
        assert_eq!(heart.expired(Watch::GivesUp, start + BEAT), None);
        assert_eq!(heart.deadline(), start + BEAT * 2);
        assert_eq!(heart.expired(Watch::GivesUp, start + BEAT * 2), Some(Beat::Gone));
        heart.heard();
        assert_eq!(
            heart.expired(Watch::GivesUp, start + BEAT * 2),
            Some(Beat::Ping(2)),
            "also where it talks"
        );
        assert!(BEAT * 2 < Duration::from_secs(120), "a dead link is told within two minutes");
    }

    #[test]
    fn a_server_whose_session_can_not_be_resumed_is_asked_and_never_taken_for_gone() {
        let start = Clock::start().now();
        let mut heart = Heartbeat::new(start);
        let watch = Watch::new(true, false);
        for number in 1..9 {
            let due = start + BEAT * u32::try_from(number).unwrap();
            assert_eq!(heart.deadline(), due);
            assert_eq!(heart.expired(watch, due), Some(Beat::Ping(number)));
        }
        heart.pong(8, start + BEAT * 8 + MS(7));
        assert_eq!(heart.latency(), Some(MS(7)));
        assert_eq!(heart.expired(Watch::new(false, true), start + BEAT * 99), None);
    }

    /// A program that was stopped for a while (Ctrl-Z) finds every deadline over; the server may be as lively as ever.
    #[test]
    fn a_client_that_was_suspended_asks_before_it_takes_the_server_for_gone() {
        let start = Clock::start().now();
        let mut heart = Heartbeat::new(start);
        let woken = start + BEAT * 3;
        assert_eq!(heart.expired(Watch::GivesUp, woken), Some(Beat::Ping(1)));
        assert_eq!(heart.expired(Watch::GivesUp, woken), None);
        assert_eq!(heart.deadline(), woken + BEAT);
        // Suspended again, after the PING.
        let later = woken + BEAT * 3;
        assert_eq!(heart.expired(Watch::GivesUp, later), Some(Beat::Ping(2)));
        assert_eq!(heart.expired(Watch::GivesUp, later + BEAT), Some(Beat::Gone));
    }

    #[test]
    fn a_machine_that_was_asleep_asks_at_once() {
        let start = Clock::start().now();
        let mut heart = Heartbeat::new(start);
        assert_eq!(heart.expired(Watch::GivesUp, start + BEAT), Some(Beat::Ping(1)));
        let woken = start + BEAT + MS(10);
        heart.woken(woken);
        assert_eq!(heart.expired(Watch::GivesUp, woken), Some(Beat::Ping(2)));
        assert_eq!(heart.deadline(), woken + BEAT);
    }

    #[test]
    fn the_latency_is_the_median_of_the_last_round_trips() {
        let mut now = Clock::start().now();
        let mut heart = Heartbeat::new(now);
        assert_eq!(heart.latency(), None);
        let mut seen = Vec::new();
        for (number, trip) in (1..).zip([90, 20, 30, 40, 10, 50, 60]) {
            now += BEAT;
            assert_eq!(heart.expired(Watch::GivesUp, now), Some(Beat::Ping(number)));
            // One that answers nothing, or something else.
            heart.pong(number + 1, now);
            heart.pong(number - 1, now);
            heart.heard();
            heart.pong(number, now + MS(trip));
            heart.pong(number, now + MS(1));
            seen.push(heart.latency().unwrap());
        }
        assert_eq!(seen, [90, 90, 30, 40, 30, 30, 40].map(MS));
        assert_eq!(heart.trips.len(), TRIPS);
        heart.restart(now);
        assert_eq!(heart.latency(), None);
    }
}
