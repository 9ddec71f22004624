//! The chat: the hub behind its lock, the one way into it, and waking receivers.

mod amended;
pub(crate) mod announcement;
mod applying;
mod batch;
mod by_word;
mod catching_up;
pub(crate) mod census;
pub(crate) mod cluster;
mod doors;
mod elsewhere;
mod files;
pub(crate) mod flood_gate;
pub(crate) mod gauges;
pub(crate) mod handle;
pub(crate) mod history_loading;
pub(crate) mod meta;
pub(crate) mod moderation;
pub(crate) mod notifier;
#[cfg(test)]
pub(crate) mod opened;
pub(crate) mod pace;
pub(crate) mod paging;
pub(crate) mod posts;
pub(crate) mod proposals;
mod replicated;
pub(crate) mod reserved;
mod rooms;
pub(crate) mod sequencer;
pub(crate) mod shared;
pub(crate) mod short_queue;
pub(crate) mod traffic;
pub(crate) mod waiting_mail;
pub(crate) mod wake_flag;
mod wake_round;

pub use handle::Handle;
