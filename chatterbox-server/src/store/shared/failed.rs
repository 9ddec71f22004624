//! Why a command was not carried out, and whether trying it again may help.

use crate::accounts::DirectoryError;
use crate::files::FileStoreError;
use crate::moderation::ModerationError;
use crate::store::message_store::StoreError;
use crate::store::shared::not_understood::NotUnderstood;
use crate::store::sqlite::refused;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Accounts(#[from] DirectoryError),
    #[error(transparent)]
    Moderation(#[from] ModerationError),
    #[error(transparent)]
    Files(#[from] FileStoreError),
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Accounts(error.into())
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Accounts(DirectoryError::Full)
            | Failed::Moderation(ModerationError::Full)
            | Failed::Files(FileStoreError::Full) => Self::Full,
            Failed::Accounts(DirectoryError::Disk)
            | Failed::Moderation(ModerationError::Disk)
            | Failed::Files(FileStoreError::Disk) => Self::Disk,
            Failed::NotUnderstood(NotUnderstood) => Self::NotUnderstood,
            Failed::Accounts(DirectoryError::Store(source))
            | Failed::Moderation(ModerationError::Store(source))
            | Failed::Files(FileStoreError::Store(source)) => {
                match source.downcast::<rusqlite::Error>() {
                    Ok(error) => refused(*error),
                    Err(source) => Self::Failed(source),
                }
            }
            failed => Self::Failed(Box::new(failed)),
        }
    }
}
