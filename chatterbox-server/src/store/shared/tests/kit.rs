//! Nodes that carry out what one log says, each in its own thread and its own folder.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Filing, Group, MemberId, Proposal, Record, RecordMeta, Say, StoreCommand};
use chatterbox_proto::capability::meta::{Digest, FileToken, FileTold};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Username, WireText};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::store::shared::stores::Shared as SharedStores;
use crate::store::store_commands::{NotDecided, Proposer, StoreCommands as _};

/// Waits for something that another thread does.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The order: proposals in their places.
#[derive(Debug, Default)]
pub struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    decided: Vec<Proposal>,
    /// What is proposed waits, and nobody knows of it.
    hangs: bool,
    /// So many proposals come round before one hangs.
    passes: Option<usize>,
    held: Vec<Proposal>,
    /// What is proposed is refused.
    refuses: bool,
}

impl Log {
    pub fn len(&self) -> usize {
        self.state.lock().unwrap().decided.len()
    }

    /// What is proposed comes round no more for now, or all at once.
    pub fn hangs(&self, hangs: bool) {
        let mut state = self.state.lock().unwrap();
        state.hangs = hangs;
        if !hangs {
            let held = std::mem::take(&mut state.held);
            state.decided.extend(held);
        }
        self.changed.notify_all();
    }

    /// So many proposals come round, and those behind them no more for now.
    pub fn hangs_behind(&self, proposals: usize) {
        self.state.lock().unwrap().passes = Some(proposals);
    }

    /// What is proposed from now on comes round before what hangs.
    pub fn overtakes(&self) {
        let mut state = self.state.lock().unwrap();
        (state.hangs, state.passes) = (false, None);
    }

    /// Something else is decided; its place.
    pub fn decide(&self, proposal: Proposal) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.decided.push(proposal);
        self.changed.notify_all();
        state.decided.len() as u64
    }

    pub fn refuses(&self, refuses: bool) {
        self.state.lock().unwrap().refuses = refuses;
    }

    /// What is behind so many; `None` when whoever asks has ended.
    fn behind(&self, count: usize, ended: &AtomicBool) -> Option<Proposal> {
        let state = self.state.lock().unwrap();
        let waiting =
            |state: &mut State| state.decided.len() <= count && !ended.load(Ordering::SeqCst);
        self.changed.wait_while(state, waiting).unwrap().decided.get(count).cloned()
    }
}

impl Proposer for Log {
    fn propose(&self, command: StoreCommand) -> BoxFuture<'static, Result<(), NotDecided>> {
        let mut state = self.state.lock().unwrap();
        if state.refuses {
            return ready(Err(NotDecided)).boxed();
        }
        if let Some(passes) = state.passes {
            (state.hangs, state.passes) = (passes == 0, passes.checked_sub(1));
        }
        if state.hangs {
            state.held.push(Proposal::Store(command));
            return std::future::pending().boxed();
        }
        state.decided.push(Proposal::Store(command));
        self.changed.notify_all();
        ready(Ok(())).boxed()
    }
}

/// A node.
pub struct Node {
    pub stores: Arc<SharedStores>,
    log: Arc<Log>,
    applied: Arc<(Mutex<usize>, Condvar)>,
    following: Option<JoinHandle<()>>,
    ended: Arc<AtomicBool>,
    folder: tempfile::TempDir,
}

/// Nobody waits for longer in these tests, unless it is about waiting.
const PATIENCE: Duration = Duration::from_secs(60);

impl Node {
    pub fn new(log: &Arc<Log>) -> Self {
        Self::with_patience(log, PATIENCE)
    }

    pub fn with_patience(log: &Arc<Log>, patience: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start(log, folder, patience, None, true)
    }

    /// One that reads what was decided before.
    pub fn not_yet_up(log: &Arc<Log>) -> Self {
        Self::start(log, tempfile::tempdir().unwrap(), PATIENCE, None, false)
    }

    /// It is one of those that are up from now on.
    pub fn comes_up(&self) {
        self.stores.begin(Arc::clone(&self.log) as _);
    }

    /// Begins with what another one has dumped behind so many places.
    pub fn from_dump(log: &Arc<Log>, dump: Bytes, behind: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start(log, folder, PATIENCE, Some((dump, behind)), true)
    }

    /// Ends, and starts again in the same folder from the first place of the log.
    pub fn restarted(mut self) -> Self {
        self.end();
        let (log, folder) = (
            Arc::clone(&self.log),
            std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap()),
        );
        drop(self);
        Self::start(&log, folder, PATIENCE, None, true)
    }

    fn start(
        log: &Arc<Log>,
        folder: tempfile::TempDir,
        patience: Duration,
        dump: Option<(Bytes, usize)>,
        is_up: bool,
    ) -> Self {
        let stores = Arc::new(SharedStores::with_patience(folder.path(), patience).unwrap());
        if is_up {
            stores.begin(Arc::clone(log) as _);
        }
        let first = match dump {
            Some((dump, behind)) => {
                block_on(stores.restore(dump)).unwrap();
                behind
            }
            None => 0,
        };
        let applied = Arc::new((Mutex::new(first), Condvar::new()));
        let (order, tables, count) = (Arc::clone(log), Arc::clone(&stores), Arc::clone(&applied));
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ended);
        let following = std::thread::spawn(move || {
            let mut place = first;
            while let Some(proposal) = order.behind(place, &ends) {
                place += 1;
                let number = Group::number_of(place as u64, 0);
                block_on(tables.apply(number, &proposal, true)).unwrap();
                *count.0.lock().unwrap() = place;
                count.1.notify_all();
            }
        });
        let log = Arc::clone(log);
        Self { stores, log, applied, following: Some(following), ended, folder }
    }

    /// Somebody says something with a file; the number of it, when all nodes have read it.
    pub fn says_with_file(&self, token: &str) -> u64 {
        let told = FileTold {
            token: FileToken::parse(token).unwrap(),
            name: WireText::new("x"),
            size: 5,
            sha256: Digest([7; 32]),
            until: None,
        };
        let record = Record {
            source: Username::parse("ann").unwrap(),
            destination: Destination::All,
            json: r#"["ann", "ALL", 1, "x"]"#.into(),
            arrived: 1,
            filing: Filing::default(),
            meta: Some(RecordMeta::with_file(None, &told)),
        };
        let member: MemberId = serde_json::from_str("1").unwrap();
        let say = Say { member, number: 0, tag: None, record };
        let place = self.log.decide(Proposal::Say(say));
        self.catch_up();
        Group::number_of(place, 0)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until everything that was decided by now is done here.
    pub fn catch_up(&self) {
        let wanted = self.log.len();
        let (applied, changed) = &*self.applied;
        let applied = applied.lock().unwrap();
        drop(changed.wait_while(applied, |applied| *applied < wanted).unwrap());
    }

    /// All that it stores, after everything that was decided.
    pub fn dump(&self) -> Bytes {
        self.catch_up();
        block_on(self.stores.dump()).unwrap()
    }

    /// One number for it, after everything that was decided.
    pub fn digest(&self) -> (u64, u64) {
        self.catch_up();
        block_on(self.stores.digest()).unwrap()
    }

    fn end(&mut self) {
        {
            // Under the lock, so that whoever is about to wait sees it.
            let _state = self.log.state.lock().unwrap();
            self.ended.store(true, Ordering::SeqCst);
        }
        self.log.changed.notify_all();
        if let Some(following) = self.following.take() {
            following.join().unwrap();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}
