//! Which files are watched, and how they look now.
//!
//! They are looked at again and again instead of asking the system to tell: home folders on a network,
//! mounted folders of containers and virtual machines tell nothing, and a subtree such as `node_modules`
//! could not be left out. A student's folder has few files, and no more than some are looked at.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// How many entries of folders are looked at, and how deep.
const MOST_ENTRIES: usize = 5_000;
const DEEPEST: usize = 10;

/// Folders that hold what tools have made.
const MADE: [&str; 4] = ["target", "node_modules", "__pycache__", "venv"];
/// Ends of the names of files that tools and programs write.
const WRITTEN: [&str; 8] = ["~", ".pyc", ".o", ".class", ".log", ".swp", ".tmp", ".pid"];

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

/// How all of them looked at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    files: BTreeMap<PathBuf, Stamp>,
    /// There are more than are looked at.
    pub(super) cut: bool,
}

impl Snapshot {
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The files that are new, gone or different in another snapshot.
    pub(super) fn changed(&self, now: &Self) -> BTreeSet<PathBuf> {
        let paths = self.files.keys().chain(now.files.keys());
        paths.filter(|path| self.files.get(*path) != now.files.get(*path)).cloned().collect()
    }
}

/// The files to watch.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// Those that the command names.
    named: BTreeSet<PathBuf>,
    /// Folders that are looked through.
    folders: Vec<PathBuf>,
}

impl Files {
    /// The files below this folder, and whatever the words of a command name, be it elsewhere.
    pub(super) fn of(words: &[String], here: &Path) -> Self {
        let mut files = Self { named: BTreeSet::new(), folders: vec![here.to_owned()] };
        for word in words {
            let word = word.trim_matches(['\'', '"', '(', ')', ';', '&']);
            let path = here.join(word);
            if word.is_empty() {
                continue;
            } else if path.is_file() {
                files.named.insert(path);
            } else if path.is_dir() && !path.starts_with(here) && !here.starts_with(&path) {
                files.folders.push(path);
            }
        }
        files
    }

    pub(super) fn names(&self, path: &Path) -> bool {
        self.named.contains(path)
    }

    /// Looks at all of them, those near the top first.
    pub(super) fn look(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for path in &self.named {
            snapshot.add(path);
        }
        let mut folders: VecDeque<(PathBuf, usize)> =
            self.folders.iter().map(|folder| (folder.clone(), 0)).collect();
        let mut entries = 0;
        while let Some((folder, depth)) = folders.pop_front() {
            // A folder that can't be read, or has just been removed, has no files for us.
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                entries += 1;
                if entries > MOST_ENTRIES {
                    snapshot.cut = true;
                    return snapshot;
                }
                // The type is that of a link itself, so no circle of links is followed.
                let Ok(kind) = entry.file_type() else { continue };
                let name = entry.file_name();
                if kind.is_dir() {
                    if depth < DEEPEST && !is_made(&name) {
                        folders.push_back((entry.path(), depth + 1));
                    }
                } else if !is_written(&name) {
                    snapshot.add(&entry.path());
                }
            }
        }
        snapshot
    }
}

impl Snapshot {
    fn add(&mut self, path: &Path) {
        if let Ok(about) = fs::metadata(path)
            && about.is_file()
        {
            let stamp = Stamp { modified: about.modified().ok(), length: about.len() };
            self.files.insert(path.to_owned(), stamp);
        }
    }
}

fn is_made(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || MADE.contains(&name.as_ref())
}

fn is_written(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || WRITTEN.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the subject of these tests is files")]
mod tests {
    use super::*;

    fn names(paths: &BTreeSet<PathBuf>) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        paths.iter().map(name).collect()
    }

    #[test]
    fn what_is_new_gone_or_different_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("src/deep")).unwrap();
        for name in ["a.py", "src/deep/b.py", "c.py"] {
            fs::write(path(name), "1").unwrap();
        }
        let files = Files::of(&[], folder.path());
        let before = files.look();
        assert_eq!((before.len(), before.cut), (3, false));
        assert!(before.changed(&files.look()).is_empty());
        fs::write(path("src/deep/b.py"), "22").unwrap();
        fs::remove_file(path("c.py")).unwrap();
        fs::write(path("d.py"), "1").unwrap();
        assert_eq!(names(&before.changed(&files.look())), ["c.py", "d.py", "b.py"]);
    }

    #[test]
    fn what_tools_write_is_left_out_unless_the_command_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for made in ["target", "node_modules/x", "__pycache__", ".git", "venv"] {
            fs::create_dir_all(path(made)).unwrap();
            fs::write(path(made).join("x.py"), "1").unwrap();
        }
        for written in [".a.py.swp", "a.py~", "chat.log", "a.o"] {
            fs::write(path(written), "1").unwrap();
        }
        assert_eq!(Files::of(&[], folder.path()).look().len(), 0);
        let words = ["python3", "'target/x.py'", "{port}"].map(str::to_owned);
        let files = Files::of(&words, folder.path());
        assert_eq!(files.look().len(), 1);
        assert!(files.names(&path("target/x.py")) && !files.names(&path("a.o")));
    }

    #[test]
    fn a_folder_elsewhere_is_watched_when_the_command_goes_there() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(there.path().join("server.py"), "1").unwrap();
        let words = ["cd", &there.path().display().to_string(), "&&", "/"].map(str::to_owned);
        let files = Files::of(&words, here.path());
        assert_eq!((files.look().len(), files.folders.len()), (1, 2));
    }

    #[test]
    fn no_more_than_some_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MOST_ENTRIES {
            fs::File::create_new(folder.path().join(number.to_string())).unwrap();
        }
        let snapshot = Files::of(&[], folder.path()).look();
        assert!(snapshot.cut && snapshot.len() == MOST_ENTRIES, "{}", snapshot.len());
    }
}
