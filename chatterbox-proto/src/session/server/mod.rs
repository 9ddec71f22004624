//! The server's side of one connection. Accepting a name turns a [`JoiningSession`] into a [`JoinedSession`].

mod joined;
mod joining;
#[cfg(test)]
mod tests;

pub use joined::{InFrame, JoinedAction, JoinedSession, Posting, Unread};
pub use joining::{Claim, JoiningAction, JoiningSession};
