//! The flags with which a subcommand finds what a server has kept.

use std::path::PathBuf;

use chatterbox_server::ops::folders;
use clap::Args;

/// The database of messages and accounts. All flags are settings of a server too, with the same variables.
#[derive(Debug, Args)]
pub struct Messages {
    /// Folder of messages and accounts [default: data in --state, else the user's data folder]
    #[arg(long, value_name = "DIR", env = "CHATTERBOX_DATA")]
    pub data: Option<PathBuf>,

    /// Folder of all that a server keeps: messages and accounts are in DIR/data, unless --data says otherwise
    #[arg(long, value_name = "DIR", env = "CHATTERBOX_STATE")]
    pub state: Option<PathBuf>,

    /// Configuration file, which may name the folder
    #[arg(long, value_name = "FILE", env = "CHATTERBOX_CONFIG")]
    pub config: Option<PathBuf>,
}

impl Messages {
    /// The folder of the database, the user's data folder by default.
    pub fn folder(&self) -> PathBuf {
        folders::data(self.data.as_deref(), self.state.as_deref())
    }
}
