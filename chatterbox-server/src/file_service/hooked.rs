//! A store of what is known about files that lets a test in where something else may happen at the same moment.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::path::Path;

use chatterbox_hub::{AccountKey, Level, Sequence};
use chatterbox_proto::Username;

use crate::accounts::{Account, Directory as _, PasswordHash};
use crate::config::{Config, Live};
use crate::file_service::service::Files;
use crate::files::{
    Claim, FileRecords, FileStore, FileStoreError, NewFile, Quotas, Reserved, Spool, StoredFile,
};
use crate::store::{SqliteDirectory, SqliteFiles};

/// A moment in a call.
#[derive(Debug)]
pub enum Moment<'a> {
    /// Space is reserved, and whoever asked for it is about to be told.
    Reserved(&'a Reserved),
    /// These are known, and whoever asked is about to be told.
    Listed(&'a [StoredFile]),
    /// It is about to be written down that this file is there.
    Completes(&'a str),
    /// These files are about to be forgotten.
    Removes(&'a [String]),
}

type Hook = Box<dyn FnMut(&mut SqliteFiles, Moment<'_>) + Send>;

/// A store with a hook.
struct Hooked {
    store: SqliteFiles,
    hook: Hook,
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooked").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Files of the account `ann`, whose number is 1, in a folder.
pub fn files(folder: &Path) -> Files {
    hooked(folder, |_, _| {})
}

/// The same with a hook.
pub fn hooked(
    folder: &Path,
    hook: impl FnMut(&mut SqliteFiles, Moment<'_>) + Send + 'static,
) -> Files {
    let mut directory = SqliteDirectory::open(folder).unwrap();
    let account = Account {
        account_key: AccountKey::default(),
        name: Username::parse("ann").unwrap(),
        password: PasswordHash::stored("$argon2id$x".to_owned()),
        level: Level::USER,
        created: 1,
    };
    directory.add(&account).unwrap();
    let store = SqliteFiles::open(folder).unwrap();
    let records = FileRecords::new(Hooked { store, hook: Box::new(hook) }).unwrap();
    let config = Config { file_free: 0, ..Config::default() };
    Files::new(records, spool(folder), Live::new(config), false)
}

/// The bytes of those files.
pub fn spool(folder: &Path) -> Spool {
    Spool::open(&folder.join("files")).unwrap()
}

impl FileStore for Hooked {
    fn reserve(&mut self, new: &NewFile, quotas: Quotas) -> Result<Reserved, FileStoreError> {
        let reserved = self.store.reserve(new, quotas)?;
        (self.hook)(&mut self.store, Moment::Reserved(&reserved));
        Ok(reserved)
    }

    fn complete(&mut self, token: &str) -> Result<bool, FileStoreError> {
        (self.hook)(&mut self.store, Moment::Completes(token));
        self.store.complete(token)
    }

    fn claim(&mut self, claim: &Claim) -> Result<Option<StoredFile>, FileStoreError> {
        self.store.claim(claim)
    }

    fn release(&mut self, token: &str, key: &str) -> Result<(), FileStoreError> {
        self.store.release(token, key)
    }

    fn announced(&mut self, token: &str, number: Sequence) -> Result<(), FileStoreError> {
        self.store.announced(token, number)
    }

    fn shorten(&mut self, token: &str, until: i64) -> Result<(), FileStoreError> {
        self.store.shorten(token, until)
    }

    fn remove(&mut self, tokens: &[String]) -> Result<(), FileStoreError> {
        (self.hook)(&mut self.store, Moment::Removes(tokens));
        self.store.remove(tokens)
    }

    fn give_up(&mut self, token: &str, account: i64, now: i64) -> Result<bool, FileStoreError> {
        self.store.give_up(token, account, now)
    }

    fn find(&mut self, token: &str) -> Result<Option<StoredFile>, FileStoreError> {
        self.store.find(token)
    }

    fn list(&mut self, after: &str, limit: usize) -> Result<Vec<StoredFile>, FileStoreError> {
        let listed = self.store.list(after, limit)?;
        (self.hook)(&mut self.store, Moment::Listed(&listed));
        Ok(listed)
    }

    fn being_written(&mut self) -> Result<u64, FileStoreError> {
        self.store.being_written()
    }

    fn unfinished(&mut self, account: i64) -> Result<Vec<(String, u64)>, FileStoreError> {
        self.store.unfinished(account)
    }
}
