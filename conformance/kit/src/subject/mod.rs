//! Finding and starting the server under judgement.

mod descendants;
pub mod environment;
pub mod listening;
pub mod place;
pub mod printed;
pub mod process;
pub mod server;
mod spawn;
