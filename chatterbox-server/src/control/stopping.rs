//! The shutdown that somebody has asked for, now or in a while.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer, in a task of its own")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::chat::announcement::shutdown_notice;
use crate::chat::shared::Chat;
use crate::config::{Config, Live};
use crate::ops::clock::unix_now;
use crate::ops::operator::{LONGEST_STOP, Operator};

/// Begins the shutdown, once or in a while. A later wish replaces an earlier one that is not due yet.
#[derive(Debug)]
pub(super) struct StopClock {
    chat: Arc<Chat>,
    config: Live,
    operator: Arc<dyn Operator>,
    pending: Mutex<Option<Pending>>,
}

#[derive(Debug)]
struct Pending {
    /// When the grace is over, in seconds since 1970 UTC.
    at: i64,
    timer: JoinHandle<()>,
}

impl StopClock {
    pub(super) fn new(chat: Arc<Chat>, config: Live, operator: Arc<dyn Operator>) -> Self {
        Self { chat, config, operator, pending: Mutex::default() }
    }

    fn pending(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the grace is over, in seconds since 1970 UTC, if somebody has asked for that.
    pub(super) fn stops(&self) -> Option<i64> {
        self.pending().as_ref().map(|pending| pending.at)
    }

    /// For how many seconds whoever is here may stay, when this is asked for.
    pub(super) fn seconds(&self, asked: Option<u64>) -> u64 {
        asked.unwrap_or_else(|| self.config.current().grace.as_secs())
    }

    /// Stops the server after so many seconds, of which the last are the grace of every shutdown: nobody new gets in then. Those
    /// who are here are told at once, and when the server is expected back, if that is said here or in the settings.
    pub(super) fn begin(&self, asked: Option<u64>, back: Option<u64>) {
        let seconds = self.seconds(asked);
        let config = self.config.current();
        let grace = config.grace.min(Duration::from_secs(seconds));
        let back = back.map(|back| Duration::from_secs(back.clamp(1, LONGEST_STOP)));
        let before = Duration::from_secs(seconds).saturating_sub(grace);
        let back_in_s = back.or(config.back_in).map(|back| back.as_secs());
        tracing::info!(in_s = seconds, back_in_s, "a stop was asked for");
        if !before.is_zero() {
            let back_in = back.or(config.back_in).filter(|_| !self.chat.is_in_cluster());
            // In this order nobody is left out; somebody who comes in between is told twice.
            self.chat.doors().ends_in(Duration::from_secs(seconds), back_in);
            self.chat.announce(shutdown_notice(Duration::from_secs(seconds), back_in));
        }
        let (operator, live) = (Arc::clone(&self.operator), self.config.clone());
        let timer = tokio::spawn(async move {
            if !before.is_zero() {
                tokio::time::sleep(before).await;
            }
            // What was asked for is of this shutdown alone, so it becomes a setting no sooner: whoever reads the settings again
            // meanwhile does not undo it, and another wish does not find it there.
            let config = live.current();
            let back_in = back.or(config.back_in);
            live.replace(Config { grace, back_in, ..(*config).clone() });
            operator.stop();
        });
        let at = unix_now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        if let Some(earlier) = self.pending().replace(Pending { at, timer }) {
            earlier.timer.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::{Hub, Keep, TimelineLimits};
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::*;
    use crate::chat::proposals;
    use crate::ops::operator::{Facts, Reloaded};

    /// The grace of a shutdown, and when the server is expected back.
    type Told = (Duration, Option<Duration>);

    /// Tells each stop with the settings of its moment.
    #[derive(Debug)]
    struct Process(Live, UnboundedSender<Told>);

    impl Operator for Process {
        fn reload(&self) -> Reloaded {
            Reloaded::default()
        }

        fn stop(&self) {
            self.1.send(told(&self.0)).unwrap();
        }

        fn facts(&self) -> Facts {
            Facts::default()
        }
    }

    const GRACE: Duration = Duration::from_secs(5);

    fn told(live: &Live) -> Told {
        let config = live.current();
        (config.grace, config.back_in)
    }

    fn clock() -> (StopClock, Live, UnboundedReceiver<Told>) {
        let (proposals, _) = proposals::queue();
        let chat = Chat::new(Hub::new(TimelineLimits::default(), Keep::default()), proposals);
        let live = Live::new(Config { grace: GRACE, ..Config::default() });
        let (sender, stops) = unbounded_channel();
        let operator = Arc::new(Process(live.clone(), sender));
        (StopClock::new(Arc::new(chat), live.clone(), operator), live, stops)
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn settings_that_are_read_again_undo_no_stop_that_waits() {
        let (clock, live, mut stops) = clock();
        clock.begin(Some(600), Some(1200));
        tokio::time::sleep(seconds(300)).await;
        assert_eq!(told(&live), (GRACE, None), "no setting before it is due");
        let banner = Some("read again".to_owned());
        live.replace(Config { grace: seconds(60), banner, ..Config::default() });
        assert_eq!(stops.recv().await, Some((GRACE, Some(seconds(1200)))), "as it was told");
        assert!(live.current().banner.is_some(), "and all else as it was read");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_has_nothing_of_the_one_that_it_replaces() {
        let (clock, _, mut stops) = clock();
        clock.begin(Some(100), Some(1200));
        clock.begin(Some(300), None);
        assert_eq!(stops.recv().await, Some((GRACE, None)));
        assert!(stops.try_recv().is_err(), "the first one is not due any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_expected_back_in_a_second_to_a_day_also_when_the_end_is_hurried() {
        let (clock, _, mut stops) = clock();
        for (asked, expected) in
            [(Some(0), 1), (Some(u64::MAX), LONGEST_STOP), (None, LONGEST_STOP)]
        {
            clock.begin(Some(0), asked);
            assert_eq!(stops.recv().await, Some((Duration::ZERO, Some(seconds(expected)))));
        }
    }
}
