//! What can go wrong with a file on this machine.

use super::size::in_words;

/// Why a file could not be read or written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// There is no such file, or no such folder.
    Missing,
    /// It is a folder, a device or a pipe.
    NotAFile,
    /// The system does not allow it.
    Denied,
    /// There is no space on the disk.
    Full,
    /// It has so many bytes, and the server takes fewer.
    TooLarge {
        /// The size of the file.
        size: u64,
        /// The largest that the server takes.
        most: u64,
    },
    /// It has become shorter while it was sent.
    Changed,
    /// What has come is not what was announced.
    Digest,
    /// There is no folder for what is fetched.
    NoFolder,
    /// Something else, in the words of the system.
    Other(String),
}

impl FileFault {
    /// Why it could not be done, as the end of a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Missing => "there is no such file or folder".to_owned(),
            Self::NotAFile => "it is no file".to_owned(),
            Self::Denied => "you may not do that there".to_owned(),
            Self::Full => "the disk is full".to_owned(),
            Self::TooLarge { size, most } => {
                format!("it has {}, and the server takes {}", in_words(*size), in_words(*most))
            }
            Self::Changed => "it has changed while it was sent".to_owned(),
            Self::Digest => {
                "what has come is not what was announced (its digest is another one), so it was removed".to_owned()
            }
            Self::NoFolder => "there is no folder for it; name one behind it".to_owned(),
            Self::Other(words) => words.clone(),
        }
    }
}
