//! A node of several: what it proposes and applies, and how it begins.
//!
//! All nodes follow one order. What is decided there is applied first, and then stored, so that whoever stores is never ahead of
//! what was decided, and whoever starts again finds there what it has not stored.

mod common;
mod error;
mod follower;
#[cfg(test)]
pub(crate) mod kit;
mod node;
mod progress;
mod starting;
mod under_way;

pub use common::{Cluster, Standing};
pub use error::ClusterError;
pub use node::Node;
pub use progress::{Progress, StoredBehind};

#[cfg(test)]
mod tests;
