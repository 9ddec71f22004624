//! Messages and accounts that live as long as the process.

mod accounts;
mod backlog;

pub use accounts::Memory as MemoryDirectory;
pub use backlog::Memory;
