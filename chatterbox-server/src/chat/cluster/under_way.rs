//! The group of this node that is on its way through the order.
//!
//! There is one at a time: of several, an engine may store the later one first. Whether the engine has said that it has it matters
//! little. It is done when it has come round, and it is offered until then.

#![allow(clippy::disallowed_methods, reason = "the edge: offers again by the clock")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::Group;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::chat::batch::Batch;
use crate::order::{OfferError, Order};

/// A group that was taken comes round within this time; afterwards it is offered again.
const ROUND: Duration = Duration::from_secs(5);

/// A group of which nobody knows whether it was taken is offered again after this time.
const UNCONFIRMED: Duration = Duration::from_millis(250);

/// A group under way.
pub(super) struct UnderWay<'a> {
    pub(super) group: Arc<Group>,
    /// Who waits for what becomes of it.
    pub(super) batch: Batch,
    order: &'a dyn Order,
    offering: Option<BoxFuture<'a, Result<(), OfferError>>>,
    /// When it was offered last, or is to be offered next.
    at: Instant,
    /// How often the engine has not confirmed it.
    unconfirmed: u32,
}

impl<'a> UnderWay<'a> {
    pub(super) fn new(group: Group, batch: Batch, order: &'a dyn Order) -> Self {
        let group = Arc::new(group);
        let offering = Some(order.offer(Arc::clone(&group)));
        Self { group, batch, order, offering, at: Instant::now(), unconfirmed: 0 }
    }

    /// Offers it until whoever polls this has seen it come round, or the order does not take it: says why not then. May be dropped
    /// and called again at any time.
    pub(super) async fn keep_offering(&mut self) -> String {
        loop {
            let Some(offering) = &mut self.offering else {
                tokio::time::sleep_until(self.at).await;
                self.at = Instant::now();
                self.offering = Some(self.order.offer(Arc::clone(&self.group)));
                continue;
            };
            // One that hangs is given up, too: it may have got lost.
            let offered = tokio::time::timeout_at(self.at + ROUND, offering).await;
            self.offering = None;
            self.at = Instant::now();
            match offered {
                Ok(Ok(())) => self.at += ROUND,
                // The first attempt says so, or none does: it is nowhere.
                Ok(Err(OfferError::TooLarge(why))) => return why,
                Ok(Err(OfferError::Unconfirmed(why))) => {
                    self.note_unconfirmed(&why);
                    self.at += UNCONFIRMED;
                }
                Err(_) => self.note_unconfirmed("it does not answer"),
            }
        }
    }

    /// Logged at 1, 2, 4, 8 ...: an engine that is away confirms nothing.
    fn note_unconfirmed(&mut self, why: &str) {
        self.unconfirmed = self.unconfirmed.saturating_add(1);
        if self.unconfirmed.is_power_of_two() {
            tracing::warn!(why, count = self.unconfirmed, "a group is offered again");
        }
    }
}
