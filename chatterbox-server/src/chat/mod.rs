//! The hub behind its lock, one writer of the log, and who is woken.

pub mod notifier;
pub mod paging;
pub mod posts;
pub mod sequencer;
pub mod shared;
pub mod wake_flag;
