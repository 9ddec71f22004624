//! The Chatterbox server.
//!
//! # The way of a message
//! ```text
//! net::connection   bytes -> frames -> typed actions (chatterbox-proto)
//!   -> sequencer    one writer: groups of messages, in one order
//!   -> backlog      written down first
//!   -> hub          then applied: history, timeline, queues (pure)
//!   -> net::outbox  from each receiver's cursor: shared frames, one write
//! ```
//! [`run`] takes both ends as arguments, listeners and the wish to stop, so that tests can hold them.

pub mod access;
pub mod accounts;
pub mod chat;
pub mod commands;
pub mod config;
pub mod net;
pub mod ops;
mod server;
pub mod store;

pub use config::{Config, Live};
pub use server::{run, run_with};
