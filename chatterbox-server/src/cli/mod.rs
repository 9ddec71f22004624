//! The command line of `chatterbox-server`.

pub mod exit;
pub mod layers;
pub mod settings;
pub mod subcommand;
pub mod user;
