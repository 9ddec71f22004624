//! A cluster of processes on this machine, which the run starts, breaks, and ends.

mod cluster;
mod disk;
mod http;
mod namespaces;
mod network;
mod plan;
mod process;
mod proxy;
#[cfg(test)]
mod tests;
mod wall_clock;

pub use cluster::Processes;
pub use plan::{Engine, Node, Plan};
pub use process::ProcessError;
pub use wall_clock::WallClock;
