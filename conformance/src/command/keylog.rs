//! `--keylog`: the secrets of the suite's own TLS connections, in the format that Wireshark reads.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use rustls::KeyLog;

/// A file in the format of `SSLKEYLOGFILE`.
pub(crate) struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens a file; what is in it already stays.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        Ok(Self(Mutex::new(opened.with_context(|| format!("can't write {}", file.display()))?)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Secrets that are missing from the file only mean that a packet can't be looked into.
        let _ = file.write_all(line.as_bytes());
    }
}

impl fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLogFile")
    }
}
