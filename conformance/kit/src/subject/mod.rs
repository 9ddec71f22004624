//! Finding and starting the server under judgement.

pub mod listening;
pub mod place;
pub mod server;
mod spawn;
