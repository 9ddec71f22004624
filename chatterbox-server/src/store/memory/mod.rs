//! Messages and accounts in memory, lost with the process.

mod accounts;
mod backlog;

pub use accounts::Memory as MemoryDirectory;
pub use backlog::Memory;
