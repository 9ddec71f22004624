//! Does what the command line asks for: serving, or a subcommand.

use std::ffi::OsString;
use std::io::{BufWriter, Write as _};

use chatterbox_server::commands;
use chatterbox_server::store::sqlite::{self, CopyError};

#[cfg(feature = "cluster")]
use crate::cli::cluster;
use crate::cli::data_folder;
use crate::cli::exit::Failure;
use crate::cli::layers::Settings;
use crate::cli::subcommand::Command;
use crate::cli::{control, manual, moderation, sample, serve, user};

/// Serves, runs the subcommand, or writes completions and manual pages.
///
/// # Errors
/// Whatever ends the program with another code than 0.
pub fn run(settings: Settings, arguments: Vec<OsString>) -> Result<(), Failure> {
    if settings.manual.is_asked() {
        return manual::write(&settings.manual);
    }
    let is_given = |key: &str| {
        settings.effective.iter().any(|one| one.setting.key == key && one.value.is_some())
    };
    let by_state = is_given("state") && !is_given("data");
    let outcome = match &settings.command {
        None => serve::serve(settings, arguments),
        Some(command) => subcommand(command, &settings),
    };
    outcome.map_err(|failure| if by_state { failure.naming_state() } else { failure })
}

fn subcommand(command: &Command, settings: &Settings) -> Result<(), Failure> {
    let mut stdout = BufWriter::new(std::io::stdout().lock());
    let written = match command {
        Command::Backup { file, messages } => {
            sqlite::backup(&data_folder::existing(messages)?, file)?;
            eprintln!("chatterbox-server: wrote {}", file.display());
            Ok(())
        }
        Command::Export { messages } => {
            match sqlite::export(&data_folder::existing(messages)?, &mut stdout) {
                Ok(count) => {
                    eprintln!("chatterbox-server: wrote {count} messages");
                    Ok(())
                }
                Err(CopyError::Output(error)) => Err(error),
                Err(error) => return Err(error.into()),
            }
        }
        Command::User { command } => user::user(command, &mut stdout)?,
        Command::AdminPassword(command) => {
            user::admin_password(command)?;
            Ok(())
        }
        Command::Audit(command) => moderation::audit(command, &mut stdout)?,
        Command::Bans(command) => moderation::bans(command, &mut stdout)?,
        #[cfg(feature = "cluster")]
        Command::Cluster { command } => cluster::cluster(command, &mut stdout)?,
        Command::Control(command) => control::control(command, &mut stdout)?,
        Command::Commands { .. } => stdout.write_all(commands::markdown().as_bytes()),
        Command::Config { sample: true, .. } => stdout.write_all(sample::sample().as_bytes()),
        Command::Config { .. } => {
            match &settings.file {
                Some(file) => eprintln!("chatterbox-server: the file is {}", file.display()),
                None => eprintln!("chatterbox-server: there is no configuration file"),
            }
            stdout.write_all(sample::show(settings).as_bytes())
        }
    };
    match written.and_then(|()| stdout.flush()) {
        // `chatterbox-server export | head` is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::output(&error)),
        Ok(()) => Ok(()),
    }
}
