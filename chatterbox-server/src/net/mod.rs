//! Sockets: listening, accepting, TLS, and the life of each connection. No rule of the chat is here.

pub(crate) mod acceptor;
pub(crate) mod ahead;
mod announcing;
pub(crate) mod compressing;
pub(crate) mod connection;
pub(crate) mod connection_kind;
pub(crate) mod context;
pub(crate) mod drain;
pub(crate) mod health;
mod inbound;
mod input_pace;
mod joining;
pub(crate) mod limits;
mod listen;
pub(crate) mod long_frame;
pub(crate) mod long_work;
mod machine_names;
mod minimum_rate;
mod outbound;
mod poll_on_wake;
mod proxied;
mod put_off;
mod read_buffer;
mod reader;
mod requests;
mod round;
pub(crate) mod scrape;
pub(crate) mod socket;
pub(crate) mod stream;
mod tls;
mod transfers;

pub use listen::{ListenError, adopt, listen};
pub use machine_names::reachable;
pub use tls::{
    CertificateSource, TlsError, Transport, authority_file, can_be_certified, client_host,
};
