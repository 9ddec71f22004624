//! The shutdown that somebody has asked for, now or in a while.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer, in a task of its own")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::chat::announcement::shutdown_notice;
use crate::chat::shared::Chat;
use crate::config::{Config, Live};
use crate::ops::clock::unix_now;
use crate::ops::operator::Operator;

/// No server says that it is away for longer, in seconds: a day.
const LATEST: u64 = 24 * 60 * 60;

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
        let back_in = back.map(|back| Duration::from_secs(back.min(LATEST))).or(config.back_in);
        if grace < config.grace || back_in != config.back_in {
            self.config.replace(Config { grace, back_in, ..(*config).clone() });
        }
        let before = Duration::from_secs(seconds).saturating_sub(grace);
        if !before.is_zero() {
            let back_in = back_in.filter(|_| !self.chat.is_in_cluster());
            self.chat.announce(shutdown_notice(Duration::from_secs(seconds), back_in));
        }
        let operator = Arc::clone(&self.operator);
        let timer = tokio::spawn(async move {
            if !before.is_zero() {
                tokio::time::sleep(before).await;
            }
            operator.stop();
        });
        let at = unix_now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        if let Some(earlier) = self.pending().replace(Pending { at, timer }) {
            earlier.timer.abort();
        }
    }
}
