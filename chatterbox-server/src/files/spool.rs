//! The bytes of files: a folder apart from the database, with a file for each token.
//!
//! All of this blocks, so it is called in threads that may. What is held of a file in memory is a piece of it, whatever its
//! size; what came is hashed as it is written, so that no byte is read again before the upload is there.

#![allow(clippy::disallowed_methods, reason = "the edge: this is where bytes of files are kept")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, SystemTime};

use ring::digest::{Context, SHA256};
use rustix::fs::OFlags;

/// So much of an upload that is gone on with is read and hashed at a time.
const HASHED: usize = 64 * 1024;

/// The characters of a token.
pub const TOKEN: usize = 22;

/// The file whose lock says which servers use the folder. It is no token.
const LOCK_FILE: &str = "lock";

/// A folder among the bytes is told of once.
static FOLDER_SEEN: Once = Once::new();

/// A server that is stopped ends a little later than it seems, so the lock is tried so often, with so long between.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The folder of the bytes.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    /// Keeps other servers out for as long as it is open.
    _lock: Option<Arc<File>>,
}

/// Why an upload can't be written.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Somebody else writes it: an older connection of the same user, or another node.
    #[error("another connection writes it")]
    InUse,
    /// Another server has the folder.
    #[error("{} is in use by another server", .0.display())]
    Taken(PathBuf),
    /// The disk does not do what it is asked for.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl SpoolError {
    /// Whether there is no room on the disk.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::File(error) if is_full(error))
    }
}

/// Whether the disk, or what one user may have of it, is full.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(error.kind(), E::StorageFull | E::QuotaExceeded | E::FileTooLarge)
}

