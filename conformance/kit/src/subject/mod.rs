//! A server under judgement: where it is, and how it is started.

pub mod place;
pub mod server;
mod spawn;
