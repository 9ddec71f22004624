//! Keeping order: who may be here, who may write, what is said in the name of the server, and what is written down of it.

pub(in crate::commands) mod announcing;
pub(in crate::commands) mod auditing;
pub(in crate::commands) mod banning;
pub(in crate::commands) mod host;
pub(in crate::commands) mod kicking;
pub(in crate::commands::family) mod muted;
pub(in crate::commands) mod muting;
pub(in crate::commands) mod reporting;
mod scope;
pub(in crate::commands::family) mod times;
