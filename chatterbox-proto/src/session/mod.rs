//! The protocol as pure state machines, one for each side of a connection.
//!
//! [`JoiningSession`] and then [`JoinedSession`] turn frames of a client into actions for the server; [`ClientSession`]
//! turns frames of a server into [`Event`]s for its user. None knows of sockets, clocks or other connections.

mod client;
mod server;

pub use client::{ClientSession, Event, Message, Outgoing, Room, SayError};
pub use server::{
    Claim, InFrame, JoinedAction, JoinedSession, JoiningAction, JoiningSession, Posting, Unread,
};

pub use crate::destination::Destination;
