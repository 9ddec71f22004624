//! What a failure of SQLite is to whoever stores something.

use rusqlite::ErrorCode;

use crate::store::message_store::StoreError;

/// The error for one of SQLite's. What depends on the disk, on the system or on somebody else who writes may pass; what does not, such as
/// damage or a row that is not taken, comes again however often it is tried.
pub(crate) fn refused(error: rusqlite::Error) -> StoreError {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    if extended == Some(rusqlite::ffi::SQLITE_CONSTRAINT_COMMITHOOK) {
        return StoreError::Moved;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::Disk,
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OperationInterrupted
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Busy(error.into()),
        _ => StoreError::Failed(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_may_pass_is_told_apart_from_what_comes_again() {
        let all = [
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_IOERR, true),
            (ffi::SQLITE_BUSY, true),
            (ffi::SQLITE_BUSY_SNAPSHOT, true),
            (ffi::SQLITE_LOCKED, true),
            (ffi::SQLITE_NOMEM, true),
            (ffi::SQLITE_CANTOPEN, true),
            (ffi::SQLITE_READONLY, true),
            (ffi::SQLITE_CONSTRAINT_COMMITHOOK, true),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, false),
            (ffi::SQLITE_CORRUPT, false),
            (ffi::SQLITE_NOTADB, false),
            (ffi::SQLITE_MISMATCH, false),
            (ffi::SQLITE_ERROR, false),
        ];
        for (code, may_pass) in all {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(refused(error).may_pass(), may_pass, "{code}");
        }
        assert!(!refused(rusqlite::Error::QueryReturnedNoRows).may_pass());
    }
}
