//! Completions for shells.

use std::io;

use clap::Command;
use clap_complete::{Generator as _, Shell};

/// The script with which a shell completes a command line.
///
/// # Errors
/// Those of the library, which writes to memory here.
pub fn completions(command: &Command, shell: Shell) -> io::Result<Vec<u8>> {
    let mut command = command.clone();
    let name = command.get_name().to_owned();
    command.set_bin_name(name);
    command.build();
    let mut script = Vec::new();
    shell.try_generate(&command, &mut script)?;
    Ok(script)
}
