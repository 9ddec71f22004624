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

pub mod account;
pub mod backlog;
pub mod bell;
pub mod bells;
pub mod chat;
pub mod command;
pub mod config;
pub mod gate;
pub mod guard;
pub mod hub;
pub mod net;
pub mod ops;
pub mod pages;
pub mod sequencer;
mod server;

pub use config::{Config, Live};
pub use server::{run, run_with};
