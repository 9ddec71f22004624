//! The subcommands around several nodes: their arguments, as clap sees them. `cluster.rs` executes them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::cluster_settings::ClusterSettings;
use crate::cli::keeping::Keeping;
use crate::cli::messages::Messages;

/// Tasks around several nodes.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Look at the engine as a node would: its versions, streams, disks, and whether the log is kept for as long as messages are. Nothing is changed
    Check(Check),
    /// Make a cluster of the database of a server that is stopped: nodes with empty data folders begin with all of it
    ///
    /// Done again after it was interrupted, it goes on. The database is not changed but for a mark: it does not start alone any more, until
    /// `cluster move-out` is done.
    MoveIn(MoveIn),
    /// Make the database of a node that is stopped one that starts alone, without --cluster
    ///
    /// Where the engine is named and answers, it is refused while the other nodes have more.
    MoveOut(MoveOut),
    /// Show what the engine has of a cluster: its servers, the log, snapshots, the nodes that are up, users, rooms. Nothing is changed
    ///
    /// It runs on any machine that reaches the engine, and needs no node.
    Status(Status),
}

/// Arguments of `cluster check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Configuration file, which may say where the engine is
    #[arg(long, value_name = "FILE", env = "CHATTERBOX_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: ClusterSettings,
    #[command(flatten)]
    pub keeping: Keeping,
}

/// Arguments of `cluster move-in`.
#[derive(Debug, Args)]
pub struct MoveIn {
    #[command(flatten)]
    pub messages: Messages,
    #[command(flatten)]
    pub settings: ClusterSettings,
}

/// Arguments of `cluster move-out`.
#[derive(Debug, Args)]
pub struct MoveOut {
    /// Although the cluster has messages or changes that this database has not
    #[arg(long)]
    pub behind: bool,
    #[command(flatten)]
    pub messages: Messages,
    #[command(flatten)]
    pub settings: ClusterSettings,
}

/// Arguments of `cluster status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print one JSON object, for programs
    #[arg(long)]
    pub json: bool,
    /// Configuration file, which may say where the engine is
    #[arg(long, value_name = "FILE", env = "CHATTERBOX_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: ClusterSettings,
}

impl ClusterCommand {
    /// The configuration file that was named.
    pub const fn config(&self) -> Option<&PathBuf> {
        match self {
            Self::Check(check) => check.config.as_ref(),
            Self::MoveIn(command) => command.messages.config.as_ref(),
            Self::MoveOut(command) => command.messages.config.as_ref(),
            Self::Status(status) => status.config.as_ref(),
        }
    }
}
