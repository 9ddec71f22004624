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
    limits: Mutex<Buckets<i64>>,
}

impl Default for UploadPacing {
    fn default() -> Self {
        Self { start: Instant::now(), limits: Mutex::new(Buckets::new(rate(1), ENTRIES)) }
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
    pub fn try_take(&self, account: i64, hourly: u32) -> Result<(), u64> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
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
            pacing.try_take(7, 20).unwrap();
        }
        let wait = pacing.try_take(7, 20).unwrap_err();
        assert!((179..=182).contains(&wait), "{wait}");
        pacing.try_take(8, 20).unwrap();
        tokio::time::advance(Duration::from_secs(wait)).await;
        pacing.try_take(7, 20).unwrap();
    }
}
