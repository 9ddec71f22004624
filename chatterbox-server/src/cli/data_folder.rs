//! The data folder of a command that works on what a server has kept.

use std::path::PathBuf;

use chatterbox_server::store::sqlite;

use crate::cli::exit::{self, Failure};
use crate::cli::messages::Messages;

/// The folder, if there is a database in it.
///
/// # Errors
/// That there is none: the folder was mistyped.
pub fn existing(messages: &Messages) -> Result<PathBuf, Failure> {
    let folder = messages.folder();
    if sqlite::exists(&folder) {
        return Ok(folder);
    }
    Err(Failure {
        message: format!("there are no messages and no accounts in {}", folder.display()),
        hint: Some(
            "give the server's folder with --data DIR or --state DIR; it prints it when it starts"
                .into(),
        ),
        code: exit::MESSAGES,
    })
}
