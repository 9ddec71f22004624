//! Another program for the text that is typed: `$VISUAL` or `$EDITOR`, with a file that only the user can read.
//!
//! The program shares the terminal and the process group, so that Ctrl-Z in it stops both, and `fg` lets both go on. No
//! shell is run.
#![allow(clippy::disallowed_methods, reason = "this module writes a file and runs a program")]

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use ring::rand::{SystemRandom, generate};
use rustix::fs::OFlags;
use tokio::sync::oneshot;

/// Of the file so many bytes are read at most.
const LONGEST: u64 = 1024 * 1024;

/// An editor under way; its outcome comes when it has ended.
pub(crate) type Editing = oneshot::Receiver<io::Result<String>>;

/// Runs the editor with a text, in a thread: the chat goes on meanwhile.
///
/// # Errors
/// There is no editor, or no file can be written.
pub(crate) fn start(text: &str) -> io::Result<Editing> {
    let words = command(&|name| env::var(name).ok());
    let private = Private::create()?;
    let path = private.0.join("message.txt");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    let (ended, editing) = oneshot::channel();
    thread::spawn(move || {
        // Nobody listens when the session has ended meanwhile.
        let _ = ended.send(edit(&words, &path));
        drop(private);
    });
    Ok(editing)
}

/// The words of the first of the two variables that has some; the editor that every system has to have.
fn command(variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let words = |name| -> Vec<String> {
        variable(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let given = ["VISUAL", "EDITOR"].into_iter().map(words).find(|words| !words.is_empty());
    given.unwrap_or_else(|| vec!["vi".to_owned()])
}

fn edit(words: &[String], path: &Path) -> io::Result<String> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::NotFound)?;
    let status = Command::new(program).args(arguments).arg(path).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("it ended with {status}")));
    }
    let mut bytes = Vec::new();
    opened(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("the file has more than 1 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens what the editor has left. A pipe would wait for somebody who writes to it, and a device may have no end.
fn opened(path: &Path) -> io::Result<File> {
    let not_blocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(not_blocking).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it left no file"));
    }
    Ok(file)
}

/// A folder that only the user can read; it goes with everything in it.
struct Private(PathBuf);

impl Private {
    fn create() -> io::Result<Self> {
        let random: [u8; 8] = generate(&SystemRandom::new())
            .map_err(|_| io::Error::other("there are no random numbers"))?
            .expose();
        let name = format!("chatterbox-{:016x}", u64::from_ne_bytes(random));
        let path = env::temp_dir().join(name);
        // It fails where something is there already.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editor_is_that_of_the_environment_word_by_word() {
        let with = |visual: Option<&str>, editor: Option<&str>| {
            command(&|name| {
                let value = if name == "VISUAL" { visual } else { editor };
                value.map(str::to_owned)
            })
        };
        assert_eq!(with(Some("code -w"), Some("ed")), ["code", "-w"]);
        assert_eq!(with(Some(" "), Some("ed")), ["ed"]);
        assert_eq!(with(None, None), ["vi"]);
    }

    #[test]
    fn what_was_written_comes_back_and_no_file_stays() {
        let private = Private::create().unwrap();
        let path = private.0.join("message.txt");
        fs::write(&path, "a\nb\n").unwrap();
        assert_eq!(edit(&["true".to_owned()], &path).unwrap(), "a\nb\n");
        assert!(edit(&["false".to_owned()], &path).is_err());
        fs::write(&path, vec![b'x'; 1024 * 1024 + 1]).unwrap();
        assert!(edit(&["true".to_owned()], &path).is_err());
        for other in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            let words: Vec<_> = other.split(' ').map(str::to_owned).collect();
            let error = edit(&words, &path).unwrap_err();
            assert_eq!(error.to_string(), "it left no file", "{other}");
        }
        let folder = private.0.clone();
        drop(private);
        assert!(!folder.exists());
    }
}
