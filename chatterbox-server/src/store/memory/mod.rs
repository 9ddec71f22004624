//! Messages and accounts in memory, lost with the process.

mod accounts;
mod messages;
mod moderation;
mod rooms;

pub use accounts::Memory as MemoryDirectory;
pub use messages::Memory;
pub use moderation::Memory as MemoryModeration;
