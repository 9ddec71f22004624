//! The default folders of the platform.

use std::path::PathBuf;

use directories::ProjectDirs;

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "chatterbox")
}

/// The folder of the database: the user's data folder.
pub fn data() -> PathBuf {
    project().map_or_else(|| PathBuf::from("data"), |project| project.data_dir().to_owned())
}

/// The folder of the local authority: `certs` in the working directory if it is there, otherwise in the data folder.
pub fn certificates() -> PathBuf {
    let here = PathBuf::from("certs");
    if here.is_dir() { here } else { data().join("certs") }
}

/// The configuration file, which is read if it exists.
pub fn configuration() -> Option<PathBuf> {
    Some(project()?.config_dir().join("server.toml"))
}
