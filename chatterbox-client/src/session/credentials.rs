//! Credentials at rest: a password from a file or the input, login tokens in the user's state folder.
#![allow(clippy::disallowed_methods, reason = "this module reads and writes files")]

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chatterbox_proto::capability::accounts::{Secret, one_line};
use serde_json::{Map, Value};

use crate::exit::{Exit, Failure};

/// The limit of a password's file, which may be the wrong one.
const LONGEST: u64 = 64 * 1024;

/// Reads a password: the first line of a file that others can't read.
pub(crate) fn password_from_file(path: &Path) -> Result<Secret, Failure> {
    let shown = path.display();
    let failed = |error: io::Error| {
        Failure::new(Exit::NoInput, format!("the password file {shown} can't be read: {error}"))
    };
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    // A pipe, as of `<(pass show chat)`, is nobody else's.
    if meta.is_file() && meta.permissions().mode() & 0o004 != 0 {
        let what = format!("everybody on this machine can read the password file {shown}");
        return Err(Failure::new(Exit::NoInput, what).hint(format!("chmod 600 {shown}")));
    }
    first_line(BufReader::new(file.take(LONGEST)), &shown.to_string())
}

/// Reads a password: the first line of the input. The other lines stay for the session.
pub(crate) fn password_from_input() -> Result<Secret, Failure> {
    first_line(io::stdin().lock(), "the input")
}

fn first_line(mut input: impl io::BufRead, of: &str) -> Result<Secret, Failure> {
    let cannot = |why: &dyn fmt::Display| {
        Failure::new(Exit::NoInput, format!("the password of {of} can't be read: {why}"))
    };
    let mut line = String::new();
    input.by_ref().take(LONGEST).read_line(&mut line).map_err(|error| cannot(&error))?;
    // Some editors begin a file of UTF-8 with a byte order mark, which nobody has typed.
    match one_line(line.strip_prefix('\u{feff}').unwrap_or(&line)) {
        Ok("") => Err(Failure::new(Exit::NoInput, format!("there is no password in {of}"))
            .hint("it is the first line")),
        Ok(line) => Ok(Secret::new(line)),
        Err(error) => Err(cannot(&error)),
    }
}

/// The login tokens of all servers, in one file of the user's state folder.
pub(crate) struct TokenStore {
    path: PathBuf,
    /// The server whose tokens are read and written; a token is valid at one server.
    server: String,
}

impl TokenStore {
    /// The tokens of one server.
    pub(crate) fn for_server(host: &str, port: u16) -> Result<Self, Failure> {
        let folder = folder().ok_or_else(|| {
            Failure::new(Exit::NoInput, "there is no folder to keep a login in")
                .hint("set HOME, or leave --remember away")
        })?;
        Ok(Self { path: folder.join("logins.json"), server: format!("{host}:{port}") })
    }

    /// All tokens of the server, by name. A file that can't be read counts as empty.
    pub(crate) fn load(&self) -> BTreeMap<String, Secret> {
        let all = self.read();
        let Some(Value::Object(of_server)) = all.get(&self.server) else { return BTreeMap::new() };
        let token =
            |(name, token): (&String, &Value)| Some((name.clone(), Secret::new(token.as_str()?)));
        of_server.iter().filter_map(token).collect()
    }

    /// Stores the token of a name, or deletes it.
    pub(crate) fn store(&self, name: &str, token: Option<&Secret>) -> io::Result<()> {
        let mut all = self.read();
        let of_server = all.entry(self.server.clone()).or_insert_with(|| Map::new().into());
        if !of_server.is_object() {
            *of_server = Map::new().into();
        }
        if let Value::Object(tokens) = of_server {
            match token {
                Some(token) => {
                    tokens.insert(name.to_owned(), Value::String(token.reveal().to_owned()));
                }
                None => {
                    tokens.remove(name);
                }
            }
        }
        self.write(&Value::Object(all))
    }

    fn read(&self) -> Map<String, Value> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(Value::Object(all)) => all,
            _ => Map::new(),
        }
    }

    /// Replaces the file atomically; others can never read it.
    fn write(&self, all: &Value) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let new = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(all.to_string().as_bytes())?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.path)
    }
}

/// The folder in which this program keeps what is the user's: `$XDG_STATE_HOME/chatterbox`, or `~/.local/state/chatterbox`, or what the platform has in its place.
pub(crate) fn folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "chatterbox")?;
    let folder = folders.state_dir().unwrap_or_else(|| folders.data_local_dir());
    Some(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_password_file_that_everybody_can_read_is_refused() {
        let (_folder, path) = file(0o644, "hush\n");
        let failure = password_from_file(&path).unwrap_err();
        assert_eq!(failure.exit, Exit::NoInput);
        assert!(
            failure.to_string().contains("hint: chmod 600 ")
                && !failure.to_string().contains("hush")
        );
    }

    #[test]
    fn a_password_is_the_first_line_without_its_end() {
        for text in ["hush hush ", "hush hush \n", "hush hush \r\nmore\n", "hush hush \u{2028}\n"] {
            let (_folder, path) = file(0o600, text);
            assert_eq!(password_from_file(&path).unwrap().reveal(), "hush hush ");
        }
        let (_folder, path) = file(0o600, "\u{feff}hush\u{feff}\n");
        assert_eq!(password_from_file(&path).unwrap().reveal(), "hush\u{feff}");
        for text in ["", "\n", "\u{feff}\n", "\nhush\n", "hush\rhush\n", "hush\u{85}hush"] {
            let (_folder, path) = file(0o640, text);
            assert!(password_from_file(&path).is_err());
        }
    }

    #[test]
    fn tokens_are_kept_for_each_server_and_name_and_nobody_else_can_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state").join("logins.json");
        let of = |server: &str| TokenStore { path: path.clone(), server: server.to_owned() };
        let (one, two) = (of("a:1"), of("b:1"));
        one.store("ann", Some(&Secret::new("t1"))).unwrap();
        two.store("ann", Some(&Secret::new("t2"))).unwrap();
        one.store("bob", Some(&Secret::new("t3"))).unwrap();
        one.store("bob", None).unwrap();
        assert_eq!(one.load(), BTreeMap::from([("ann".to_owned(), Secret::new("t1"))]));
        assert_eq!(two.load().len(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let folder = path.parent().unwrap();
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "no other file is left behind");
        fs::write(&path, "nonsense").unwrap();
        assert!(one.load().is_empty());
        one.store("ann", Some(&Secret::new("t4"))).unwrap();
        assert_eq!(one.load().len(), 1);
    }
}
