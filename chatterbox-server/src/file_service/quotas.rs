//! How often and how much may be uploaded, as the settings say.

#![allow(clippy::disallowed_methods, reason = "the edge: tells the rate of uploads the time")]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::{Buckets, Rate};
use tokio::time::Instant;

use crate::config::Config;
use crate::files::Quotas;

/// Accounts whose uploads are counted.
const ENTRIES: usize = 10_000;

/// So many times as often as uploads may begin they may be asked for: one that was cut is gone on with, for which all that is there
/// of it is read and hashed, and one that was refused is asked for again, which in a cluster is a command in the order.
const ASKED: u32 = 10;

/// The time in which so many uploads may begin.
const HOUR: Duration = Duration::from_secs(60 * 60);

impl Quotas {
    /// What the settings say.
    pub fn of(config: &Config) -> Self {
        Self { account: config.file_account, room: config.file_room, all: config.file_total }
    }
}

/// Uploads, for each account.
#[derive(Debug)]
pub struct UploadPacing {
    start: Instant,
    begun: Mutex<Buckets<i64>>,
    asked: Mutex<Buckets<i64>>,
}

impl Default for UploadPacing {
    fn default() -> Self {
        let full = || Mutex::new(Buckets::new(rate(1), ENTRIES));
        Self { start: Instant::now(), begun: full(), asked: full() }
    }
}

fn rate(hourly: u32) -> Rate {
    let burst = hourly.max(1);
    Rate { burst, every: HOUR / burst }
}

impl UploadPacing {
    /// Counts an upload of an account that may begin so many in an hour, if it may begin now.
    ///
    /// # Errors
    /// How many seconds to wait.
    pub fn try_begin(&self, account: i64, hourly: u32) -> Result<(), u64> {
        self.take(&self.begun, account, hourly)
    }

    /// Counts a question of such an account for an upload, whatever it is answered, if it may ask now.
    ///
    /// # Errors
    /// How many seconds to wait.
    pub fn try_ask(&self, account: i64, hourly: u32) -> Result<(), u64> {
        self.take(&self.asked, account, hourly.saturating_mul(ASKED))
    }

    fn take(&self, of: &Mutex<Buckets<i64>>, account: i64, hourly: u32) -> Result<(), u64> {
        let mut limits = of.lock().unwrap_or_else(PoisonError::into_inner);
        limits.set_rate(rate(hourly));
        let taken = limits.try_take(self.start.elapsed(), &account);
        taken.map_err(|wait| wait.as_secs().saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_uploads_begin_in_an_hour() {
        let pacing = UploadPacing::default();
        for _ in 0..20 {
            pacing.try_begin(7, 20).unwrap();
        }
        let wait = pacing.try_begin(7, 20).unwrap_err();
        assert!((179..=182).contains(&wait), "{wait}");
        pacing.try_begin(8, 20).unwrap();
        tokio::time::advance(Duration::from_secs(wait)).await;
        pacing.try_begin(7, 20).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_asked_for_ten_times_as_often() {
        let pacing = UploadPacing::default();
        for _ in 0..200 {
            pacing.try_ask(7, 20).unwrap();
        }
        let wait = pacing.try_ask(7, 20).unwrap_err();
        assert!((17..=20).contains(&wait), "{wait}");
        pacing.try_begin(7, 20).unwrap();
        pacing.try_ask(8, 20).unwrap();
    }
}
