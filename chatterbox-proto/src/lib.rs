//! The Chatterbox protocol, and nothing but the protocol.
//!
//! This crate does no I/O, reads no clock and starts no task. Bytes go in, typed values come out, and the other way
//! round; whoever drives it (server, client, a test with two state machines and no socket) owns the rest.
//!
//! # The way of a message
//! ```text
//! bytes -> frame::Decoder -> ClientFrame::parse -> session::JoinedSession -> JoinedAction   (at the server)
//! bytes -> frame::Decoder -> ServerFrame::parse -> session::ClientSession -> Event          (at the client)
//! ```
//! The strict reader is the server's ([`ClientFrame`]): everything that breaks the norm becomes a [`Fault`] that names
//! the clause. The lenient reader is the client's ([`ServerFrame`]): real servers deviate, and a person wants to chat.
//!
//! # Where to find what
//! | to learn or change | go to |
//! |---|---|
//! | length prefix, limits before allocating | [`frame`], [`limits`] |
//! | how JSON is written | [`json`] |
//! | what is spoken beyond the base protocol | [`capability`], one file for each |
//! | the 4-tuple | [`entry`] |
//! | which names are allowed, when two names are the same | [`name`] |
//! | what may reach a screen | [`text`] |
//! | who may say what when | [`session`] |
//! | ERROR and INFO texts | [`code`] |
//!
//! Rules are cited by the ids of `docs/protocol.md` and `docs/capabilities.md`, as in [`clause`].

pub mod capability;
pub mod clause;
pub mod client_frame;
pub mod code;
mod destination;
pub mod entry;
pub mod frame;
pub mod json;
pub mod limits;
pub mod name;
pub mod server_frame;
pub mod session;
pub mod text;

pub use capability::{Capabilities, Capability};
pub use client_frame::{ClientFrame, Messages};
pub use code::{Code, Fault, Faults, Refusal};
pub use destination::Destination;
pub use entry::Entry;
pub use name::{ALL, SERVER, Username};
pub use server_frame::ServerFrame;
pub use text::{ScreenText, WireText};
