//! The wall clock of a process, which can be set while it runs: libfaketime is loaded into it, and reads from a file how far it is from
//! the clock of the machine, which stays as it is. The clock by which waiting is measured is left alone, as where an operator sets the time.
#![allow(clippy::disallowed_methods, reason = "the edge: a clock is set by a file")]

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The library for programs with several threads, as its makers call it.
const LIBRARY: &str = "libfaketimeMT.so.1";
/// After so long a process has read how its clock is set, which it looks up once a second, and something was said meanwhile.
pub(super) const READ: Duration = Duration::from_secs(3);

/// A clock that can be set.
#[derive(Debug, Clone)]
pub struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

impl WallClock {
    /// Where the library is, if its package is installed.
    #[must_use]
    pub fn library() -> Option<PathBuf> {
        // Debian has a folder for each kind of machine.
        let kinds = fs::read_dir("/usr/lib").ok()?.flatten().map(|kind| kind.path());
        let others = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].into_iter().map(PathBuf::from);
        let mut places = kinds.chain(others).map(|place| place.join("faketime").join(LIBRARY));
        places.find(|library| library.is_file())
    }

    /// A clock that is right, with a file in this folder.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn new(library: &Path, folder: &Path) -> io::Result<Self> {
        let clock = Self { library: library.to_owned(), file: folder.join("clock") };
        clock.set(0).map(|()| clock)
    }

    /// The variables that stand before a command that starts a process with this clock.
    pub(super) fn words(&self) -> String {
        format!(
            "LD_PRELOAD={} FAKETIME_TIMESTAMP_FILE={} FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1",
            quoted(&self.library),
            quoted(&self.file)
        )
    }

    /// Sets it: so many seconds from that of the machine.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn set(&self, seconds: i64) -> io::Result<()> {
        // Renamed, it is never read half written.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n"))?;
        fs::rename(new, &self.file)
    }

    /// Removes what the library leaves in memory that processes share when one is killed.
    pub(super) fn forget(&self, process: u32) {
        for name in [format!("faketime_shm_{process}"), format!("sem.faketime_sem_{process}")] {
            // A process that ended in order has removed it.
            let _ = fs::remove_file(Path::new("/dev/shm").join(name));
        }
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let clock = WallClock::new(Path::new("/lib/it's"), folder.path()).unwrap();
        let told = || fs::read_to_string(folder.path().join("clock")).unwrap();
        assert_eq!(told(), "+0\n");
        clock.set(-3_600).unwrap();
        assert_eq!(told(), "-3600\n");
        assert!(clock.words().starts_with("LD_PRELOAD='/lib/it'\\''s' "), "{}", clock.words());
    }
}
