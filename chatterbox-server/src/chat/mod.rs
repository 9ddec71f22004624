//! The chat: the hub behind its lock, the one writer of the log, and waking receivers.

pub(crate) mod handle;
pub(crate) mod notifier;
pub(crate) mod paging;
pub(crate) mod posts;
pub(crate) mod reserved;
pub(crate) mod sequencer;
pub(crate) mod shared;
pub(crate) mod wake_flag;

pub use handle::Handle;
