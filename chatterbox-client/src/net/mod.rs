//! The network: from a host's name to a connection that carries frames.

mod connect;
mod connection;
mod dial;
mod explain;
mod given;
mod keepalive;
mod ssh_session;
mod trust;
mod verify;

pub(crate) use connect::connect;
pub(crate) use connection::{Connection, ReadError, Reader, Writer};
pub(crate) use ssh_session::SshSession;
pub(crate) use trust::Trust;
pub use verify::Fingerprint;
