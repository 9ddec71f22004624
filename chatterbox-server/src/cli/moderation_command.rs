//! `chatterbox-server audit` and `bans`: their arguments.

use chatterbox_server::config::between;
use clap::Args;

use crate::cli::messages::Messages;

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// Only what was done to this user, or to an address as it was given
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// Only what this user did; SERVER is whoever has the machine
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,

    /// Only what was done in rooms of this name, with or without #
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,

    /// Only what is older than the entry with this number
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<i64>,

    /// So many at most, the newest
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = limit)]
    pub limit: usize,

    /// One JSON object a line
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub messages: Messages,
}

/// Arguments of `bans`.
#[derive(Debug, Args)]
pub struct Bans {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub messages: Messages,
}

fn limit(text: &str) -> Result<usize, String> {
    between(text, 1, 1_000_000)
}
