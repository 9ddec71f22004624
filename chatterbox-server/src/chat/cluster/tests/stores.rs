//! What all nodes store alike beside messages: what a node does when it can't, and that nodes are compared by it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use chatterbox_hub::{Group, Sequence};
use futures_util::future::{BoxFuture, ready};
use tokio::sync::watch;

use super::*;
use crate::chat::cluster::kit::Setup;
use crate::chat::cluster::life::Split;
use crate::store::{Proposer, StoreCommands, StoreError};

const SECOND: Duration = Duration::from_secs(1);

/// Tables of one node, made up: the commands that were carried out.
#[derive(Debug)]
pub(super) struct Tables {
    done: Mutex<VecDeque<(Sequence, Bytes)>>,
    /// What comes of the next attempts.
    fault: Mutex<Option<fn() -> StoreError>>,
    attempts: Mutex<u32>,
    /// What was done when commands could be asked for first.
    begun: Mutex<Option<Sequence>>,
    /// Something that no command has made.
    stray: Mutex<u64>,
    /// How long reading all of it takes.
    takes: Mutex<Duration>,
    settings: watch::Sender<u64>,
    /// Accounts that are not there.
    lacking: Mutex<Vec<i64>>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            done: Mutex::default(),
            fault: Mutex::default(),
            attempts: Mutex::default(),
            begun: Mutex::default(),
            stray: Mutex::default(),
            takes: Mutex::default(),
            settings: watch::Sender::new(0),
            lacking: Mutex::default(),
        }
    }
}

impl Tables {
    fn newest(&self) -> Sequence {
        self.done.lock().unwrap().back().map_or(0, |(number, _)| *number)
    }

    /// These accounts are not there.
    pub(super) fn lack(&self, accounts: &[i64]) {
        *self.lacking.lock().unwrap() = accounts.to_vec();
    }

    fn fails(&self, fault: Option<fn() -> StoreError>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn attempts(&self) -> u32 {
        *self.attempts.lock().unwrap()
    }
}

impl StoreCommands for Tables {
    fn begin(&self, _: Arc<dyn Proposer>) {
        let newest = self.newest();
        self.begun.lock().unwrap().get_or_insert(newest);
    }

    fn apply<'a>(
        &'a self,
        number: Sequence,
        proposal: &'a Proposal,
        accepted: bool,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        *self.attempts.lock().unwrap() += 1;
        if let Some(fault) = *self.fault.lock().unwrap() {
            return ready(Err(fault())).boxed();
        }
        if let Proposal::Store(StoreCommand(command)) = proposal
            && accepted
            && number > self.newest()
        {
            self.done.lock().unwrap().push_back((number, command.clone()));
        }
        ready(Ok(())).boxed()
    }

    fn applied(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
        ready(Ok(self.newest())).boxed()
    }

    fn settings(&self) -> watch::Receiver<u64> {
        self.settings.subscribe()
    }

    fn dump(&self) -> BoxFuture<'static, Result<Bytes, StoreError>> {
        let done = self.done.lock().unwrap();
        let done: Vec<_> = done.iter().map(|(number, command)| (*number, &command[..])).collect();
        ready(Ok(postcard::to_allocvec(&done).unwrap().into())).boxed()
    }

    fn digest(&self) -> BoxFuture<'static, Result<(Sequence, u64), StoreError>> {
        let all = self.done.lock().unwrap();
        let sum = all.iter().fold(all.len() as u64, |sum, (number, command)| {
            sum.wrapping_mul(31).wrapping_add(*number ^ u64::from(command[0]))
        });
        let digest = (self.newest_of(&all), sum ^ *self.stray.lock().unwrap());
        let takes = *self.takes.lock().unwrap();
        async move {
            tokio::time::sleep(takes).await;
            Ok(digest)
        }
        .boxed()
    }

    fn gone(&self, accounts: Vec<i64>) -> BoxFuture<'static, Result<Vec<i64>, StoreError>> {
        let lacking = self.lacking.lock().unwrap();
        let gone = accounts.into_iter().filter(|account| lacking.contains(account)).collect();
        ready(Ok(gone)).boxed()
    }

    fn restore(&self, state: Bytes) -> BoxFuture<'_, Result<(), StoreError>> {
        let done: Vec<(Sequence, Vec<u8>)> = postcard::from_bytes(&state).unwrap();
        let done = done.into_iter().map(|(number, command)| (number, command.into()));
        *self.done.lock().unwrap() = done.collect();
        ready(Ok(())).boxed()
    }
}

impl Tables {
    fn newest_of(&self, done: &VecDeque<(Sequence, Bytes)>) -> Sequence {
        done.back().map_or(0, |(number, _)| *number)
    }
}

pub(super) fn with(kit: &Kit, tables: &Arc<Tables>) -> Setup {
    Setup { commands: Some(Arc::<Tables>::clone(tables)), ..kit.setup() }
}

/// Asks for a command, and gives the place of it.
async fn command(kit: &Kit, node: &TestNode, byte: u8) -> u64 {
    let command = StoreCommand(Bytes::from(vec![byte]));
    node.chat.change(Proposal::Store(command)).await.unwrap();
    let is_it = |proposal: &Proposal| match proposal {
        Proposal::Store(StoreCommand(command)) => command[..] == [byte],
        _ => false,
    };
    let groups = kit.engine.groups();
    groups.iter().rfind(|decided| decided.group.proposals.iter().any(is_it)).unwrap().place
}

