//! Judges clients.

mod judge;
mod runner;
mod subject;

pub use judge::{run, run_watched};
pub use subject::{Client, ClientError};
