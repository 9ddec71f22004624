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
#[cfg(feature = "cluster")]
mod cluster_status;
mod command_line;
mod control;
mod control_command;
mod data_folder;
mod ended;
mod exit;
mod gateways;
mod inherited;
mod keeping;
mod layers;
#[cfg(feature = "cluster")]
mod log_limits;
mod manual;
mod messages;
mod mistaken;
mod moderation;
mod moderation_command;
mod nodes;
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
mod words;

pub use exit::{Failure, USAGE};
pub use layers::{LayerError, read};
pub use mistaken::misunderstood;
pub use run::run;
