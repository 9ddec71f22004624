//! All transfers of a session, in the order in which they were begun. As many run as the server takes (FI-5); the others wait.

use std::collections::VecDeque;

use chatterbox_proto::ScreenText;

use super::told::{TransferState, TransferTold};
use super::transfer::{Kind, Transfer};
use super::work::FileWork;

/// So many run at a time.
const AT_ONCE: usize = 2;

/// So many are under way or wait at most.
const MOST: usize = 20;

/// The transfers of a session.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    all: Vec<Transfer>,
    /// How many there ever were.
    count: u64,
    /// Those that are over, whose files are to be let go.
    over: VecDeque<u64>,
}

impl Transfers {
    /// Begins one. Says its number; `None` where there are too many.
    pub(crate) fn begin(&mut self, kind: Kind) -> Option<u64> {
        if self.all.len() >= MOST {
            return None;
        }
        self.count += 1;
        self.all.push(Transfer::new(self.count, kind));
        Some(self.count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.over.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Transfer> {
        self.all.iter()
    }

    /// Those that run, or are going to.
    pub(crate) fn running(&mut self) -> impl Iterator<Item = &mut Transfer> {
        self.all.iter_mut().take(AT_ONCE)
    }

    pub(crate) fn find(&mut self, id: u64) -> Option<&mut Transfer> {
        self.all.iter_mut().find(|transfer| transfer.id == id)
    }

    /// The one of a file that is here already, or on its way.
    pub(crate) fn of_file(&mut self, token: &str) -> Option<&mut Transfer> {
        let is_it = |one: &&mut Transfer| one.token().is_some_and(|file| file.as_str() == token);
        self.all.iter_mut().find(is_it)
    }

    /// The one that a request was for.
    pub(crate) fn of_request(&mut self, request: &str) -> Option<&mut Transfer> {
        self.all.iter_mut().find(|transfer| transfer.request() == request)
    }

    /// Takes one out; its file is let go.
    pub(crate) fn end(&mut self, id: u64) -> Option<Transfer> {
        let place = self.all.iter().position(|transfer| transfer.id == id)?;
        self.over.push_back(id);
        Some(self.all.remove(place))
    }

    /// Takes one out that has failed, and says so.
    pub(crate) fn fail(&mut self, id: u64, why: &str) -> Option<TransferTold> {
        let why = ScreenText::shortened(why, 300);
        Some(self.end(id)?.told_as(TransferState::Failed { why }))
    }

    /// The connection is lost.
    pub(crate) fn lost(&mut self) {
        self.all.iter_mut().for_each(Transfer::lost);
    }

    /// The next thing to do on this machine. The one that did something is behind the others then, so that none has to wait for
    /// another one to end.
    pub(crate) fn work(&mut self, idle: bool, chunk: usize, most: Option<u64>) -> Option<FileWork> {
        if let Some(id) = self.over.pop_front() {
            return Some(FileWork::Drop { id });
        }
        let count = self.all.len().min(AT_ONCE);
        for place in 0..count {
            let work = self.all.get_mut(place).and_then(|one| one.work(idle, chunk, most));
            if let Some(work) = work {
                // Among those that run, the order says only whose turn it is.
                if let Some(running) = self.all.get_mut(place..count) {
                    running.rotate_left(1);
                }
                return Some(work);
            }
        }
        None
    }
}
