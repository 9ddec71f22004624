//! A small server that does everything right, and one thing wrong when told to.
//!
//! It exists to prove that every case can fail: the kill matrix runs each case against the server
//! without a fault and against the faults that the case names. It is written for that and for
//! nothing else; whoever wants a server takes `chatterbox-server`.

mod capability;
mod chat;
pub mod cluster;
mod delivery;
mod entry;
mod faults;
mod inbox;
mod naming;
mod outbox;
mod power;
pub mod program;
mod server;
mod session;

pub use capability::moderation::STAFF;
pub use faults::Faults;
pub use server::{Mutant, start};
