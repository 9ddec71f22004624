//! Removes what is too old: messages of the history, and of the store of a node of several; the audit log, reports, sanctions that
//! have ended.
//!
//! A node that is alone asks its clock. Nodes of a cluster ask the order, which has one time for all of them: where a clock is
//! wrong, its node would remove what the others still have, or what nobody is to lose.

#![allow(clippy::disallowed_methods, reason = "the edge: waits by the clock, and reads it")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::OwnDevice;

use crate::chat::shared::Chat;
use crate::config::Live;
use crate::moderation::Moderation;
use crate::ops::clock::unix_now;
use crate::store::Store;

/// The time between two checks of the age of the history.
const AGE_CHECKS: Duration = Duration::from_secs(60);

/// The time between two looks for what is old in the audit log and the reports, and for sanctions that don't hold any more.
const ACT_CHECKS: Duration = Duration::from_secs(60 * 60);

/// Whose time decides what is old.
#[derive(Debug, Clone)]
pub(crate) enum Time {
    /// That of this machine.
    Machine,
    /// That of the order, as far as it was applied here.
    Order(Arc<Chat>),
}

impl Time {
    /// Seconds since 1970 UTC; 0 while nothing of the order was applied, when nothing is old.
    fn now(&self) -> i64 {
        match self {
            Self::Machine => unix_now(),
            Self::Order(chat) => i64::try_from(chat.time_of_order() / 1000).unwrap_or(i64::MAX),
        }
    }
}

/// Removes messages when they are older than this; never returns.
pub(crate) async fn forget_messages(
    chat: &Chat,
    store: &dyn Store,
    age: Option<Duration>,
    time: &Time,
) {
    let age = age.and_then(|age| i64::try_from(age.as_secs()).ok());
    loop {
        let now = time.now();
        if let Some(age) = age {
            chat.forget_before(now.saturating_sub(age));
        }
        if matches!(time, Time::Order(_)) {
            store.time_is(now);
        }
        store.forget_sealed(now.saturating_sub(OwnDevice::KEPT_FOR)).await;
        tokio::time::sleep(AGE_CHECKS).await;
    }
}

/// Removes acts of moderation that are old; never returns.
pub(crate) async fn forget_acts(moderation: Option<&Moderation>, config: &Live, time: &Time) {
    let Some(moderation) = moderation else { return std::future::pending().await };
    loop {
        let now = time.now();
        let age = i64::try_from(config.current().audit_days.as_secs()).unwrap_or(i64::MAX);
        if let Err(error) = moderation.forget_by_age(now, now.saturating_sub(age)).await {
            tracing::warn!(%error, "what is old of the audit log is still stored");
        }
        tokio::time::sleep(ACT_CHECKS).await;
    }
}

#[cfg(test)]
mod tests;
