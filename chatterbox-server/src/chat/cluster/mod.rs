//! A node of several: what it proposes and applies, how it begins, and its life among the others.
//!
//! All nodes follow one order. What is decided there is applied first, and then stored, so that whoever stores is never ahead of
//! what was decided, and whoever starts again finds there what it has not stored.

mod checksums;
mod common;
mod digests;
mod engine_patience;
mod error;
mod follower;
pub(crate) mod guardian;
#[cfg(test)]
pub(crate) mod kit;
mod life;
mod living;
pub mod moving_in;
pub mod moving_out;
mod namesakes;
mod node;
mod progress;
mod pulse;
pub(crate) mod report;
mod rounds;
mod silence;
mod snapshot;
mod starting;
pub mod survey;
mod taking;
mod under_way;

pub use common::{Cluster, Standing};
pub use error::ClusterError;
pub use node::Node;
pub use progress::{Progress, StoredBehind};
pub use pulse::Pulse;

#[cfg(test)]
mod tests;
