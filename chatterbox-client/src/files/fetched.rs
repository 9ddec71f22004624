//! A file that is fetched: written under a temporary name where it is going to be, and named when its digest is right (FI-7).

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chatterbox_app::FileFault;
use chatterbox_proto::capability::meta::Digest;
use ring::digest::{Context, SHA256};

use super::leftover;
use super::place::Place;
use super::sent::digest_of;
use super::trouble::fault_of;

/// So many names are tried, with a number each, before it is given up.
const NAMES: u32 = 1000;

/// A file that is not whole yet. It goes when this is dropped.
pub(super) struct Fetched {
    place: Place,
    file: File,
    /// Where it is until it is whole.
    temporary: Option<PathBuf>,
    context: Context,
}

impl Fetched {
    /// Begins one, where those go first that a killed program has left. Only this user can read it; nothing ever makes it a program.
    pub(super) fn create(id: u64, place: Place) -> Result<Self, FileFault> {
        let process = std::process::id();
        for number in 1..=NAMES {
            let temporary = place.folder.join(leftover::name_of(process, id, number));
            match new_file(&temporary) {
                Ok(file) => {
                    // Where files can't be locked none is taken for left over either.
                    let _ = file.try_lock();
                    leftover::remove_from(&place.folder, &file);
                    let temporary = Some(temporary);
                    return Ok(Self { place, file, temporary, context: Context::new(&SHA256) });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(fault_of(&error)),
            }
        }
        Err(FileFault::Denied)
    }

    /// Writes the next piece.
    pub(super) fn write(&mut self, data: &[u8]) -> Result<(), FileFault> {
        self.file.write_all(data).map_err(|error| fault_of(&error))?;
        self.context.update(data);
        Ok(())
    }

    /// Checks the digest, and gives the file a name that no other one has.
    pub(super) fn finish(mut self, sha256: Digest) -> Result<PathBuf, FileFault> {
        if digest_of(self.context.clone()) != sha256 {
            return Err(FileFault::Digest);
        }
        let fault = |error: io::Error| fault_of(&error);
        self.file.sync_all().map_err(fault)?;
        let Some(temporary) = &self.temporary else { return Err(FileFault::Missing) };
        for number in 1..=NAMES {
            let path = self.place.path(number);
            match new_file(&path) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(fault_of(&error)),
            }
            // It takes the place of the empty one that has just taken the name.
            if let Err(error) = fs::rename(temporary, &path) {
                let _ = fs::remove_file(&path);
                return Err(fault_of(&error));
            }
            self.temporary = None;
            return Ok(path);
        }
        Err(FileFault::Other("there are too many files of that name".to_owned()))
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// A file that was not there, nor anything else of that name.
fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use chatterbox_app::SafeName;

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> =
            entries.map(name).map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn begun(folder: &tempfile::TempDir) -> Fetched {
        let path = folder.path().display().to_string();
        let place = Place::of(SafeName::of("../notes.txt"), Some(&path)).unwrap();
        Fetched::create(1, place).unwrap()
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_takes_no_other_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.path().join("notes (2).txt")).unwrap();
        let mut fetched = begun(&folder);
        fetched.write(b"a").unwrap();
        assert_eq!(names(&folder).len(), 3, "under a temporary name");
        fetched.write(b"bc").unwrap();
        let path = fetched.finish(Digest::parse(ABC).unwrap()).unwrap();
        assert_eq!(path, folder.path().join("notes (3).txt"));
        assert_eq!(names(&folder), ["notes (2).txt", "notes (3).txt", "notes.txt"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "abc");
        assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "mine");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_killed_program_has_left_is_gone_before_the_next_one_begins() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(leftover::name_of(4_000_000, 7, 1));
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 60 * 60);
        new_file(&left).unwrap().set_modified(old).unwrap();
        let mut first = begun(&folder);
        first.write(b"abc").unwrap();
        assert!(!left.exists());
        // A day in which nothing comes, and the same user fetches another one.
        first.file.set_modified(old).unwrap();
        drop(begun(&folder));
        assert!(
            first.finish(Digest::parse(ABC).unwrap()).is_ok(),
            "it was removed as if left over"
        );
    }

    #[test]
    fn nothing_is_left_of_what_is_not_whole_or_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut fetched = begun(&folder);
        fetched.write(b"abd").unwrap();
        assert_eq!(fetched.finish(Digest::parse(ABC).unwrap()), Err(FileFault::Digest));
        let mut dropped = begun(&folder);
        dropped.write(b"ab").unwrap();
        drop(dropped);
        assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    }
}
