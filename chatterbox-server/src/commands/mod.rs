//! Commands: what users can ask the server to do, as one table.
//!
//! Each row ([`Spec`]) says what a command is called, what it takes, who may use it and what it does. The catalogue that
//! clients get, `help`, the parsing of arguments, every permission, switching off and on, the commands of base clients and
//! the reference page (`docs/reference/commands.md`) all come from it. Adding a command is adding a function and a row to the file of its family.
//!
//! A [`Executor`] runs the commands of one connection, one at a time. What a command may do with the connection and the chat
//! behind it is a [`ClientPort`]; what all connections share is the [`Desk`].

mod arguments;
mod caller;
mod client_port;
mod context;
mod executor;
mod family;
mod legacy;
mod online;
mod reference;
mod registry;
mod service;
mod state;

pub use arguments::{Arguments, Parameter};
pub use caller::Caller;
pub use client_port::{Amend, ClientPort, PostError};
pub use context::{Context, Done, Rejection, Reply};
pub use executor::{CallQueue, Ended, Executor, Request, executor};
pub use legacy::call as legacy_call;
pub use online::{Online, OnlineGuard};
pub use reference::markdown;
pub use registry::{Spec, TABLE, find};
pub use service::Service;
pub use state::Desk;

#[cfg(test)]
mod tests;
