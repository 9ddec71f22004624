//! Breaks a cluster on purpose while users talk, and judges what they saw; or soaks one server for hours ([`soak`]).
//!
//! Users with sessions over all nodes keep everything that they do and see ([`evidence`]); faults of nodes and
//! engine are put in meanwhile ([`stage`]). At the end the log is read from each node, page by page, and
//! [`mod@judge`] holds every testimony against it. Nothing here knows the code of the server: what counts is the
//! protocol.

pub mod config;
pub mod evidence;
pub mod judge;
pub mod measure;
pub mod processes;
pub mod report;
mod run;
mod setting;
pub mod soak;
pub mod stage;
mod user;

pub use run::{run, run_until};
pub use setting::Setting;
