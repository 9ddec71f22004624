//! Files as data.

use std::collections::BTreeMap;

use conformance_kit::clock::unix_seconds;
use serde_json::{Value, json};
use tokio::sync::watch;

/// The largest file.
pub(super) const LARGEST: usize = 10 * 1024 * 1024;
/// The longest piece.
pub(super) const CHUNK: usize = 16 * 1024;
/// How long files are kept, in seconds.
pub(super) const KEPT: i64 = 7 * 24 * 60 * 60;

/// The keys that are requests about files.
pub(crate) const KEYS: [&str; 5] =
    ["FILE_CHUNK", "FILE_CREDIT", "FILE_STOP", "FILE_PUT", "FILE_GET"];

/// All files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(super) all: BTreeMap<String, File>,
    /// The fetches that run, by connection and token: how far each may go, and nothing when it has to end.
    pub(super) fetches: BTreeMap<(u64, String), watch::Sender<Option<usize>>>,
    /// The uploads that run.
    pub(super) uploads: BTreeMap<(u64, String), usize>,
}

#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) account: String,
    pub(super) to: String,
    pub(super) name: String,
    pub(super) size: usize,
    pub(super) sha256: String,
    pub(super) bytes: Vec<u8>,
    pub(super) done: bool,
    /// The number of the room that it was put for.
    pub(super) room: Option<u64>,
    /// Who has announced it, under which name.
    pub(super) source: Option<String>,
}

impl File {
    pub(super) fn told(&self, token: &str) -> Value {
        json!({"FILE": token, "NAME": self.name, "SIZE": self.size, "SHA256": self.sha256,
            "UNTIL": unix_seconds() + KEPT})
    }
}
