//! The flags with which a subcommand finds what a server has kept.

use std::path::PathBuf;

use chatterbox_server::ops::folders;
use clap::Args;

/// The database of messages and accounts. Both flags are settings of a server too, with the same variables.
#[derive(Debug, Args)]
pub struct Messages {
    /// Folder of messages and accounts [default: the user's data folder]
    #[arg(long, value_name = "DIR", env = "CHATTERBOX_DATA")]
    pub data: Option<PathBuf>,

    /// Configuration file, which may name the folder
    #[arg(long, value_name = "FILE", env = "CHATTERBOX_CONFIG")]
    pub config: Option<PathBuf>,
}

impl Messages {
    /// The folder of the database, the user's data folder by default.
    pub fn folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(folders::data)
    }
}
