//! Sockets: listening, accepting, TLS, and the life of each connection. No rule of the chat is here.

pub mod acceptor;
mod connection;
pub mod context;
mod inbound;
pub mod limits;
pub mod listen;
mod login;
mod long_frame;
mod outbound;
mod poll_on_wake;
mod read_buffer;
mod requests;
mod socket;
mod stream;
pub mod tls;

pub use long_frame::LONG_FRAMES_KIB;
