//! Moving out: what the log has that a database has not followed yet, and would be without as one that starts alone.

#![allow(clippy::disallowed_methods, reason = "the edge: waits for the engine, and not for ever")]

use std::time::Duration;

use chatterbox_hub::{Proposal, Sequence};
use futures_util::stream::StreamExt as _;
use tokio::time::timeout;

use crate::order::{Decided, Order, OrderError, Place};
use crate::store::Followed;

/// How long the engine may take to answer, and for the next place of the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// What lies behind a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behind {
    /// The newest place.
    pub last: Place,
    /// Messages.
    pub messages: u64,
    /// Changes of rooms, accounts, settings, sanctions, reports.
    pub changes: u64,
}

/// Why nobody knows what lies behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BehindError {
    /// The engine does not answer.
    #[error("the engine does not answer: {0}")]
    Unanswered(String),
    /// The engine does not let us in, or can't be used.
    #[error("{0}")]
    Refused(String),
    /// The log ends before what was followed.
    #[error(
        "the log ends at place {last}, and this database has followed one up to {followed}: it is another"
    )]
    EndsEarly {
        /// How far it was followed.
        followed: Place,
        /// The newest place.
        last: Place,
    },
    /// The log goes on behind what was followed, and nobody knows with what.
    #[error(
        "the cluster is ahead, up to place {last}, and the engine does not say with what: {why}"
    )]
    Ahead {
        /// The newest place.
        last: Place,
        /// Why not.
        why: String,
    },
    /// The log can't be read from there.
    #[error(transparent)]
    Order(OrderError),
}

/// Looks what the log has behind what a database has followed, whose newest message has this number.
///
/// # Errors
/// [`BehindError`].
pub async fn look_behind(
    order: &dyn Order,
    followed: Followed,
    newest: Sequence,
) -> Result<Behind, BehindError> {
    const SLOW: &str = "it takes too long";
    let reach = timeout(PATIENCE, order.reach()).await;
    let reach = reach.unwrap_or_else(|_| Err(OrderError::Engine(SLOW.to_owned())));
    let reach = reach.map_err(|error| match error {
        OrderError::Engine(why) => BehindError::Unanswered(why),
        other => BehindError::Order(other),
    })?;
    let Followed { place, .. } = followed;
    if place > reach.last {
        return Err(BehindError::EndsEarly { followed: place, last: reach.last });
    }
    let mut behind = Behind { last: reach.last, ..Behind::default() };
    let mut decided = order.follow(place);
    let mut at = place;
    while at < reach.last {
        let ahead = |why| BehindError::Ahead { last: reach.last, why };
        let next = timeout(PATIENCE, decided.next()).await.map_err(|_| ahead(SLOW.to_owned()))?;
        let next = next.unwrap_or(Err(OrderError::Ended)).map_err(|error| match error {
            OrderError::Engine(why) => ahead(why),
            other => BehindError::Order(other),
        })?;
        at = next.place;
        behind.count(&next, newest);
    }
    Ok(behind)
}

impl Behind {
    /// Whether nothing lies there that a database keeps: nodes tick, and go.
    pub const fn is_nothing(&self) -> bool {
        self.messages == 0 && self.changes == 0
    }

    /// Whether it counts is not asked: who says that something is lost has to be sure.
    fn count(&mut self, decided: &Decided, newest: Sequence) {
        for proposal in &decided.group.proposals {
            match proposal {
                // It is where it came from.
                Proposal::Old(old) if old.number <= newest => {}
                Proposal::Say(_) | Proposal::Old(_) => self.messages += 1,
                Proposal::Room(..) | Proposal::Moderate(_) | Proposal::Store(_) => {
                    self.changes += 1;
                }
                _ => {}
            }
        }
    }
}
