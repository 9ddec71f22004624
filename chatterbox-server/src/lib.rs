//! The Chatterbox server.
//!
//! # The way of a message
//! ```text
//! net::connection   bytes -> frames -> typed actions (chatterbox-proto)
//!   -> chat::proposals  the queue of all that is to change the chat
//!   -> sequencer    one proposer: groups of what has come meanwhile
//!   -> store        the messages: written down first
//!   -> order        where the group has its place
//!   -> hub          then applied: history, timeline, queues (chatterbox-hub, pure)
//!   -> chat::notifier, which wakes the receivers
//!   -> net::outbound  from each receiver's cursor: shared frames, one write
//! ```
//! [`run`] takes listeners and the wish to stop as arguments, so that tests can hold both ends.

pub mod access;
mod account_watch;
pub mod accounts;
mod aging;
mod chat;
pub mod commands;
pub mod config;
mod configured_rooms;
pub mod control;
pub mod file_service;
pub mod files;
mod flood;
pub mod gateway;
mod keys;
mod listeners;
mod marks;
mod metrics;
pub mod moderation;
pub mod net;
pub mod ops;
pub mod order;
mod pacing;
mod proposing;
mod server;
mod sharing;
pub mod store;

pub use chat::Handle;
pub use chat::cluster::moving_in::{MoveError, MoveIn, Moved, Moving};
pub use chat::cluster::moving_out::{Behind, BehindError, look_behind};
pub use chat::cluster::survey::{Survey, SurveyedNode, survey};
pub use chat::cluster::{Cluster, ClusterError};
pub use config::{Config, Live};
pub use listeners::Listeners;
pub use server::{Operation, run, run_controlled, run_with};
