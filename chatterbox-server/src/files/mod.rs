//! Files that the server keeps for users and rooms (FI-1 to FI-7).
//!
//! What is known about a file is in a [`FileStore`], its bytes are in a [`Spool`]. [`Files`] brings the two together with what the
//! chat says: who may put and who may fetch. Transfers of a connection are in [`net`](crate::net).

#[cfg(test)]
pub(crate) mod contract;
mod file_records;
mod file_store;
mod quotas;
mod refusal;
mod service;
mod spool;
mod stored_file;
mod sweeping;
mod upload;

pub use file_records::FileRecords;
pub use file_store::{FileStore, FileStoreError};
pub use refusal::FileRefusal;
pub use service::{Download, Files};
pub use spool::{Spool, SpoolError};
pub use stored_file::{
    CLAIM_AGE, Claim, FILES, FILES_OF_ACCOUNT, NewFile, Quota, Quotas, Reserved, StoredFile,
    UPLOAD_AGE,
};
pub use upload::Upload;
