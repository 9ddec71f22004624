//! Connections between this stream and clients of tokio-rustls, and one client that breaks every rule.

mod handshaking;
mod hostile;
mod keys;
mod kit;
mod raw_client;
mod reading;
mod sequences;
mod splits;
mod writing;
