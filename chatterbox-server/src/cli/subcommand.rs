//! Subcommands: their arguments, as clap sees them. `run.rs` and `user.rs` execute them; those that control a running server are in
//! `control_command.rs`.

use std::path::PathBuf;

use chatterbox_hub::Level;
use clap::{Args, Subcommand};

#[cfg(feature = "cluster")]
use crate::cli::cluster_command::ClusterCommand;
use crate::cli::control_command::ControlCommand;
use crate::cli::messages::Messages;
use crate::cli::moderation_command::{Audit, Bans};
use crate::cli::settings::Serve;

/// The tasks beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Copy all messages into a new file, also while a server runs
    ///
    /// To restore, stop the server and put the file in the place of chatterbox.db in its data folder.
    Backup {
        /// The file to make
        file: PathBuf,
        #[command(flatten)]
        messages: Messages,
    },
    /// Write all messages to stdout, one JSON object a line, also while a server runs
    Export {
        #[command(flatten)]
        messages: Messages,
    },
    /// Make, change, remove and list accounts, also while a server runs
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Set the password with which the command `elevate` makes an admin, also while a server runs
    AdminPassword(AdminPassword),
    /// Show the audit log: what those who keep order did, the newest first; also while a server runs
    Audit(Audit),
    /// Show who is banned or muted, also while a server runs
    Bans(Bans),
    /// Tasks around several nodes of one chat
    #[cfg(feature = "cluster")]
    Cluster {
        #[command(subcommand)]
        command: ClusterCommand,
    },
    #[command(flatten)]
    Control(ControlCommand),
    /// Print the commands of the chat, as the page of the documentation
    Commands {
        /// In Markdown, which is the only form there is
        #[arg(long)]
        markdown: bool,
    },
    /// Show the settings that are in force, and where each comes from
    Config {
        /// Print a configuration file with every setting and its description instead
        #[arg(long)]
        sample: bool,
        /// Settings as for serving
        #[command(flatten)]
        serve: Box<Serve>,
    },
}

/// Tasks around accounts. A running server is told at once: it ends the logins of a removed account, or of one with another
/// password, and another level counts for who is here. One that can't be told notices by itself within seconds.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account; its password is asked for, or read as one line from a pipe
    Add {
        /// The user's name
        name: String,
        /// What the user may do, from 1 to 5
        #[arg(long, value_name = "LEVEL", default_value = "user", value_parser = level)]
        level: Level,
        #[command(flatten)]
        ask: Ask,
        #[command(flatten)]
        messages: Messages,
    },
    /// Give an account another password, which ends all its logins on other devices
    Passwd {
        /// The user's name
        name: String,
        #[command(flatten)]
        ask: Ask,
        #[command(flatten)]
        messages: Messages,
    },
    /// Say what a user may do: 1 user, 2 helper, 3 moderator, 4 operator, 5 admin
    Level {
        /// The user's name
        name: String,
        /// The number or its name
        #[arg(value_parser = level)]
        level: Level,
        #[command(flatten)]
        messages: Messages,
    },
    /// Remove an account; its name is free for everybody then
    Del {
        /// The user's name
        name: String,
        #[command(flatten)]
        messages: Messages,
    },
    /// Show all accounts
    List {
        #[command(flatten)]
        messages: Messages,
    },
}

/// Arguments of `admin-password`.
#[derive(Debug, Args)]
pub struct AdminPassword {
    /// Take it away: nobody can elevate then
    #[arg(long, conflicts_with = "password_stdin")]
    pub remove: bool,
    #[command(flatten)]
    pub ask: Ask,
    #[command(flatten)]
    pub messages: Messages,
}

/// Where a new password is read from.
#[derive(Debug, Args)]
pub struct Ask {
    /// Read the password as one line from stdin, even if that is a terminal
    #[arg(long)]
    pub password_stdin: bool,
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text)
        .filter(|level| *level > Level::GUEST)
        .ok_or_else(|| "is none of 1 user, 2 helper, 3 moderator, 4 operator, 5 admin".into())
}

impl Command {
    /// The configuration file that was named.
    pub fn config(&self) -> Option<&PathBuf> {
        let messages = match self {
            Self::Config { serve, .. } => return serve.config.as_ref(),
            Self::Backup { messages, .. } | Self::Export { messages } => messages,
            Self::Commands { .. } => return None,
            #[cfg(feature = "cluster")]
            Self::Cluster { command } => return command.config(),
            Self::AdminPassword(command) => &command.messages,
            Self::Audit(command) => &command.messages,
            Self::Bans(command) => &command.messages,
            Self::Control(command) => &command.target().messages,
            Self::User { command } => match command {
                UserCommand::Add { messages, .. }
                | UserCommand::Passwd { messages, .. }
                | UserCommand::Level { messages, .. }
                | UserCommand::Del { messages, .. }
                | UserCommand::List { messages } => messages,
            },
        };
        messages.config.as_ref()
    }
}
