//! The ceiling of this machine: a server that only writes, measured like any other.

mod batcher;
mod history;
pub mod measure;
pub mod server;

pub use batcher::Batches;
