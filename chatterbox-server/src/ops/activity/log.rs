//! The log as the chat sees it: a bounded queue to a thread that writes.

#![allow(clippy::disallowed_methods, reason = "the edge: makes a folder, and starts a thread")]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use chatterbox_hub::Happened;

use crate::ops::activity::file_name::of_user;
use crate::ops::activity::line::Line;
use crate::ops::activity::rotating::{Bound, Rotating};
use crate::ops::clock::unix_now;

/// Lines that wait to be written; what is more is dropped and counted.
const WAITING: usize = 2_048;

/// The file of everything: 8 MiB, eight times.
const OF_ALL: Bound = Bound { bytes: 8 * 1024 * 1024, files: 8 };

/// That of a user: 64 KiB, twice.
const OF_ONE: Bound = Bound { bytes: 64 * 1024, files: 2 };

/// So many users have a file; of others there is only what stands in that of everything.
const USERS: usize = 10_000;

/// So many of them are open at a time.
const OPEN: usize = 64;

/// The name of the file of everything.
const ALL: &str = "activity.log";

/// The activity log of a running server.
#[derive(Debug)]
pub struct ActivityLog {
    /// `None` only while it is dropped.
    lines: Option<SyncSender<Line>>,
    dropped: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl ActivityLog {
    /// Opens the log in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder, or a file in it, can't be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let writer = Writer::open(folder)?;
        let (lines, waiting) = sync_channel(WAITING);
        let dropped = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&dropped);
        let thread = std::thread::Builder::new().name("activity".into());
        let thread = thread.spawn(move || writer.run(&waiting, &counted))?;
        Ok(Self { lines: Some(lines), dropped, thread: Some(thread) })
    }

    /// Notes what has happened. It never waits: what the disk does not take in time is not logged.
    pub fn note(&self, happened: &Happened) {
        let line = Line::of(happened, unix_now());
        if self.lines.as_ref().is_none_or(|lines| lines.try_send(line).is_err()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Waits until everything that was noted is written.
impl Drop for ActivityLog {
    fn drop(&mut self) {
        drop(self.lines.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the activity log has panicked");
        }
    }
}

/// The thread's side.
struct Writer {
    folder: PathBuf,
    all: Option<Rotating>,
    open: HashMap<String, Rotating>,
    /// The users that have a file.
    known: HashSet<String>,
    /// Lines that could not be written since one was.
    failed: u64,
}

impl Writer {
    fn open(folder: &Path) -> io::Result<Self> {
        let all = Rotating::open(folder.join(ALL), OF_ALL)?;
        let mut known = HashSet::new();
        for entry in fs::read_dir(folder)? {
            if let Ok(name) = entry?.file_name().into_string()
                && name.starts_with("user-")
                && known.len() < USERS
                && name.ends_with(".log")
            {
                known.insert(name);
            }
        }
        let folder = folder.to_owned();
        Ok(Self { folder, all: Some(all), open: HashMap::new(), known, failed: 0 })
    }

    fn run(mut self, waiting: &Receiver<Line>, dropped: &AtomicU64) {
        while let Ok(line) = waiting.recv() {
            let missing = dropped.swap(0, Ordering::Relaxed);
            if missing > 0 {
                tracing::warn!(lines = missing, "the activity log could not keep up");
                self.write(&Line::of_dropped(missing, unix_now()));
            }
            self.write(&line);
        }
    }

    /// Writes a line. A disk that is full is said once, and when it takes lines again.
    fn write(&mut self, line: &Line) {
        let mut written = self.write_to_all(&line.text);
        for user in &line.users {
            let of_user = self.write_to_user(&of_user(user), &line.text);
            written = written.and(of_user);
        }
        match written {
            Ok(()) if self.failed > 0 => {
                tracing::warn!(lines = self.failed, "the activity log is written again");
                self.failed = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if self.failed == 0 {
                    tracing::error!(%error, "the activity log can't be written; the chat goes on");
                }
                self.failed += 1;
            }
        }
    }

    fn write_to_all(&mut self, text: &[u8]) -> io::Result<()> {
        let file = match &mut self.all {
            Some(file) => file,
            none => none.insert(Rotating::open(self.folder.join(ALL), OF_ALL)?),
        };
        let written = file.write(text);
        if written.is_err() {
            // It may have been moved away.
            self.all = None;
        }
        written
    }

    fn write_to_user(&mut self, name: &str, text: &[u8]) -> io::Result<()> {
        if !self.known.contains(name) {
            if self.known.len() >= USERS {
                return Ok(());
            }
            self.known.insert(name.to_owned());
            if self.known.len() == USERS {
                tracing::warn!(users = USERS, "further users have no log of their own");
            }
        }
        if self.open.len() >= OPEN && !self.open.contains_key(name) {
            self.open.clear();
        }
        let path = self.folder.join(name);
        let file = match self.open.entry(name.to_owned()) {
            std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(Rotating::open(path, OF_ONE)?)
            }
        };
        let written = file.write(text);
        if written.is_err() {
            self.open.remove(name);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use chatterbox_hub::Identity;
    use chatterbox_proto::Username;

    use super::*;

    fn said(by: &str, message: Option<&'static str>) -> Happened {
        Happened::Said { by: Username::stored(by), message: message.map(Into::into) }
    }

    /// B12, in a real folder: nothing is written beside it.
    #[test]
    fn b12_users_with_evil_names_write_into_their_folder_only() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("deep/log");
        let log = ActivityLog::open(&folder).unwrap();
        for name in ["../x", "../../x", "/tmp/x", "CON", "con", "Ann", "ANN", "."] {
            log.note(&Happened::Joined(Box::new(Identity::guest(Username::stored(name)))));
            log.note(&said(name, None));
        }
        drop(log);
        let list = |path: &Path| {
            let entries = fs::read_dir(path).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(list(place.path()), ["deep"]);
        assert_eq!(list(&place.path().join("deep")), ["log"]);
        let files = list(&folder);
        assert_eq!(files.len(), 1 + 6, "one for each user: {files:?}");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert!(files.iter().all(|file| mode(&folder.join(file)) == 0o600));
        let all = fs::read_to_string(folder.join(ALL)).unwrap();
        assert_eq!(all.lines().count(), 16);
        let ann = fs::read_to_string(folder.join("user-ann.log")).unwrap();
        assert_eq!(ann.lines().count(), 4, "whatever their case: {ann}");
    }

    #[test]
    fn a_folder_that_is_gone_stops_nothing_and_many_users_are_bounded() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("log");
        let mut writer = Writer::open(&folder).err();
        assert!(writer.take().is_some(), "somebody has to make it");
        fs::create_dir(&folder).unwrap();
        let mut writer = Writer::open(&folder).unwrap();
        for number in 0..USERS + 10 {
            writer.known.insert(format!("user-{number}.log"));
        }
        writer.write(&Line::of(&said("new", Some("[1]")), 7));
        assert!(!folder.join("user-new.log").exists());
        assert_eq!(fs::read_to_string(folder.join(ALL)).unwrap().lines().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
        writer.known.clear();
        for _ in 0..3 {
            writer.write(&Line::of(&said("new", None), 7));
        }
        assert_eq!(writer.failed, 3);
        fs::create_dir(&folder).unwrap();
        writer.write(&Line::of(&said("new", None), 7));
        assert_eq!(writer.failed, 0);
    }
}
