//! What time it is for a store: what is too old is judged by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::ops::clock::unix_now;

/// The clock of this machine, or, for a store of a cluster, the time that it is told by the order.
#[derive(Debug, Default)]
pub(super) struct StoreTime {
    order: OrderTime,
    is_of_cluster: bool,
}

/// The time of the order, in seconds since 1970 UTC; 0 before it is told.
#[derive(Debug, Clone, Default)]
pub(super) struct OrderTime(Arc<AtomicI64>);

impl OrderTime {
    /// Tells the time. It never goes back.
    pub(super) fn is(&self, now: i64) {
        self.0.fetch_max(now, Ordering::Relaxed);
    }
}

impl StoreTime {
    /// From now on the order says what time it is.
    pub(super) fn enters_cluster(&mut self) {
        self.is_of_cluster = true;
    }

    /// Where the time of the order is told.
    pub(super) fn order(&self) -> OrderTime {
        self.order.clone()
    }

    /// Seconds since 1970 UTC. In a cluster it is 0 before it is told: nothing is old then.
    pub(super) fn now(&self) -> i64 {
        if self.is_of_cluster { self.order.0.load(Ordering::Relaxed) } else { unix_now() }
    }
}
