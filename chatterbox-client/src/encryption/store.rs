//! The folder of one account at one server: the key, the state of the keys, and the texts that were read.
//!
//! `key` has the random key under which the others are encrypted. `state` is replaced as a whole. `texts` grows by one record
//! for each text, a length of four bytes and what is encrypted; a record that was not written to its end is the last one, and
//! counts for nothing. Folder and files are for their owner only (EE-10).
#![allow(clippy::disallowed_methods, reason = "this module reads and writes files")]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatterbox_e2ee::{Kept, Machine};
use rustix::fs::{FlockOperation, flock};

use super::cipher::{Cipher, KEY, random};

const KEY_FILE: &str = "key";
const STATE: &str = "state";
const TEXTS: &str = "texts";
const LOCK: &str = "lock";

/// Of a file no more bytes are read: hundreds of people with many devices have a few megabytes, and so have ten thousand texts.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Bytes before the state: the inode of the key file.
const MARK: usize = 8;

/// Texts that were dropped stand in the file until there are so many more of them than of the others.
const DROPPED: usize = 1000;

/// Why the keys that are there can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{0} can't be read or written: {1}")]
    Io(PathBuf, io::Error),
    #[error("{0} is not what this program has written, or its key is another one")]
    Sealed(PathBuf),
    #[error("{0}: {1}")]
    State(PathBuf, chatterbox_e2ee::StateError),
}

/// The folder of one account, which this program alone writes to.
pub(super) struct Store {
    folder: PathBuf,
    cipher: Cipher,
    /// The inode of the key file: a copy of the folder has another one.
    mark: u64,
    texts: File,
    _lock: File,
}

/// What was found in a folder.
pub(super) struct Found {
    pub(super) machine: Machine,
    /// `None`: another program uses the folder, so nothing is written.
    pub(super) store: Option<Store>,
}

impl Store {
    /// What a folder has, if there is one.
    pub(super) fn open(folder: &Path) -> Result<Option<Found>, StoreError> {
        let state_file = folder.join(STATE);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| StoreError::Io(path, error)
        };
        if !state_file.try_exists().map_err(at(&state_file))? {
            return Ok(None);
        }
        let key_file = folder.join(KEY_FILE);
        let (key, mark) = read_key(&key_file).map_err(at(&key_file))?;
        let cipher = Cipher::new(&key).map_err(at(&key_file))?;
        let lock = lock(folder).map_err(at(folder))?;
        let sealed = read_all(&state_file, LONGEST).map_err(at(&state_file))?;
        let not_ours = || StoreError::Sealed(state_file.clone());
        let plain = cipher.open(STATE, &sealed).map(zeroizing).ok_or_else(not_ours)?;
        let (written_by, state) = plain.split_first_chunk::<MARK>().ok_or_else(not_ours)?;
        let texts_file = folder.join(TEXTS);
        let (texts, records, sound) = read_texts(&texts_file, &cipher).map_err(at(&texts_file))?;
        let machine = Machine::load(state, texts);
        let mut machine = machine.map_err(|error| StoreError::State(state_file, error))?;
        if u64::from_le_bytes(*written_by) != mark {
            machine.is_restored();
        }
        let Some(lock) = lock else { return Ok(Some(Found { machine, store: None })) };
        let kept = machine.texts().count();
        if !sound || records > 2 * kept + DROPPED {
            let mut all = Vec::new();
            for kept in machine.texts() {
                push_record(&mut all, &cipher, kept).map_err(at(&texts_file))?;
            }
            replace(folder, TEXTS, &all).map_err(at(&texts_file))?;
        }
        let texts = append_to(&texts_file).map_err(at(&texts_file))?;
        let store = Self { folder: folder.to_owned(), cipher, mark, texts, _lock: lock };
        Ok(Some(Found { machine, store: Some(store) }))
    }

    /// Makes a folder with a new key. `None`: another program does that, or has done it since this one has looked: what is there is not
    /// replaced by a state that knows nothing of it.
    pub(super) fn create(folder: &Path) -> io::Result<Option<Self>> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let Some(lock) = lock(folder)? else { return Ok(None) };
        if folder.join(STATE).try_exists()? {
            return Ok(None);
        }
        let path = folder.join(KEY_FILE);
        if !path.try_exists()? {
            replace(folder, KEY_FILE, &random::<KEY>()?)?;
        }
        let (key, mark) = read_key(&path)?;
        let (cipher, texts) = (Cipher::new(&key)?, append_to(&folder.join(TEXTS))?);
        Ok(Some(Self { folder: folder.to_owned(), cipher, mark, texts, _lock: lock }))
    }

    /// Stores the state in place of the one before.
    pub(super) fn write_state(&self, state: &[u8]) -> io::Result<()> {
        let mut plain = zeroizing(self.mark.to_le_bytes().to_vec());
        plain.extend_from_slice(state);
        replace(&self.folder, STATE, &self.cipher.seal(STATE, &plain)?)
    }

    /// Stores further texts.
    pub(super) fn add_texts(&mut self, texts: &[Kept]) -> io::Result<()> {
        let mut records = Vec::new();
        for kept in texts {
            push_record(&mut records, &self.cipher, kept)?;
        }
        self.texts.write_all(&records)?;
        self.texts.sync_data()
    }
}

