//! Judges servers.

mod find;
mod judge;
pub(crate) mod runner;
mod subject;

pub use judge::{run, run_watched};
pub use subject::{RunError, Subject};
