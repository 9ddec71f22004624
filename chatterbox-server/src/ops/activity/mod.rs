//! The activity log: what happened in the chat, as files for whoever runs it. It is off unless it is asked for.
//!
//! There is one file of everything, and one of each user. Of private messages they hold that a user was active, neither the
//! text nor to whom; of rooms that keep nothing they hold nothing.

mod file_name;
mod line;
mod log;
mod rotating;

pub use log::ActivityLog;
