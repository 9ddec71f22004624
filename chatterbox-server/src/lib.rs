//! The Chatterbox server.
//!
//! # The way of a message
//! ```text
//! net::connection   bytes -> frames -> typed actions (chatterbox-proto)
//!   -> chat::posts  a bounded queue
//!   -> sequencer    one writer: groups of messages, in one order
//!   -> store        the messages: written down first
//!   -> hub          then applied: history, timeline, queues (chatterbox-hub, pure)
//!   -> chat::notifier, which wakes the receivers
//!   -> net::outbound  from each receiver's cursor: shared frames, one write
//! ```
//! [`run`] takes listeners and the wish to stop as arguments, so that tests can hold both ends.

pub mod access;
pub mod accounts;
mod chat;
pub mod commands;
pub mod config;
pub mod net;
pub mod ops;
mod pacing;
mod server;
pub mod store;

pub use chat::Handle;
pub use config::{Config, Live};
pub use server::{run, run_with};
