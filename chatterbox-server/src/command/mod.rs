//! Commands: what users can ask the server to do, as one table.
//!
//! Each row ([`Spec`]) says what a command is called, what it takes, who may use it and what it does. The catalogue that
//! clients get, `help`, the parsing of arguments, every permission, switching off and on, the commands of base clients and
//! the reference page (`docs/reference/commands.md`) all come from it. Adding a command is adding a function and a row to the file of its family.
//!
//! A [`Runner`] runs the commands of one connection, one at a time. What a command may do with the connection and the chat
//! behind it is a [`Line`]; what all connections share is the [`Desk`].

mod account;
mod administration;
mod arguments;
mod authorise;
mod blocking;
mod context;
mod desk;
mod legacy;
mod line;
mod people;
mod reception;
mod reference;
mod runner;
mod session;
mod shutting;
mod table;
mod talk;
mod testing;

pub use arguments::{Arguments, Parameter};
pub use authorise::{Actor, Deed, Denied, Target, authorise};
pub use context::{Context, Done, Refusal, Reply};
pub use desk::{Desk, Presence};
pub use legacy::call as legacy_call;
pub use line::{Line, PostError};
pub use reception::Reception;
pub use reference::markdown;
pub use runner::{Ended, Queue, Request, Runner, runner};
pub use session::{Session, Who};
pub use table::{Spec, TABLE, find};

#[cfg(test)]
mod tests;
