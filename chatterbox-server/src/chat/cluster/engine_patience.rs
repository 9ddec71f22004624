//! Asking an engine that may be away, or may not know better yet, until its answer can be believed.

#![allow(clippy::disallowed_methods, reason = "the edge: asks again by the clock")]

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::chat::cluster::error::ClusterError;
use crate::order::{DOUBT, Order, OrderError, Place, Reach};

/// The time between two attempts: from this to that.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_MOST: Duration = Duration::from_secs(5);

/// The time between two questions to an engine that is doubted.
const DOUBTING: Duration = Duration::from_secs(1);

/// Asks again for as long as the engine does not answer: it may be electing, or be started later than this node.
///
/// # Errors
/// What is no failure to answer.
pub(super) async fn until_answered<'a, T>(
    mut ask: impl FnMut() -> BoxFuture<'a, Result<T, OrderError>>,
) -> Result<T, OrderError> {
    let mut attempts = 0_u32;
    loop {
        match ask().await {
            Err(OrderError::Engine(error)) => {
                // Logged at 1, 2, 4, 8 ...: this may go on for hours.
                attempts = attempts.saturating_add(1);
                if attempts.is_power_of_two() {
                    tracing::warn!(error, count = attempts, "the engine is asked again");
                }
                let pause = AGAIN.saturating_mul(attempts).min(AGAIN_MOST);
                tokio::time::sleep(pause).await;
            }
            answered => return answered,
        }
    }
}

/// The places that can be followed now, by whoever has followed the order up to a place.
///
/// # Errors
/// [`ClusterError::EndsEarly`] when the engine says for long enough that the order ends before it.
pub(super) async fn reach_at_least(
    order: &dyn Order,
    followed: Place,
) -> Result<Reach, ClusterError> {
    let mut doubted: Option<Instant> = None;
    loop {
        let reach = match order.reach().await {
            Ok(reach) => reach,
            Err(_) => {
                // While nobody answers, nobody says the same for long.
                doubted = None;
                until_answered(|| order.reach()).await?
            }
        };
        let last = reach.last;
        if last >= followed {
            return Ok(reach);
        }
        if doubted.is_none() {
            tracing::warn!(
                followed,
                last,
                "the order ends early, as the engine has it: asking again"
            );
        }
        if doubted.get_or_insert_with(Instant::now).elapsed() >= DOUBT {
            return Err(ClusterError::EndsEarly { followed, last });
        }
        tokio::time::sleep(DOUBTING).await;
    }
}
