//! A file that lines are appended to, with a bound: when it is full it gets a number, and the oldest of these goes.

#![allow(clippy::disallowed_methods, reason = "the edge: writes files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// How large a file becomes, and how many there are of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) bytes: u64,
    pub(super) files: u32,
}

/// An open file.
#[derive(Debug)]
pub(super) struct Rotating {
    path: PathBuf,
    file: File,
    length: u64,
    bound: Bound,
}

impl Rotating {
    /// Opens a file, or makes it; only its owner can read it.
    pub(super) fn open(path: PathBuf, bound: Bound) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            // Whoever may write into the folder is not to lead us to another file.
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)?;
        let length = file.metadata()?.len();
        Ok(Self { path, file, length, bound })
    }

    /// Appends a line.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.length > 0 && self.length + line.len() as u64 >= self.bound.bytes {
            self.rotate()?;
        }
        // In one write, so that a disk that is full leaves no part of a line if it can.
        let whole = [line, b"\n"].concat();
        if let Err(error) = self.file.write_all(&whole) {
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += whole.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.bound.files).rev() {
            let from =
                if number == 1 { self.path.clone() } else { numbered(&self.path, number - 1) };
            match fs::rename(&from, numbered(&self.path, number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        *self = Self::open(self.path.clone(), self.bound)?;
        Ok(())
    }
}

/// `x.log.1` is the newest of the full ones.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_bounded_in_size_and_number_and_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let bound = Bound { bytes: 100, files: 3 };
        let mut file = Rotating::open(path.clone(), bound).unwrap();
        for number in 0..50 {
            file.write(format!("line {number}").as_bytes()).unwrap();
            if number == 25 {
                // What was there at a start counts.
                file = Rotating::open(path.clone(), bound).unwrap();
            }
        }
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["x.log", "x.log.1", "x.log.2"]);
        let mut all = String::new();
        for name in ["x.log.2", "x.log.1", "x.log"] {
            let path = folder.path().join(name);
            let metadata = fs::metadata(&path).unwrap();
            assert!(metadata.len() <= 100 && metadata.permissions().mode() & 0o777 == 0o600);
            all += &fs::read_to_string(path).unwrap();
        }
        assert!(all.ends_with("line 48\nline 49\n"), "{all}");
        let first: usize = all.lines().next().unwrap()[5..].parse().unwrap();
        assert_eq!(all.lines().count(), 50 - first, "the newest, without a gap");
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::write(&target, "").unwrap();
        let path = folder.path().join("x.log");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(Rotating::open(path, Bound { bytes: 100, files: 2 }).is_err());
        assert_eq!(fs::read(target).unwrap(), b"");
    }
}
