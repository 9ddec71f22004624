//! The default folders: those of the service manager, and those of the platform.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// In a service of systemd, the folders of `StateDirectory=`, with colons between them.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";

/// The same of `ConfigurationDirectory=`.
const CONFIGURATION_DIRECTORY: &str = "CONFIGURATION_DIRECTORY";

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "chatterbox")
}

/// The folder of the database: the one that is given, otherwise `data` in the folder of all that the server keeps, otherwise the
/// user's data folder.
pub fn data(given: Option<&Path>, state: Option<&Path>) -> PathBuf {
    match (given, state_folder(state)) {
        (Some(given), _) => given.to_owned(),
        (None, Some(state)) => state.join("data"),
        (None, None) => of_the_user(),
    }
}

/// The folder of the local authority: the one that is given, otherwise `certs` in the folder of all that the server keeps, otherwise
/// `certs` in the working directory if it is there, otherwise in the user's data folder.
pub fn certificates(given: Option<&Path>, state: Option<&Path>) -> PathBuf {
    match (given, state_folder(state)) {
        (Some(given), _) => given.to_owned(),
        (None, Some(state)) => state.join("certs"),
        (None, None) => {
            let here = PathBuf::from("certs");
            if here.is_dir() { here } else { of_the_user().join("certs") }
        }
    }
}

/// The configuration file, which is read if it exists: that of the service, otherwise that of the user.
pub fn configuration() -> Option<PathBuf> {
    let of_the_user = || Some(project()?.config_dir().to_owned());
    let folder = first(std::env::var_os(CONFIGURATION_DIRECTORY)).or_else(of_the_user)?;
    Some(folder.join("server.toml"))
}

/// The folder of all that the server keeps, if there is one: the given one, or that of the service.
fn state_folder(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_owned).or_else(|| first(std::env::var_os(STATE_DIRECTORY)))
}

/// The first of the folders that a variable of the service manager names. They are absolute; whatever else has such a variable, it is not
/// meant for us.
fn first(folders: Option<OsString>) -> Option<PathBuf> {
    std::env::split_paths(&folders?).next().filter(|folder| folder.is_absolute())
}

fn of_the_user() -> PathBuf {
    project().map_or_else(|| PathBuf::from("data"), |project| project.data_dir().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_covers_both_and_what_is_given_by_itself_stays() {
        let (state, other) = (Path::new("/srv/chat"), Path::new("elsewhere"));
        assert_eq!(data(None, Some(state)), Path::new("/srv/chat/data"));
        assert_eq!(certificates(None, Some(state)), Path::new("/srv/chat/certs"));
        assert_eq!(data(Some(other), Some(state)), other);
        assert_eq!(certificates(Some(other), Some(state)), other);
        assert_eq!(data(Some(other), None), other);
        assert_eq!(certificates(Some(other), None), other);
    }

    #[test]
    fn a_service_may_have_several_folders_and_the_first_is_ours() {
        let first = |text: &str| first(Some(text.into()));
        assert_eq!(first("/var/lib/chatterbox"), Some("/var/lib/chatterbox".into()));
        assert_eq!(first("/var/lib/chatterbox:/var/lib/x"), Some("/var/lib/chatterbox".into()));
        assert_eq!((first(""), first("relative")), (None, None));
        assert_eq!(super::first(None), None);
    }
}
