//! Name resolution, TCP, TLS and WebSocket towards a subject.

pub mod dial;
mod own_certificate;
mod refusal;
pub mod remarks;
pub mod target;
pub mod tls;
pub mod websocket;