/// Wiped when it is dropped.
fn zeroizing(bytes: Vec<u8>) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(bytes)
}

fn push_record(out: &mut Vec<u8>, cipher: &Cipher, kept: &Kept) -> io::Result<()> {
    let sealed = cipher.seal(TEXTS, &serde_json::to_vec(kept)?)?;
    let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&sealed);
    Ok(())
}

/// The texts of a file, how many records there were, and whether it ends where a record does.
fn read_texts(path: &Path, cipher: &Cipher) -> io::Result<(Vec<Kept>, usize, bool)> {
    let bytes = match read_all(path, LONGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0, true)),
        read => read?,
    };
    let (mut rest, mut texts, mut records) = (bytes.as_slice(), Vec::new(), 0);
    while !rest.is_empty() {
        let record = rest.split_first_chunk().and_then(|(length, behind)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            behind.split_at_checked(length)
        });
        let Some((sealed, behind)) = record else { return Ok((texts, records, false)) };
        rest = behind;
        records += 1;
        let plain = cipher.open(TEXTS, sealed);
        texts.extend(plain.and_then(|plain| serde_json::from_slice(&plain).ok()));
    }
    Ok((texts, records, true))
}

fn read_key(path: &Path) -> io::Result<(zeroize::Zeroizing<[u8; KEY]>, u64)> {
    let mut file = File::open(path)?;
    let mut key = zeroize::Zeroizing::new([0; KEY]);
    file.read_exact(&mut *key)?;
    Ok((key, file.metadata()?.ino()))
}

fn read_all(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A lock is tried again for so long.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
const LOCK_TRIES: u32 = 10;

/// The lock of a folder, which is free again when the program ends; `None` while another program has it.
///
/// It is tried again for a moment: a process that was forked from one that had it, has it too until it runs its own program.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = private().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    for _ in 0..LOCK_TRIES {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn append_to(path: &Path) -> io::Result<File> {
    private().create(true).append(true).open(path)
}

