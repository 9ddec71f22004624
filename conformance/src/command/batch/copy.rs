//! The submissions of a folder, and the copy of one that its program runs in.
#![allow(clippy::disallowed_methods, reason = "the module that reads and copies submissions")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use conformance_kit::escape;

/// The most bytes of one submission.
const LARGEST: u64 = 2 << 30;
/// The most files and folders of one submission.
const MOST_ENTRIES: usize = 200_000;

/// One entry of the folder.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Why it can't be judged.
    pub(super) trouble: Option<String>,
}

/// Finds the submissions, sorted by name. What is in `results` was written by an earlier batch.
pub(super) fn find(folder: &Path, results: Option<&Path>) -> anyhow::Result<Vec<Found>> {
    let results = results.and_then(|results| fs::canonicalize(results).ok());
    let unreadable = || format!("can't read the folder {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A folder that is linked is a submission, too.
        let is_folder = fs::metadata(entry.path()).is_ok_and(|data| data.is_dir());
        let trouble = match (is_folder, is_archive(&name)) {
            _ if name.starts_with('.') => continue,
            (true, _) if results.is_some() && fs::canonicalize(entry.path()).ok() == results => {
                continue;
            }
            (true, _) => None,
            (false, true) => Some("it is an archive: unpack it into a folder first".to_owned()),
            (false, false) => continue,
        };
        found.push(Found { name, path: entry.path(), trouble });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    anyhow::ensure!(
        !found.is_empty(),
        "there is no submission in {}: each is a sub-folder",
        folder.display()
    );
    Ok(found)
}

fn is_archive(name: &str) -> bool {
    let name = name.to_lowercase();
    [".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Copies a submission, and gives the copy to a user.
pub(super) fn copy(from: &Path, to: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    let mut budget = Budget { bytes: LARGEST, entries: MOST_ENTRIES };
    // What the folder itself links to is meant.
    folder(&fs::canonicalize(from)?, to, owner, &mut budget)
}

struct Budget {
    bytes: u64,
    entries: usize,
}

impl Budget {
    fn take(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.bytes.checked_sub(bytes).zip(self.entries.checked_sub(1));
        let (bytes, entries) =
            left.ok_or_else(|| io::Error::other("it is too large: 2 GiB, 200,000 files at most"))?;
        (self.bytes, self.entries) = (bytes, entries);
        Ok(())
    }
}

fn folder(
    from: &Path,
    to: &Path,
    owner: Option<(u32, u32)>,
    budget: &mut Budget,
) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let data = entry.metadata()?;
        budget.take(if data.is_file() { data.len() } else { 0 })?;
        if data.is_dir() {
            // The history of a repository is no part of the program.
            if entry.file_name() != ".git" {
                folder(&entry.path(), &target, owner, budget)?;
            }
        } else if data.is_symlink() {
            link(&fs::read_link(entry.path())?, &target)?;
            give(&target, owner)?;
        } else if data.is_file() {
            // Pipes, sockets and devices are left out: reading them may never end.
            fs::copy(entry.path(), &target).map_err(|error| at(&entry.path(), &error))?;
            give(&target, owner)?;
        }
    }
    give(to, owner)
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    let shown = escape::visible(&path.display().to_string());
    io::Error::new(error.kind(), format!("{shown}: {error}"))
}

#[cfg(unix)]
fn link(points_to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(points_to, at)
}

#[cfg(not(unix))]
fn link(_points_to: &Path, _at: &Path) -> io::Result<()> {
    Ok(())
}

/// Gives a file to a user, the link itself where it is one.
#[cfg(unix)]
pub(super) fn give(path: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    owner.map_or(Ok(()), |(user, group)| std::os::unix::fs::lchown(path, Some(user), Some(group)))
}

#[cfg(not(unix))]
pub(super) fn give(_path: &Path, _owner: Option<(u32, u32)>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_folders_are_submissions_and_archives_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bob", "ann", ".git"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["eve.tar.gz", "notes.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("reports")).unwrap();
        let found = find(folder.path(), Some(&folder.path().join("./reports"))).unwrap();
        let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["ann", "bob", "eve.tar.gz"]);
        assert!(found[2].trouble.is_some() && found[0].trouble.is_none());
        assert!(find(&folder.path().join("ann"), None).is_err(), "a folder without submissions");
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_keeps_links_and_leaves_out_what_never_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep/.git")).unwrap();
        fs::write(from.join("deep/server.py"), "print(1)").unwrap();
        // A link in a circle must not be followed.
        link(Path::new(".."), &from.join("deep/up")).unwrap();
        std::os::unix::net::UnixListener::bind(from.join("socket")).unwrap();
        copy(&from, &to, None).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/server.py")).unwrap(), "print(1)");
        assert!(fs::symlink_metadata(to.join("deep/up")).unwrap().is_symlink());
        assert!(!to.join("socket").exists() && !to.join("deep/.git").exists());
    }
}
