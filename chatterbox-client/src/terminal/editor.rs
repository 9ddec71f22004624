//! Another program for the text that is typed: `$VISUAL` or `$EDITOR`, with a file that only the user can read.
//!
//! The program shares the terminal and the process group, so that Ctrl-Z in it stops both, and `fg` lets both go on. No
//! shell is run. Where the session ends before the program, the program is ended, and its file goes.
#![allow(clippy::disallowed_methods, reason = "this module writes a file and runs a program")]

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::future::pending;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ring::rand::{SystemRandom, generate};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

/// Of the file so many bytes are read at most.
const LONGEST: u64 = 1024 * 1024;

/// The time for an editor to end that was told to.
const TO_END: Duration = Duration::from_millis(500);

/// An editor under way. Dropped before it has ended, it is ended, and the terminal is as it was before it.
pub(crate) struct Editing {
    outcome: oneshot::Receiver<io::Result<String>>,
    /// Its process, until that has ended.
    process: Arc<Mutex<Option<Pid>>>,
    /// Told when it has ended.
    ended: mpsc::Receiver<()>,
    before: Option<Termios>,
    /// Removed in the end.
    _private: Private,
}

/// The text that the editor has left, when it has ended; never, where there is none. Cancelling it loses nothing.
pub(crate) async fn ended(editing: Option<&mut Editing>) -> io::Result<String> {
    match editing {
        Some(editing) => editing.outcome().await,
        None => pending().await,
    }
}

impl Editing {
    async fn outcome(&mut self) -> io::Result<String> {
        (&mut self.outcome).await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// Sends a signal to it; says whether it was still there.
    fn signal(&self, signal: Signal) -> bool {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.is_some_and(|process| kill_process(process, signal).is_ok())
    }
}

impl Drop for Editing {
    fn drop(&mut self) {
        if !self.signal(Signal::TERM) {
            return;
        }
        if self.ended.recv_timeout(TO_END).is_err() && self.signal(Signal::KILL) {
            let _ = self.ended.recv_timeout(TO_END);
        }
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Runs the editor with a text, in a thread: the chat goes on meanwhile.
///
/// # Errors
/// There is no editor, or no file can be written.
pub(crate) fn start(text: &str) -> io::Result<Editing> {
    start_command(&command(&|name| env::var(name).ok()), text)
}

fn start_command(words: &[String], text: &str) -> io::Result<Editing> {
    let private = Private::create()?;
    let path = private.0.join("message.txt");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    let before = tcgetattr(io::stdin()).ok();
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::NotFound)?;
    let child = Command::new(program).args(arguments).arg(&path).spawn()?;
    let process = Arc::new(Mutex::new(Some(Pid::from_child(&child))));
    let (tell, outcome) = oneshot::channel();
    let (tell_end, ended) = mpsc::channel();
    let shared = Arc::clone(&process);
    thread::spawn(move || {
        let left = wait(child, &shared).and_then(|status| read(status, &path));
        // Nobody listens when the session has ended meanwhile.
        let _ = tell_end.send(());
        let _ = tell.send(left);
    });
    Ok(Editing { outcome, process, ended, before, _private: private })
}

/// Waits for the end of a process. Its id is taken away before it is free for another process, so that no other one gets a signal.
fn wait(mut child: Child, process: &Mutex<Option<Pid>>) -> io::Result<ExitStatus> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(Errno::INTR) = waitid(WaitId::Pid(Pid::from_child(&child)), options) {}
    *process.lock().unwrap_or_else(PoisonError::into_inner) = None;
    child.wait()
}

/// The words of the first of the two variables that has some; the editor that every system has to have.
fn command(variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let words = |name| -> Vec<String> {
        variable(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let given = ["VISUAL", "EDITOR"].into_iter().map(words).find(|words| !words.is_empty());
    given.unwrap_or_else(|| vec!["vi".to_owned()])
}

/// The text that an editor has left.
fn read(status: ExitStatus, path: &Path) -> io::Result<String> {
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

    async fn edit(words: &[&str], text: &str) -> (io::Result<String>, PathBuf) {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut editing = start_command(&words, text).unwrap();
        let folder = editing._private.0.clone();
        assert!(folder.exists());
        (editing.outcome().await, folder)
    }

    #[tokio::test]
    async fn what_was_written_comes_back_and_no_file_stays() {
        let (left, folder) = edit(&["true"], "a\nb\n").await;
        assert_eq!(left.unwrap(), "a\nb\n");
        assert!(!folder.exists());
        assert!(edit(&["false"], "a").await.0.is_err());
        let (left, folder) = edit(&["true"], &"x".repeat(1024 * 1024 + 1)).await;
        assert!(left.is_err() && !folder.exists());
    }

    #[tokio::test]
    async fn what_is_no_file_is_not_read() {
        for other in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
            let script = format!("rm \"$0\"; {other} \"$0\"");
            let (left, folder) = edit(&["sh", "-c", &script], "a").await;
            assert_eq!(left.unwrap_err().to_string(), "it left no file", "{other}");
            assert!(!folder.exists());
        }
    }

    #[test]
    fn an_editor_does_not_outlive_the_session() {
        // One that ends when it is told to, and one that does not.
        for script in ["exec sleep 60", "trap '' TERM; while :; do read x; done"] {
            let words = ["sh", "-c", script].map(str::to_owned);
            let editing = start_command(&words, "secret").unwrap();
            let folder = editing._private.0.clone();
            let process = editing.process.lock().unwrap().unwrap();
            drop(editing);
            assert!(!folder.exists());
            assert!(rustix::process::test_kill_process(process).is_err(), "{script}");
        }
    }
}
