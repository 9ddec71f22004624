//! Sends a server sessions that are nearly right, and watches whether it stays right.
//!
//! [`grammar`] makes them up, [`oracle`] says what must hold, [`shrink`](mod@shrink) makes a finding
//! small, and a [`transcript`] can be played again.

pub mod grammar;
pub mod oracle;
mod run;
pub mod shrink;
pub mod transcript;

pub use run::{FuzzError, FuzzOptions, FuzzReport, replay, run};
