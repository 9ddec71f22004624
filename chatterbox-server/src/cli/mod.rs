//! The command line of `chatterbox-server`.

mod banner;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "cluster")]
mod cluster_command;
#[cfg(feature = "cluster")]
mod cluster_move;
#[cfg(feature = "cluster")]
mod cluster_opening;
#[cfg(feature = "cluster")]
mod cluster_settings;
mod command_line;
mod control;
mod control_command;
mod data_folder;
mod exit;
mod gateways;
mod layers;
mod messages;
mod mistaken;
mod moderation;
mod moderation_command;
mod operator;
mod reload;
mod rooms;
mod run;
mod sample;
mod schema;
mod serve;
mod settings;
mod status;
mod subcommand;
mod user;

pub use exit::{Failure, USAGE};
pub use layers::{LayerError, read};
pub use mistaken::misunderstood;
pub use run::run;
