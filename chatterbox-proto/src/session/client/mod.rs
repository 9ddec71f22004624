//! The client's side of one user's session.

mod event;
mod numbered;
mod roster;
mod seen;
mod sent;
mod session;
#[cfg(test)]
mod tests;
mod welcome;

pub use event::{Event, Message};
pub use session::{ClientSession, Said, SayError};
