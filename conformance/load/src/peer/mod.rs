//! What members say to servers of other protocols, and what they understand of the answers: bytes
//! in, summaries and bytes out. Nothing here reads or writes a socket.
//!
//! No more of each protocol is here than a room needs in which everybody hears everybody
//! (docs/decisions/0051-other-protocols.md).

mod irc;
mod mqtt;
mod mqtt_packet;
mod partial;
mod room;
mod session;
#[cfg(test)]
mod tests;

pub use session::{PeerSession, envelope};