impl Spool {
    /// The bytes in a folder, which is made if it is not there. Nobody else on this machine can read them.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned(), _lock: None })
    }

    /// The same without servers that know nothing of its files, and would remove their bytes: one that runs alone has the folder for
    /// itself, and nodes of a cluster (`is_shared`) have it together.
    ///
    /// # Errors
    /// [`SpoolError::Taken`], or when there can be no lock.
    pub fn locked(self, is_shared: bool) -> Result<Self, SpoolError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.folder.join(LOCK_FILE))?;
        let mut tries = 0;
        loop {
            let locked = if is_shared { file.try_lock_shared() } else { file.try_lock() };
            match locked {
                Ok(()) => return Ok(Self { _lock: Some(Arc::new(file)), ..self }),
                Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken(self.folder)),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            tries += 1;
        }
    }

    /// Where the bytes of a token are: a name without anything that leads elsewhere.
    fn path(&self, token: &str) -> io::Result<PathBuf> {
        if is_token(token) {
            Ok(self.folder.join(token))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no token"))
        }
    }

    /// Opens the bytes of a token. A link is not followed, a pipe not waited for, and whatever is no file is an error: others who may
    /// write to the folder lead nobody elsewhere by that, and keep no thread.
    fn opened(&self, token: &str, options: &mut OpenOptions) -> io::Result<File> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = options.custom_flags(flags.bits().cast_signed()).open(self.path(token)?)?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no file"))
        }
    }

    /// Begins an upload, or goes on with what is there of it, which is read and hashed for that.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn begin(&self, token: &str, size: u64) -> Result<Writing, SpoolError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = self.opened(token, &mut options)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        if file.metadata()?.len() > size {
            file.set_len(size)?;
        }
        let mut hash = Context::new(&SHA256);
        let mut piece = vec![0; HASHED];
        let mut at = 0;
        loop {
            let read = match file.read(&mut piece) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if read == 0 {
                break;
            }
            hash.update(piece.get(..read).unwrap_or_default());
            at += read as u64;
        }
        file.seek(SeekFrom::Start(at))?;
        Ok(Writing { file, hash, at, folder: self.folder.clone() })
    }

    /// Reads a piece of a file: so many bytes, or fewer where it ends.
    ///
    /// # Errors
    /// When it is not there any more, or can't be read.
    pub fn read(&self, token: &str, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let file = self.opened(token, OpenOptions::new().read(true))?;
        let mut piece = vec![0; bytes];
        let mut filled = 0;
        while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, at.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        piece.truncate(filled);
        Ok(piece)
    }

    /// How many bytes there are of a file; nothing where there is none.
    ///
    /// # Errors
    /// When nobody can tell.
    pub fn size(&self, token: &str) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(token)?) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the bytes of a file; it is no error if there are none.
    ///
    /// # Errors
    /// When they can't be removed.
    pub fn remove(&self, token: &str) -> io::Result<()> {
        match fs::remove_file(self.path(token)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Locks the bytes of an upload that nobody is writing, and nobody has for so long; of one without any bytes, for as long as `empty`.
    /// Nothing where somebody is, or has. Where there are no bytes, an empty file stands for them, so that nobody begins to write some.
    ///
    /// # Errors
    /// When nobody can tell.
    pub fn hold_idle(
        &self,
        token: &str,
        untouched: Duration,
        empty: Duration,
    ) -> io::Result<Option<Idle>> {
        let existing = self.opened(token, OpenOptions::new().read(true).write(true));
        let (file, is_new) = match existing {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create_new(true).mode(0o600);
                match self.opened(token, &mut options) {
                    // Somebody has just begun.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                    made => (made?, true),
                }
            }
            existing => (existing?, false),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let found = file.metadata()?;
        let age = SystemTime::now().duration_since(found.modified()?);
        let least = if found.len() == 0 { empty } else { untouched };
        let is_idle = is_new || age.unwrap_or_default() >= least;
        Ok(is_idle.then_some(Idle { _file: file }))
    }

    /// The bytes that are free on the disk, for this user.
    ///
    /// # Errors
    /// When nobody can tell.
    pub fn free(&self) -> io::Result<u64> {
        let found = rustix::fs::statvfs(&self.folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// The tokens of which there are bytes that nobody has written to for so long. Whatever else is in the folder is
    /// none of ours, and left alone.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn tokens(&self, untouched: Duration) -> io::Result<Vec<String>> {
        let now = SystemTime::now();
        let mut tokens = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !is_token(&name) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // Nobody here makes one, and what is in it is of somebody else. It would be found again each minute.
                FOLDER_SEEN.call_once(|| {
                    tracing::warn!(
                        %name,
                        "a folder is called like the bytes of a file; it is left alone"
                    );
                });
                continue;
            }
            let age = || {
                let touched = entry.metadata().and_then(|found| found.modified());
                touched.map(|touched| now.duration_since(touched).unwrap_or_default())
            };
            if untouched.is_zero() || age().is_ok_and(|age| age >= untouched) {
                tokens.push(name);
            }
            if tokens.len() >= MOST_TOKENS {
                break;
            }
        }
        Ok(tokens)
    }
}

/// So many tokens are looked at together: more than there are files, so that some of more than these are removed, and the rest the
/// next time.
const MOST_TOKENS: usize = 200_000;

fn is_token(text: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == TOKEN && text.bytes().all(is_of_token)
}

/// An upload that nobody is writing, and that nobody begins to write before this is dropped: here or on another node.
#[derive(Debug)]
pub struct Idle {
    _file: File,
}

/// An upload that is being written. It is locked, so that no other connection and no other node writes it as well.
pub struct Writing {
    file: File,
    hash: Context,
    at: u64,
    folder: PathBuf,
}

impl std::fmt::Debug for Writing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Writing {
    /// How many bytes there are.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`SpoolError`]; the upload can be begun again then, and goes on with what is there.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), SpoolError> {
        self.file.write_all(piece)?;
        self.hash.update(piece);
        self.at += piece.len() as u64;
        Ok(())
    }

    /// Makes all of it outlive a power cut, and gives its digest.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn finish(&self) -> Result<[u8; 32], SpoolError> {
        self.file.sync_all()?;
        // The name of the file is in the folder.
        File::open(&self.folder)?.sync_all()?;
        let digest = self.hash.clone().finish();
        let digest = digest.as_ref().first_chunk().copied();
        digest.ok_or_else(|| io::Error::other("a digest of another size").into())
    }
}

#[cfg(test)]
mod tests;
