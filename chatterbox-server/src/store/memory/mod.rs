//! Messages and accounts in memory, lost with the process.

mod accounts;
mod messages;

pub use accounts::Memory as MemoryDirectory;
pub use messages::Memory;
