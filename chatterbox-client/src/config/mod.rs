//! The configuration: `client.toml` in the user's configuration folder, or the file of `--config`.

mod file;
mod read;
mod sample;
mod servers;

pub(crate) use file::{Config, Mode, NotifyBy};
pub(crate) use read::load;
pub(crate) use sample::sample;
pub(crate) use servers::with_server;
