//! The order: one list of groups of proposals that everybody applies from the front.

mod alone;
#[cfg(test)]
mod contract;
#[cfg(feature = "cluster")]
pub mod jetstream;
mod position;
#[cfg(test)]
pub mod simulated;
mod total_order;

pub use alone::Alone;
pub use position::Position;
pub use total_order::{
    DOUBT, Decided, OfferError, Order, OrderError, Place, Reach, Snapshot, Snapshots,
};
