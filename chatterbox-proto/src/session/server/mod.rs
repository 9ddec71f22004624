//! The server's side of one connection: a name first, then messages.

mod joined;
mod joining;
#[cfg(test)]
mod tests;

pub use joined::{InFrame, JoinedAction, JoinedSession, Posting};
pub use joining::{Claim, JoiningAction, JoiningSession};
