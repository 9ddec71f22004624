//! Whether the files of an open database are still those at its path.
//!
//! A process keeps using a file that somebody has removed, moved or replaced: messages would be confirmed, and be lost with
//! the process. So every commit looks first, and an idle server looks once a minute.

#![allow(clippy::disallowed_methods, reason = "the edge: looks at files")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The database in its folder.
pub const DATABASE_FILE: &str = "chatterbox.db";
pub(super) const LOCK_FILE: &str = "chatterbox.lock";

/// Whether there is a database in a folder.
pub fn exists(folder: &Path) -> bool {
    folder.join(DATABASE_FILE).exists()
}

/// The same for a caller who may lack the permission to look.
///
/// # Errors
/// When it can't be looked for, for example for lack of permission.
pub fn try_exists(folder: &Path) -> io::Result<bool> {
    folder.join(DATABASE_FILE).try_exists()
}

/// The database itself, if a link to it is in the folder: the lock has to be the same under every name.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let found = if is_link { fs::canonicalize(path).ok() } else { None };
    found.unwrap_or_else(|| path.to_owned())
}

/// The reason why what is stored could not be found again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// A file is not there any more.
    #[error("{0} is gone: it was removed or moved while the server uses it")]
    Gone(PathBuf),
    /// Another file is there.
    #[error("{0} is another file than the one that the server uses: it was replaced meanwhile")]
    Replaced(PathBuf),
}

/// The files of an open database, as they were when it was opened.
#[derive(Debug, Clone)]
pub struct Place {
    database: Identity,
    /// The write-ahead log, if there was one by then. It is there for as long as anybody has the database open.
    log: Option<Identity>,
    lock: Option<Identity>,
}

#[derive(Debug, Clone)]
struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(path: PathBuf) -> io::Result<Self> {
        let found = fs::metadata(&path)?;
        Ok(Self { path, device: found.dev(), inode: found.ino() })
    }

    fn check(&self) -> Result<(), Missing> {
        match fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => Ok(()),
            Ok(_) => Err(Missing::Replaced(self.path.clone())),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Err(Missing::Gone(self.path.clone()))
            }
            // What can't be looked at for another reason may well be there.
            Err(_) => Ok(()),
        }
    }
}

impl Place {
    /// The files of the database in a folder, which has been opened.
    ///
    /// # Errors
    /// When it is not there.
    pub fn of_folder(folder: &Path) -> io::Result<Self> {
        Self::of(&resolved(&folder.join(DATABASE_FILE)))
    }

    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let log = Identity::of(log.into()).ok();
        let lock = Identity::of(database.with_file_name(LOCK_FILE)).ok();
        Ok(Self { database: Identity::of(database.to_owned())?, log, lock })
    }

    /// Whether what is stored now can be found later.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn check(&self) -> Result<(), Missing> {
        self.check_closed()?;
        self.log.iter().try_for_each(Identity::check)
    }

    /// Whether what was stored can be found, after the database was closed.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn check_closed(&self) -> Result<(), Missing> {
        self.database.check()
    }

    /// The same, and whether a second server would be kept away.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn check_all(&self) -> Result<(), Missing> {
        self.check()?;
        self.lock.iter().try_for_each(Identity::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_that_matters_is_missed() {
        let all = [DATABASE_FILE, "chatterbox.db-wal", LOCK_FILE];
        for (missing, stores) in all.into_iter().zip([false, false, true]) {
            let folder = tempfile::tempdir().unwrap();
            for file in all {
                fs::write(folder.path().join(file), "x").unwrap();
            }
            let place = Place::of_folder(folder.path()).unwrap();
            assert_eq!(place.check_all(), Ok(()));
            let path = folder.path().join(missing);
            let aside = folder.path().join("aside");
            fs::rename(&path, &aside).unwrap();
            assert_eq!(place.check_all(), Err(Missing::Gone(path.clone())));
            assert_eq!(place.check().is_ok(), stores, "{missing}");
            fs::write(&path, "y").unwrap();
            assert_eq!(place.check_all(), Err(Missing::Replaced(path.clone())));
            fs::rename(&aside, &path).unwrap();
            assert_eq!(place.check_all(), Ok(()));
        }
    }
}
