//! The data folder of a command that works on what a server has kept.

use std::io;
use std::path::{Path, PathBuf};

use chatterbox_server::store::sqlite;

use crate::cli::exit::{self, Failure};
use crate::cli::messages::Messages;

/// The folder, if there is a database in it.
///
/// # Errors
/// That there is none, because the folder was mistyped, and that the folder can't be looked into.
pub fn existing(messages: &Messages) -> Result<PathBuf, Failure> {
    let folder = messages.folder();
    let found = sqlite::try_exists(&folder);
    if matches!(found, Ok(true)) {
        return Ok(folder);
    }
    Err(missing(&folder, found.err().as_ref()))
}

/// The failure where no database was found; `error` is that of looking for it.
fn missing(folder: &Path, error: Option<&io::Error>) -> Failure {
    if error.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
        return Failure {
            message: format!("no permission to read {}", folder.display()),
            hint: Some("run this as the user whose server it is, or as root".into()),
            code: exit::FORBIDDEN,
        };
    }
    Failure {
        message: format!("there are no messages and no accounts in {}", folder.display()),
        hint: Some(
            "give the server's folder with --data DIR or --state DIR; it prints it when it starts"
                .into(),
        ),
        code: exit::MESSAGES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_not_called_empty() {
        // Root may look everywhere, so the error is made here.
        let error = |kind: io::ErrorKind| missing(Path::new("/data"), Some(&io::Error::from(kind)));
        let denied = error(io::ErrorKind::PermissionDenied);
        assert_eq!(denied.code, exit::FORBIDDEN);
        assert_eq!(denied.message, "no permission to read /data");
        assert_eq!(error(io::ErrorKind::NotADirectory).code, exit::MESSAGES);
        assert_eq!(missing(Path::new("/data"), None).code, exit::MESSAGES);
    }
}
