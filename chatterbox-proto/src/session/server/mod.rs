//! The server's side of one connection.

mod session;
#[cfg(test)]
mod tests;

pub use session::{Action, Claim, InFrame, Posting, ServerSession};
