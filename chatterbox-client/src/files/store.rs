//! The files of all transfers, and what is done with each.

use std::collections::BTreeMap;

use chatterbox_app::{FileFault, FileNews, FileWork};

use super::fetched::Fetched;
use super::place::Place;
use super::sent::{Known, Sent};

/// The files that are open, by the number of their transfer.
#[derive(Default)]
pub(super) struct Store {
    sent: BTreeMap<u64, Sent>,
    fetched: BTreeMap<u64, Fetched>,
}

impl Store {
    /// Does something, however long that takes.
    pub(super) fn perform(&mut self, work: FileWork) -> Option<FileNews> {
        let id = transfer_of(&work);
        match self.try_perform(work) {
            Ok(news) => news,
            Err(why) => {
                self.let_go(id);
                Some(FileNews::Failed { id, why })
            }
        }
    }

    fn try_perform(&mut self, work: FileWork) -> Result<Option<FileNews>, FileFault> {
        let news = match work {
            FileWork::Open { id, path, most } => {
                let (sent, Known { name, size, sha256 }) = Sent::open(&path, most)?;
                self.sent.insert(id, sent);
                FileNews::Opened { id, name, size, sha256 }
            }
            FileWork::Read { id, at, bytes } => {
                let sent = self.sent.get_mut(&id).ok_or(FileFault::Missing)?;
                FileNews::Read { id, at, data: sent.read(at, bytes)? }
            }
            FileWork::Create { id, name, path } => {
                let fetched = Fetched::create(id, Place::of(name, path.as_deref())?)?;
                self.fetched.insert(id, fetched);
                FileNews::Created { id }
            }
            FileWork::Write { id, data } => {
                self.fetched.get_mut(&id).ok_or(FileFault::Missing)?.write(&data)?;
                FileNews::Written { id, bytes: data.len() }
            }
            FileWork::Finish { id, sha256 } => {
                let fetched = self.fetched.remove(&id).ok_or(FileFault::Missing)?;
                let path = fetched.finish(sha256)?;
                FileNews::Finished { id, path: path.display().to_string() }
            }
            FileWork::Drop { id } => {
                self.let_go(id);
                return Ok(None);
            }
        };
        Ok(Some(news))
    }

    fn let_go(&mut self, id: u64) {
        self.sent.remove(&id);
        self.fetched.remove(&id);
    }
}

/// The transfer that something is to be done for.
pub(super) fn transfer_of(work: &FileWork) -> u64 {
    match work {
        FileWork::Open { id, .. }
        | FileWork::Read { id, .. }
        | FileWork::Create { id, .. }
        | FileWork::Write { id, .. }
        | FileWork::Finish { id, .. }
        | FileWork::Drop { id } => *id,
    }
}
