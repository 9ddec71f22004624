//! The disk of a node: filled, and emptied.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: files of a node that is broken on purpose"
)]

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::process::ProcessError;

/// A larger file system is nobody's to fill.
const LARGEST: u64 = 1024 * 1024 * 1024;
/// What is in the data folder of a node that has run.
const DATABASE: &str = "chatterbox.db";
/// What fills a file system.
const FILLER: &str = "chaos-filler";

/// A file system that is full as long as this is there.
#[derive(Debug)]
pub(super) struct Full(PathBuf);

impl Full {
    /// Fills the file system of a folder.
    ///
    /// # Errors
    /// When it is a large one, on which others have their data too, or can't be written on.
    pub(super) fn of(folder: &Path) -> Result<Self, ProcessError> {
        let failed = |error| ProcessError::Disk(folder.display().to_string(), error);
        let system = rustix::fs::statvfs(folder).map_err(|error| failed(error.into()))?;
        if system.f_blocks.saturating_mul(system.f_frsize) > LARGEST {
            let why = "it is on a file system of more than 1 GiB, which is not filled";
            return Err(failed(io::Error::other(why)));
        }
        let full = Self(folder.join(FILLER));
        let mut file = File::create(&full.0).map_err(failed)?;
        // What has no room for a large piece may have some for a small one.
        for piece in [vec![0; 64 * 1024], vec![0; 512]] {
            loop {
                match file.write(&piece) {
                    Ok(1..) => {}
                    Ok(0) => break,
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(full)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes all that is in the data folder of a node.
///
/// # Errors
/// When something can't be removed, or it is none: nothing is removed then.
pub(super) fn empty(folder: &Path) -> Result<(), ProcessError> {
    let emptying = || {
        if fs::read_dir(folder)?.next().is_some() && !folder.join(DATABASE).exists() {
            return Err(io::Error::other("it is no data folder of a node, and is not emptied"));
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    };
    emptying().map_err(|error| ProcessError::Disk(folder.display().to_string(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_emptied_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), "b").unwrap();
        fs::write(folder.path().join("c"), "c").unwrap();
        assert!(empty(folder.path()).is_err(), "somebody else's");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        fs::write(folder.path().join(DATABASE), "").unwrap();
        empty(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_large_file_system_is_not_filled() {
        // That of a checkout is large; where it is not, there is nothing to see.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let system = rustix::fs::statvfs(folder).unwrap();
        if system.f_blocks * system.f_frsize > LARGEST {
            assert!(matches!(Full::of(folder), Err(ProcessError::Disk(..))));
            assert!(!folder.join(FILLER).exists());
        }
    }
}
