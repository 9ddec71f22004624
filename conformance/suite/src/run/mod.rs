//! Runs cases against a subject.

pub mod client;
mod client_schedule;
pub mod options;
pub(crate) mod schedule;
pub mod server;
pub mod watch;

pub use options::Options;
pub use watch::{Unwatched, Watch};
