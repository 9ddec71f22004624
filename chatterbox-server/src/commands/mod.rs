//! Commands, as one table from which everything about them is derived.
//!
//! A `Command` (`command.rs`) joins a `Spec` (`spec.rs`), which says what it is called, takes and needs, with a function. The
//! catalogue of clients, `help`, argument parsing, permissions, switching off and on, the commands of base clients and the
//! reference page (`docs/reference/commands.md`) are derived from the specs. To add a command, add its spec and function to
//! a file in `family/`, and a row to the table in `registry.rs`.
//!
//! Each connection has an executor, which runs its commands one at a time. They reach the connection and the chat through
//! a `ClientPort`; all connections share a [`CommandState`].

mod arguments;
mod caller;
mod catalogue;
mod client_port;
mod command;
mod configured;
mod context;
mod executor;
mod family;
mod legacy;
mod member_port;
mod moderating;
mod online;
mod parameter;
mod reference;
mod registry;
mod reply;
mod service;
mod span;
mod spec;
mod state;

pub use configured::{ConfiguredRoomError, configured_rooms};
pub use moderating::ModerationPort;
pub use reference::markdown;
pub use service::Service;
pub use state::CommandState;

#[cfg(test)]
mod tests;
