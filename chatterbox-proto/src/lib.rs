//! The Chatterbox protocol, and nothing but the protocol.
//!
//! This crate does no I/O, reads no clock and starts no task. It turns bytes into typed values and back; its driver
//! (server, client, or a test with two state machines and no socket) owns the rest.
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
//! | JSON: how it is written, and read within bounds | [`json`] |
//! | the extensions of the base protocol | [`capability`], one file for each |
//! | a message (the 4-tuple) | [`Entry`] |
//! | frames of each direction, with their keys | [`client_frame`], [`server_frame`] |
//! | which names are valid, when two names are the same | [`Username`], [`RoomName`] |
//! | what may reach a screen | [`ScreenText`] |
//! | the state of a connection, what is allowed in it | [`session`] |
//! | ERROR and INFO texts | [`Code`] |
//!
//! Rules are cited by the ids of `docs/protocol.md` and `docs/capabilities.md`, as in [`clause`].

pub mod capability;
pub mod clause;
pub mod client_frame;
mod code;
mod destination;
mod entry;
mod fault;
pub mod frame;
pub mod json;
pub mod limits;
mod lookup_key;
mod name;
mod refusal;
mod room_name;
pub mod server_frame;
pub mod session;
mod text;

pub use capability::{Capabilities, Capability};
pub use client_frame::{ClientFrame, Messages};
pub use code::Code;
pub use destination::Destination;
pub use entry::Entry;
pub use fault::{Fault, Faults};
pub use lookup_key::{LookupKey, NameKey};
pub use name::record::{PlainName, PlainNameRef};
pub use name::{ALL, NameError, SERVER, Username};
pub use refusal::{Exclusion, Refusal};
pub use room_name::RoomName;
pub use server_frame::ServerFrame;
pub use text::{ScreenPieces, ScreenText, WireText, first_bytes, is_bidi_control};
