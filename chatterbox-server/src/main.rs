//! `chatterbox-server HOST -p PORT`: hosts a chat.

mod cli;

use std::ffi::OsString;
use std::process::ExitCode;

use chatterbox_server::ops::file_size;
use clap::error::ErrorKind;

use mimalloc::MiMalloc;

use crate::cli::{Failure, LayerError, USAGE};

/// The allocator of the system keeps most of what was freed after a peak; this one gives it back to the system.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    file_size::refuse_instead_of_dying();
    let settings = match cli::read(&arguments) {
        Ok(settings) => settings,
        Err(LayerError::Arguments(error)) => {
            if let Some((message, hint)) = cli::misunderstood(&arguments, &error) {
                return Failure { message, hint: Some(hint.into()), code: USAGE }.report();
            }
            // A closed stdout or stderr leaves no place to report its own error to.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(USAGE),
            };
        }
        Err(error) => return Failure::from(error).report(),
    };
    match cli::run(settings, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
