//! Who may say what when: one pure state machine for each side of a connection.
//!
//! [`ServerSession`] turns frames of a client into [`Action`]s for the server; [`ClientSession`] turns frames of a
//! server into [`Event`]s for a person. Neither knows of sockets, clocks or other connections.

mod client;
mod server;

pub use client::{ClientSession, Event, Message, Said, SayError};
pub use server::{Action, Claim, InFrame, Posting, ServerSession};

pub use crate::destination::Destination;
