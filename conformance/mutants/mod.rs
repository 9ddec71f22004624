//! A small server that does everything right, and one thing wrong when told to.
//!
//! It exists to prove that every case can fail: the kill matrix runs each case against the server
//! without a fault and against the faults that the case names. It is written for that and for
//! nothing else; whoever wants a server takes `chatterbox-server`.

mod capability;
mod chat;
mod client_fault;
mod delivery;
mod fault;
mod faults;
mod inbox;
mod naming;
mod outbox;
mod server;
mod session;

pub use client_fault::{ClientFault, OPPOSITE_CLIENT};
pub use fault::{Fault, OPPOSITE_CHOICES};
pub use faults::Faults;
pub use server::{Mutant, start};
