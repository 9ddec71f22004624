//! Where the platform keeps things, when nobody says otherwise.

use std::path::PathBuf;

use directories::ProjectDirs;

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "chatterbox")
}

/// The folder of the messages: the user's data folder.
pub fn data() -> PathBuf {
    project().map_or_else(|| PathBuf::from("data"), |project| project.data_dir().to_owned())
}

/// The folder of the local authority: `certs` if it is here, otherwise in the user's data folder.
pub fn certificates() -> PathBuf {
    let here = PathBuf::from("certs");
    if here.is_dir() { here } else { data().join("certs") }
}

/// The configuration file that is read when it is there.
pub fn configuration() -> Option<PathBuf> {
    Some(project()?.config_dir().join("server.toml"))
}
