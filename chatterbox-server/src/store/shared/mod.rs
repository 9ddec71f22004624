//! What all nodes of a cluster store alike, as one node has it.

mod answer;
mod asking;
mod command;
mod directory;
mod failed;
mod file_commands;
mod files;
mod moderation;
mod not_understood;
mod stores;
mod tables;
#[cfg(test)]
mod tests;
mod written;
mod written_file;
mod written_keys;

pub use directory::Shared as SharedDirectory;
pub use files::Shared as SharedFiles;
pub use moderation::Shared as SharedModeration;
pub use stores::Shared as SharedStores;
