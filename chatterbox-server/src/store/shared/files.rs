//! What is known about files, read in the database of this node, and changed on all nodes alike.

use std::sync::Arc;

use chatterbox_hub::Sequence;
use chatterbox_proto::Username;

use crate::files::{
    Claim, FileStore, FileStoreError, NewFile, Quotas, Reserved, StoredFile, UPLOAD_AGE,
};
use crate::store::shared::answer::Answer;
use crate::store::shared::asking::{Asking, Undecided};
use crate::store::shared::command::Command;
use crate::store::shared::written_file::{WrittenClaim, WrittenFile};
use crate::store::sqlite::SqliteFiles;

/// What a file that is given up is claimed with. The keys of messages have a space in them.
const GIVEN_UP: &str = "given-up";

/// What is known about files in a cluster, as one node has it.
#[derive(Debug)]
pub struct Shared {
    /// Only reads.
    reader: SqliteFiles,
    asking: Arc<Asking>,
}

impl From<Undecided> for FileStoreError {
    fn from(Undecided: Undecided) -> Self {
        Self::Undecided
    }
}

impl Shared {
    pub(super) const fn new(reader: SqliteFiles, asking: Arc<Asking>) -> Self {
        Self { reader, asking }
    }
}

/// The answer to another question: a fault of this program.
fn unexpected() -> FileStoreError {
    FileStoreError::Store("the answer is none to this question".into())
}

impl FileStore for Shared {
    fn reserve(&mut self, new: &NewFile, quotas: Quotas) -> Result<Reserved, FileStoreError> {
        let Quotas { account, room, all } = quotas;
        let new = WrittenFile::of(new);
        match self.asking.ask(Command::ReserveFile { new, quotas: (account, room, all) })? {
            Answer::Reserved(reserved) => Ok(*reserved),
            // The account was removed meanwhile.
            Answer::Overtaken => Err(FileStoreError::Store("there is no such account".into())),
            _ => Err(unexpected()),
        }
    }

    fn complete(&mut self, token: &str) -> Result<bool, FileStoreError> {
        match self.asking.ask(Command::CompleteFile(token.to_owned()))? {
            Answer::Changed(it, _) => Ok(it),
            _ => Err(unexpected()),
        }
    }

    fn claim(&mut self, claim: &Claim) -> Result<Option<StoredFile>, FileStoreError> {
        match self.asking.ask(Command::ClaimFile(WrittenClaim::of(claim)))? {
            Answer::Claimed(file) => Ok(file.map(|file| *file)),
            _ => Err(unexpected()),
        }
    }

    fn release(&mut self, token: &str, key: &str) -> Result<(), FileStoreError> {
        let (token, key) = (token.to_owned(), key.to_owned());
        self.asking.ask(Command::ReleaseFile { token, key }).map(drop).map_err(Into::into)
    }

    /// Every node notes it when the message comes round, so nobody has to ask for it.
    fn announced(&mut self, _: &str, _: Sequence) -> Result<(), FileStoreError> {
        Ok(())
    }

    fn shorten(&mut self, token: &str, until: i64) -> Result<(), FileStoreError> {
        let token = token.to_owned();
        self.asking.ask(Command::ShortenFile { token, until }).map(drop).map_err(Into::into)
    }

    fn remove(&mut self, tokens: &[String]) -> Result<(), FileStoreError> {
        self.asking.ask(Command::RemoveFiles(tokens.to_vec())).map(drop).map_err(Into::into)
    }

    /// A file that is there is claimed first, so that no message can have it before it is removed. One that is not there can't be
    /// claimed, and not be announced either: whoever calls has its bytes locked. A command for both together would be one that
    /// older nodes don't know.
    ///
    /// A claim ends after a minute, and the removal may come round later than that, when nobody waits for it any more. So a second
    /// claim is of the last moment in which a message could claim it, and never ends before that.
    fn give_up(&mut self, token: &str, account: i64, now: i64) -> Result<bool, FileStoreError> {
        let Some(file) = self.reader.find(token)? else { return Ok(false) };
        if file.account != account || file.is_claimed(now) {
            return Ok(false);
        }
        if file.is_there {
            let last = file.until.min(file.begun.saturating_add(UPLOAD_AGE)).saturating_sub(1);
            let claim = Claim {
                token: file.token,
                account,
                scope: file.scope,
                source: Username::stored("nobody"),
                recipient: None,
                key: GIVEN_UP.to_owned(),
                now,
            };
            for now in [now, last] {
                if self.claim(&Claim { now, ..claim.clone() })?.is_none() {
                    return Ok(false);
                }
            }
        }
        self.remove(&[token.to_owned()])?;
        Ok(true)
    }

    fn find(&mut self, token: &str) -> Result<Option<StoredFile>, FileStoreError> {
        self.reader.find(token)
    }

    fn list(&mut self, after: &str, limit: usize) -> Result<Vec<StoredFile>, FileStoreError> {
        self.reader.list(after, limit)
    }

    fn being_written(&mut self) -> Result<u64, FileStoreError> {
        self.reader.being_written()
    }

    fn unfinished(&mut self, account: i64) -> Result<Vec<(String, u64)>, FileStoreError> {
        self.reader.unfinished(account)
    }
}
