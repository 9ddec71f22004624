//! The way to a subject: addresses, TCP, TLS.

pub mod dial;
pub mod target;
pub mod tls;
