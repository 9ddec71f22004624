//! Sockets: everything that reads, writes, waits or has a deadline, and no rule of the chat.

pub mod acceptor;
pub mod connection;
mod inbound;
pub mod listen;
mod login;
mod long_frame;
mod outbound;
mod poll_on_wake;
mod read_buffer;
mod requests;
mod socket;
pub mod tls;

pub use long_frame::LONG_FRAMES_KIB;
