//! What the system says about files, as the application tells it.

use std::io::{self, ErrorKind};

use chatterbox_app::FileFault;

use crate::exit::without_number;

pub(super) fn fault_of(error: &io::Error) -> FileFault {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FileFault::Missing,
        ErrorKind::IsADirectory => FileFault::NotAFile,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FileFault::Denied,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FileFault::Full,
        _ => FileFault::Other(without_number(error)),
    }
}
