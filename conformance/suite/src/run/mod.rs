//! Runs cases against a subject: one scheduler for both sides.

pub mod client;
mod options;
pub mod plan;
mod runner;
pub(crate) mod schedule;
pub mod server;
mod watch;

pub use options::Options;
pub use watch::{Unwatched, Watch};
