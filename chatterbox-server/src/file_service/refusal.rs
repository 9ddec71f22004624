//! Why a file is not taken or not given, as it is told (FI-1, FI-2).

use std::borrow::Cow;

use chatterbox_proto::capability::files::{FileAnswer, Space, SpaceOf};
use chatterbox_proto::{Code, WireText};

use crate::files::FileStoreError;
use crate::files::Quota;
use crate::files::SpoolError;

/// Why a file is not taken or not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRefusal {
    /// The machine word.
    pub code: &'static str,
    /// The words for the user.
    info: Cow<'static, str>,
    space: Option<(SpaceOf, u64, u64)>,
    wait: Option<u64>,
    until: Option<i64>,
}

impl FileRefusal {
    /// A refusal without numbers.
    pub fn new(code: &'static str, info: impl Into<Cow<'static, str>>) -> Self {
        Self { code, info: info.into(), space: None, wait: None, until: None }
    }

    /// There is no such file for who asks (FI-4).
    pub fn expired() -> Self {
        Self::new("expired", "the file is not there, or not for you")
    }

    /// The other end does not keep to the protocol (FI-2).
    pub fn protocol(info: &'static str) -> Self {
        Self::new("protocol", info)
    }

    /// Too much of it is done at the same time.
    pub fn busy(info: &'static str) -> Self {
        Self::new("busy", info)
    }

    /// Nothing has come for too long.
    pub fn idle() -> Self {
        Self::new("idle", "the transfer was given up, since nothing came for a minute")
    }

    /// The file does not fit: so many bytes there may be, so many of them are left.
    pub fn no_space(of: SpaceOf, most: u64, left: u64) -> Self {
        let (code, info) = match of {
            SpaceOf::File => ("too-long", "the file is larger than this server takes"),
            SpaceOf::Account => ("no-space", "your files would take more space than you may have"),
            SpaceOf::Room => ("no-space", "the files of the room would take more than it may have"),
            SpaceOf::All => ("no-space", "the files of all would take more than there may be"),
            SpaceOf::Disk => ("no-space", "the disk of the server would be too full"),
        };
        Self { space: Some((of, most, left)), ..Self::new(code, info) }
    }

    /// The same for a quota that is stored.
    pub fn quota(quota: Quota, most: u64, left: u64) -> Self {
        let of = match quota {
            Quota::Account => SpaceOf::Account,
            Quota::Room => SpaceOf::Room,
            Quota::All => SpaceOf::All,
        };
        Self::no_space(of, most, left)
    }

    /// Trying again makes sense after so many seconds.
    pub fn throttled(wait: u64) -> Self {
        let info = "you have uploaded too much in the last hour, wait a little";
        Self { wait: Some(wait), ..Self::new("throttled", info) }
    }

    /// The server can't do it now; the log says why.
    pub fn failed() -> Self {
        Self::new("failed", "the server can't do this now, try again later")
    }

    /// What is told, with the keys of the refusal only.
    pub fn told(&self) -> FileAnswer {
        let wire = |text: &str| Some(WireText::new(text.to_owned()));
        FileAnswer {
            code: wire(self.code),
            info: wire(&self.info),
            wait: self.wait,
            until: self.until,
            space: self.space.map(|(of, most, left)| Space {
                of: WireText::new(of.word()),
                most,
                left,
            }),
            ..FileAnswer::default()
        }
    }
}

/// Why a message to the same destination would be refused.
impl From<Code> for FileRefusal {
    fn from(code: Code) -> Self {
        let refusal = Self::new(code.word(), code.text());
        Self { wait: code.wait().map(u64::from), until: code.until(), ..refusal }
    }
}

impl From<FileStoreError> for FileRefusal {
    fn from(error: FileStoreError) -> Self {
        if let FileStoreError::Full = error {
            return Self::no_space(SpaceOf::Disk, 0, 0);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "files");
        Self::failed()
    }
}

impl From<SpoolError> for FileRefusal {
    fn from(error: SpoolError) -> Self {
        match &error {
            SpoolError::InUse => Self::busy("another connection uploads this file"),
            _ if error.is_full() => Self::no_space(SpaceOf::Disk, 0, 0),
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "files");
                Self::failed()
            }
        }
    }
}
