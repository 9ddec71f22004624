//! `--completions` and `--man`.

use std::io::ErrorKind;

use chatterbox_manual::{ManualArguments, ManualError};

use crate::cli::command_line::parser;
use crate::cli::exit::{self, Failure};

/// Writes what is asked for.
///
/// # Errors
/// Output that can't be written, except to a reader that has gone; a folder that can't be.
pub fn write(asked: &ManualArguments) -> Result<(), Failure> {
    match asked.write(&parser(), &mut std::io::stdout().lock()) {
        Ok(()) => Ok(()),
        Err(ManualError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(ManualError::Output(error)) => Err(Failure::output(&error)),
        Err(error @ ManualError::Page { .. }) => {
            Err(Failure { message: error.to_string(), hint: None, code: exit::MESSAGES })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_and_pages_name_every_flag() {
        assert_eq!(chatterbox_manual::check::unnamed(&parser()).unwrap(), [""; 0]);
    }
}
