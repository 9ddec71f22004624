//! Messages and accounts in memory, lost with the process.

mod accounts;
mod ever_seen;
mod kept_keys;
mod keys;
mod messages;
mod moderation;
mod rooms;
mod visits;

pub use accounts::Memory as MemoryDirectory;
pub use messages::Memory;
pub use moderation::Memory as MemoryModeration;