#[tokio::test(start_paused = true)]
async fn what_can_never_be_carried_out_ends_a_node_and_is_not_skipped() {
    let faults: [fn() -> StoreError; 2] =
        [|| StoreError::NotUnderstood, || StoreError::Failed("it is damaged".into())];
    for (index, fault) in faults.into_iter().enumerate() {
        let kit = Kit::new();
        let tables = [Arc::new(Tables::default()), Arc::new(Tables::default())];
        let one = with(&kit, &tables[0]).up("one").await;
        let two = with(&kit, &tables[1]).up("two").await;
        command(&kit, &two, 1).await;
        settled(&kit, &[&one, &two]).await;
        let before = tables[0].newest();
        tables[0].fails(Some(fault));
        let place = command(&kit, &two, 2).await;
        let ended = tokio::time::timeout(SECOND, one.running).await.unwrap().unwrap().unwrap_err();
        assert!(ended.is_final(), "{ended}");
        match (index, ended) {
            (0, ClusterError::NotUnderstood(at)) => assert_eq!(at, place),
            (1, ClusterError::Store(error)) => assert!(error.to_string().contains("damaged")),
            (_, other) => panic!("{other:?}"),
        }
        assert_eq!((tables[0].newest(), tables[0].attempts()), (before, 2), "it was tried once");
        assert!(one.progress.applied() <= place, "nothing behind it was applied");
        command(&kit, &two, 3).await;
        assert_eq!(tables[1].done.lock().unwrap().len(), 3, "the other one goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_disk_or_the_system_does_not_take_is_tried_again_and_nothing_is_skipped() {
    let faults: [fn() -> StoreError; 4] = [
        || StoreError::Full,
        || StoreError::Disk,
        || StoreError::Moved,
        || StoreError::Busy("locked".into()),
    ];
    for fault in faults {
        let kit = Kit::new();
        let tables = [Arc::new(Tables::default()), Arc::new(Tables::default())];
        let one = with(&kit, &tables[0]).up("one").await;
        let two = with(&kit, &tables[1]).up("two").await;
        tables[0].fails(Some(fault));
        for byte in 1..4 {
            command(&kit, &two, byte).await;
        }
        tokio::time::sleep(8 * SECOND).await;
        assert!(!one.running.is_finished(), "{}", fault());
        assert!((3..30).contains(&tables[0].attempts()), "{}", tables[0].attempts());
        tables[0].fails(None);
        settled(&kit, &[&one, &two]).await;
        assert_eq!(*tables[0].done.lock().unwrap(), *tables[1].done.lock().unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_before_a_node_was_up_is_read_before_anything_is_news_to_it() {
    let kit = Kit::new();
    let tables = Arc::new(Tables::default());
    let one = with(&kit, &tables).up("one").await;
    assert_eq!(*tables.begun.lock().unwrap(), Some(0));
    let mut last = 0;
    for byte in 1..20 {
        last = command(&kit, &one, byte).await;
    }
    let later = Arc::new(Tables::default());
    let two = with(&kit, &later).up("two").await;
    assert_eq!(*later.begun.lock().unwrap(), Some(Group::number_of(last, 0)));
    settled(&kit, &[&one, &two]).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_whose_tables_differ_stop_within_a_minute_of_the_order() {
    let kit = Kit::new();
    let tables = [Arc::new(Tables::default()), Arc::new(Tables::default())];
    // Reading takes longer at one of them than the other needs to tell.
    *tables[1].takes.lock().unwrap() = 5 * SECOND;
    let one = with(&kit, &tables[0]).up("one").await;
    let two = with(&kit, &tables[1]).up("two").await;
    for byte in 0..200 {
        command(&kit, [&one, &two][usize::from(byte) % 2], byte).await;
        tokio::time::sleep(SECOND).await;
    }
    assert!(!one.running.is_finished() && !two.running.is_finished(), "no false alarm");
    same(&[&one, &two]);
    *tables[1].stray.lock().unwrap() = 1;
    let ends = async { (one.running.await.unwrap(), two.running.await.unwrap()) };
    let (one, two) = tokio::time::timeout(75 * SECOND, ends).await.unwrap();
    for ended in [one, two] {
        let is_split = matches!(ended, Err(ClusterError::Split(Split::Stores { .. })));
        assert!(is_split, "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_that_begin_or_begin_again_raise_no_false_alarm() {
    let kit = Kit::new();
    let tables = [Arc::new(Tables::default()), Arc::new(Tables::default())];
    let one = with(&kit, &tables[0]).up("one").await;
    let mut two = with(&kit, &tables[1]).up("two").await;
    let mut byte = 0;
    for round in 0..40 {
        for _ in 0..30 {
            byte = (byte + 1) % 200;
            command(&kit, [&one, &two][usize::from(byte) % 2], byte).await;
            tokio::time::sleep(SECOND).await;
        }
        // Its tables are ahead of what it reads again.
        let store = two.kill().await;
        if round % 3 == 0 {
            tokio::time::sleep(20 * SECOND).await;
        }
        two = Setup { store, ..with(&kit, &tables[1]) }.up("two").await;
    }
    while kit.engine.groups().len() < 10_100 {
        tokio::time::sleep(100 * SECOND).await;
    }
    kit.engine.drops(9_000);
    let third = Arc::new(Tables::default());
    let three = with(&kit, &third).up("three").await;
    for byte in 0..150 {
        command(&kit, &three, byte).await;
        tokio::time::sleep(SECOND).await;
    }
    settled(&kit, &[&one, &two, &three]).await;
    assert_eq!(*third.done.lock().unwrap(), *tables[0].done.lock().unwrap());
    for node in [one, two, three] {
        assert!(!node.running.is_finished(), "{:?}", node.running.await);
    }
}
