//! What is kept of files that users send: what is known about each in a [`FileStore`], and its bytes in a [`Spool`] (FI-1 to FI-7).
//!
//! Who may put and who may fetch is in [`file_service`](crate::file_service).

#[cfg(test)]
pub(crate) mod contract;
mod file_records;
mod file_store;
mod spool;
mod stored_file;

pub use file_records::FileRecords;
pub use file_store::{FileStore, FileStoreError};
pub use spool::{Idle, Spool, SpoolError, Writing};
pub use stored_file::{
    CLAIM_AGE, Claim, FILES, FILES_OF_ACCOUNT, NewFile, Quota, Quotas, Reserved, StoredFile,
    UPLOAD_AGE, UPLOAD_EMPTY, UPLOAD_IDLE,
};
