//! Where files are: what a typed path means, and where a file goes that is fetched.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use chatterbox_app::{FileFault, SafeName};
use directories::UserDirs;

/// The path that was typed: `~` is the user's own folder.
pub(super) fn typed(path: &str) -> PathBuf {
    let home = || UserDirs::new().map(|folders| folders.home_dir().to_owned());
    let expanded = match path.strip_prefix('~') {
        Some("") => home(),
        Some(rest) => rest.strip_prefix('/').and_then(|rest| Some(home()?.join(rest))),
        None => None,
    };
    expanded.unwrap_or_else(|| PathBuf::from(path))
}

/// Where a file goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    name: Name,
}

/// What it is called there.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    /// As somebody else calls it, made harmless.
    Theirs(SafeName),
    /// As the user has typed it.
    Typed(OsString),
}

impl Place {
    /// In the folder that was typed, or under the name that was; without either in the user's folder for what is fetched.
    pub(super) fn of(name: SafeName, path: Option<&str>) -> Result<Self, FileFault> {
        let Some(path) = path else {
            return Ok(Self { folder: downloads()?, name: Name::Theirs(name) });
        };
        let is_folder = path.ends_with('/');
        let path = typed(path);
        if is_folder || path.is_dir() {
            return Self::in_folder(path, Name::Theirs(name));
        }
        let Some(typed) = path.file_name() else { return Err(FileFault::Missing) };
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return Err(FileFault::Missing),
        };
        Self::in_folder(folder.to_owned(), Name::Typed(typed.to_owned()))
    }

    fn in_folder(folder: PathBuf, name: Name) -> Result<Self, FileFault> {
        if folder.is_dir() { Ok(Self { folder, name }) } else { Err(FileFault::Missing) }
    }

    /// The path, with a number from the second one on.
    pub(super) fn path(&self, number: u32) -> PathBuf {
        let name: OsString = match (&self.name, number) {
            (Name::Theirs(name), 1) => name.as_str().into(),
            (Name::Theirs(name), number) => name.numbered(number).as_str().into(),
            (Name::Typed(name), 1) => name.clone(),
            (Name::Typed(name), number) => {
                let path = Path::new(name);
                let mut numbered = path.file_stem().unwrap_or(name).to_owned();
                numbered.push(format!(" ({number})"));
                if let Some(extension) = path.extension() {
                    numbered.push(".");
                    numbered.push(extension);
                }
                numbered
            }
        };
        self.folder.join(name)
    }
}

/// The user's folder for what is fetched, as the system has it; else `Downloads` in their own folder where that is there, else that.
fn downloads() -> Result<PathBuf, FileFault> {
    let folders = UserDirs::new().ok_or(FileFault::NoFolder)?;
    let usual = folders.home_dir().join("Downloads");
    let folder = match folders.download_dir() {
        Some(folder) => folder.to_owned(),
        None if usual.is_dir() => usual,
        None => folders.home_dir().to_owned(),
    };
    fs::create_dir_all(&folder).map_err(|_| FileFault::NoFolder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_folder_or_a_name_in_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let place = |path: &str| Place::of(SafeName::of("../notes.pdf"), Some(path));
        for (path, first, second) in [
            (format!("{at}"), "notes.pdf", "notes (2).pdf"),
            (format!("{at}/"), "notes.pdf", "notes (2).pdf"),
            (format!("{at}/mine.txt"), "mine.txt", "mine (2).txt"),
            (format!("{at}/.hidden"), ".hidden", ".hidden (2)"),
        ] {
            let place = place(&path).unwrap();
            assert_eq!(place.path(1), folder.path().join(first), "{path}");
            assert_eq!(place.path(2), folder.path().join(second), "{path}");
        }
        for path in [format!("{at}/none/"), format!("{at}/none/x"), format!("{at}/..x/../none/y")] {
            assert_eq!(place(&path), Err(FileFault::Missing), "{path}");
        }
        assert_eq!(place("here.txt").unwrap().path(1), Path::new("./here.txt"));
    }

    #[test]
    fn a_tilde_is_the_users_own_folder_at_the_beginning_only() {
        let home = UserDirs::new().unwrap().home_dir().to_owned();
        assert_eq!(typed("~"), home);
        assert_eq!(typed("~/a b"), home.join("a b"));
        for path in ["~x", "a/~", "./~"] {
            assert_eq!(typed(path), Path::new(path));
        }
    }
}