/// Replaces a file as a whole: whoever reads it sees the old one or the new one.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let new = folder.join(format!("{name}.new"));
    let mut file = private().create(true).truncate(true).write(true).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, folder.join(name))?;
    // The name has to be there after a crash, too.
    File::open(folder)?.sync_all()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn kept(id: u64, text: &str) -> Kept {
        let (device, between) = ("d1".into(), ("bob".into(), "ann".into()));
        let (text, reply) = (text.into(), None);
        Kept { id, device, between, text, reply, verified: false, own: false }
    }

    fn made(folder: &Path) -> Store {
        let store = Store::create(folder).unwrap().unwrap();
        store.write_state(&Machine::new().state().unwrap()).unwrap();
        store
    }

    fn texts(found: &Found) -> Vec<String> {
        found.machine.texts().map(|kept| kept.text.clone()).collect()
    }

    #[test]
    fn what_is_stored_is_for_its_owner_only_and_encrypted() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a").join("b");
        let mut store = made(&folder);
        store.add_texts(&[kept(1, "the secret text")]).unwrap();
        drop(store);
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let bytes = fs::read(entry.path()).unwrap();
            for text in [&b"secret"[..], b"people", b"version"] {
                assert!(!bytes.windows(text.len()).any(|part| part == text), "{entry:?}");
            }
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let found = Store::open(&folder).unwrap().unwrap();
        assert_eq!(texts(&found), ["the secret text"]);
    }

    #[test]
    fn a_record_that_was_not_written_to_its_end_counts_for_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a");
        let mut store = made(&folder);
        store.add_texts(&[kept(1, "one"), kept(2, "two")]).unwrap();
        drop(store);
        let file = folder.join(TEXTS);
        let whole = fs::read(&file).unwrap();
        for end in (whole.len() / 2..whole.len()).rev() {
            fs::write(&file, &whole[..end]).unwrap();
            let mut found = Store::open(&folder).unwrap().unwrap();
            assert_eq!(texts(&found), ["one"], "{end}");
            // What comes next is read again.
            found.store.as_mut().unwrap().add_texts(&[kept(3, "three")]).unwrap();
            drop(found);
            assert_eq!(texts(&Store::open(&folder).unwrap().unwrap()), ["one", "three"]);
        }
    }

    #[test]
    fn keys_that_can_not_be_read_are_no_reason_to_begin_anew() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a");
        assert!(Store::open(&folder).unwrap().is_none());
        drop(made(&folder));
        let state = fs::read(folder.join(STATE)).unwrap();
        fs::write(folder.join(STATE), &state[1..]).unwrap();
        assert!(matches!(Store::open(&folder), Err(StoreError::Sealed(_))));
        fs::write(folder.join(STATE), &state).unwrap();
        assert!(Store::open(&folder).is_ok());
        fs::write(folder.join(KEY_FILE), [1; KEY]).unwrap();
        assert!(matches!(Store::open(&folder), Err(StoreError::Sealed(_))));
        fs::remove_file(folder.join(KEY_FILE)).unwrap();
        assert!(matches!(Store::open(&folder), Err(StoreError::Io(..))));
    }

    #[test]
    fn one_program_writes_and_another_one_only_reads() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a");
        let first = made(&folder);
        assert!(Store::open(&folder).unwrap().is_some_and(|found| found.store.is_none()));
        assert!(Store::create(&folder).unwrap().is_none());
        drop(first);
        assert!(Store::create(&folder).unwrap().is_none(), "there is a state by now");
        assert!(Store::open(&folder).unwrap().is_some_and(|found| found.store.is_some()));
    }

    #[test]
    fn a_copy_of_the_folder_is_known_as_one() {
        let root = tempfile::tempdir().unwrap();
        let (folder, copy) = (root.path().join("a"), root.path().join("b"));
        drop(made(&folder));
        let mut found = Store::open(&folder).unwrap().unwrap();
        assert!(!found.machine.take_dirty());
        drop(found);
        fs::create_dir(&copy).unwrap();
        for name in [KEY_FILE, STATE] {
            fs::copy(folder.join(name), copy.join(name)).unwrap();
        }
        let mut found = Store::open(&copy).unwrap().unwrap();
        assert!(found.machine.take_dirty(), "its sessions are forgotten");
        // Once that is stored, it is no copy any more.
        found.store.as_ref().unwrap().write_state(&found.machine.state().unwrap()).unwrap();
        drop(found);
        assert!(!Store::open(&copy).unwrap().unwrap().machine.take_dirty());
    }
}
