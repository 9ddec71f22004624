//! `chatterbox-server HOST -p PORT`: hosts a chat.

mod cli;

use std::ffi::OsString;
use std::process::ExitCode;

use chatterbox_server::ops::{allocator, file_size};
use clap::error::ErrorKind;

use crate::cli::{Failure, LayerError, USAGE};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    allocator::give_back_freed_memory(&arguments);
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
