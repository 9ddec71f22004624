//! Sockets: everything that reads, writes, waits or has a deadline, and no rule of the chat.

pub mod accept;
pub mod connection;
pub mod listen;
mod outbox;
pub mod tls;
