//! Work at files, which the session does for the application, one thing at a time and in its order.

use chatterbox_proto::capability::meta::Digest;

use super::fault::FileFault;
use super::name::SafeName;

/// Something to do with a file of this machine; `id` is the number of the transfer that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileWork {
    /// Open a file that is to be sent, and find out its size and digest.
    Open {
        /// The transfer.
        id: u64,
        /// The path, as it was typed.
        path: String,
        /// The most bytes that the server takes.
        most: Option<u64>,
    },
    /// Read a piece of it.
    Read {
        /// The transfer.
        id: u64,
        /// Where the piece begins.
        at: u64,
        /// How long it is.
        bytes: usize,
    },
    /// Begin a file that is fetched, under a temporary name where it is going to be.
    Create {
        /// The transfer.
        id: u64,
        /// What it is called where the user has not said so.
        name: SafeName,
        /// Where it goes: a folder or a file, as it was typed. `None` is the user's folder for what is fetched.
        path: Option<String>,
    },
    /// Write the next piece of it.
    Write {
        /// The transfer.
        id: u64,
        /// The piece.
        data: Vec<u8>,
    },
    /// All is written: check its digest, and give it a name that no other file has.
    Finish {
        /// The transfer.
        id: u64,
        /// The digest that it has to have.
        sha256: Digest,
    },
    /// The transfer is over: let the file go, and remove what was written under a temporary name. Nothing is told of it.
    Drop {
        /// The transfer.
        id: u64,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileNews {
    /// A file that is to be sent was opened and read once.
    Opened {
        /// The transfer.
        id: u64,
        /// What it is called.
        name: String,
        /// How many bytes it has.
        size: u64,
        /// Its digest.
        sha256: Digest,
    },
    /// A piece was read; a short one where the file ends.
    Read {
        /// The transfer.
        id: u64,
        /// Where it begins.
        at: u64,
        /// The piece.
        data: Vec<u8>,
    },
    /// A file was begun.
    Created {
        /// The transfer.
        id: u64,
    },
    /// So many bytes were written.
    Written {
        /// The transfer.
        id: u64,
        /// How many.
        bytes: usize,
    },
    /// The file is there, under this path.
    Finished {
        /// The transfer.
        id: u64,
        /// The path.
        path: String,
    },
    /// It can't be done.
    Failed {
        /// The transfer.
        id: u64,
        /// Why.
        why: FileFault,
    },
}
