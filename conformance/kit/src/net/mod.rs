//! Name resolution, TCP and TLS towards a subject.

pub mod dial;
mod own_certificate;
mod refusal;
pub mod target;
pub mod tls;
