//! Name resolution, TCP and TLS towards a subject.

pub mod dial;
pub mod target;
pub mod tls;
