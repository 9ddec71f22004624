//! A database with something in every table, whoever moves it in and is cut off, and nodes that store it.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chatterbox_hub::{Group, Hub, JoinError, JoinRequest, Keep, TimelineLimits};
use chatterbox_proto::Username;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::record;
use crate::chat::cluster::moving_in::MoveIn;
use crate::chat::cluster::{Cluster, ClusterError, Node as Run, Progress, Pulse, Standing};
use crate::chat::handle::{Seat, Welcomed};
use crate::chat::proposals;
use crate::chat::shared::Chat;
use crate::order::simulated::{Engine, Link};
use crate::order::{Decided, OfferError, Order, OrderError, Place, Reach, Snapshot, Snapshots};
use crate::store::sqlite::{Durability, OpenError, Retention, SqliteOptions, Stopped};
use crate::store::{SharedStores, Sqlite, Store, StoreCommands};

/// The tables that have to survive, by their first columns.
pub const TABLES: [&str; 22] = [
    "accounts",
    "account_looks",
    "tokens",
    "blocks",
    "settings",
    "disabled_commands",
    "files",
    "guests_seen",
    "marks",
    "e2ee_identities",
    "e2ee_devices",
    "e2ee_keys",
    "messages",
    "rooms",
    "room_members",
    "room_leavers",
    "room_levels",
    "room_invitations",
    "room_defaults",
    "sanctions",
    "audit",
    "reports",
];

/// One row and more of each.
const ROWS: &str = "
INSERT INTO accounts (id, name, key, password, level, created, epoch, seen, hides_seen) VALUES
    (1, 'Ann', 'ann', '$argon2id$1', 3, 100, 2, 1700000500, 0), (2, 'Zoe', 'zoe', '$argon2id$2', 1, 101, 0, NULL, 1);
INSERT INTO account_looks VALUES ('ann', 1), ('zoe', 2);
INSERT INTO tokens (number, hash, account, expires) VALUES (4, x'00ff', 1, 9000000000);
INSERT INTO blocks VALUES (1, 'eve', 'Eve');
INSERT INTO settings VALUES ('prefix', '!'), ('guests', 'on'), ('admin-password', '$argon2id$3');
INSERT INTO disabled_commands VALUES ('roll');
INSERT INTO guests_seen VALUES ('bob', 'Bob', 1700000600);
INSERT INTO files VALUES
    ('AAAAAAAAAAAAAAAAAAAAAA', 1, '*', 'notes.pdf', 5, zeroblob(32), 1700000000, 9000000000, 1, NULL, NULL, 2, 'Ann', NULL);
INSERT INTO marks VALUES (1, '', 3), (2, char(9) || '5', 6);
INSERT INTO e2ee_identities VALUES (1, 'identity');
INSERT INTO e2ee_devices (number, account, device, curve25519, ed25519, signature, newest_key, done)
    VALUES (3, 1, 'a1', 'curve', 'ed', 'signature', '000000000004', 7);
INSERT INTO e2ee_keys (number, device, name, public_key, signature) VALUES (6, 3, '000000000004', 'key', 'signature');
INSERT INTO rooms VALUES
    (0, '#ALL', '#all', NULL, NULL, 'lobby', '', 0, NULL, 0, 0, 0, 0, 1000, NULL, 0, 1, 0, 0, 1),
    (5, '#Lab', '#lab', 1, 'Ann', 'a topic', 'words', 9, '$argon2id$4', 1, 1, 1, 3, 500, NULL, 1, 1, 0, 1, 6),
    (8, '#quiet', '#quiet', NULL, NULL, '', '', 0, NULL, 0, 0, 0, 0, 1000, -1, 0, 1, 0, 0, 0);
INSERT INTO room_members (place, room, account, name, since) VALUES (1, 5, 2, 'Zoe', 5), (2, 5, 1, 'Ann', 7);
INSERT INTO room_leavers VALUES (8, 1, 'Ann');
INSERT INTO room_levels VALUES (5, 2, 'Zoe', 4);
INSERT INTO room_invitations VALUES (8, 2, 'Zoe', 'Ann', 9000000000);
INSERT INTO room_defaults VALUES (1, 5);
INSERT INTO sanctions VALUES (3, 'ban', 'name', NULL, 'eve', NULL, 0, 'eve', NULL, 'Ann', 'enough', 1700000000, NULL);
INSERT INTO audit (id, at, author, author_key, act, about, about_key, is_address, detail, reason)
    VALUES (7, 1700000000, 'Ann', 'ann', 'ban', 'eve', 'eve', 0, '', 'enough');
INSERT INTO reports (number, at, reporter, reporter_account, subject, message, text, reason)
    VALUES (2, 1700000000, 'Zoe', 2, 'eve', 4, 'words', 'rude');
";

/// Messages: number, source, recipient, text, conversation, mailbox, sender, room.
type Message = (
    i64,
    &'static str,
    Option<&'static str>,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<i64>,
    Option<i64>,
);

const MESSAGES: [Message; 9] = [
    (2, "Ann", None, "in the lobby", None, None, Some(1), None),
    (4, "eve", None, "of a guest", None, None, Some(-77), None),
    (7, "Zoe", Some("#Lab"), "in a room", None, None, Some(2), Some(5)),
    (9, "Ann", Some("Zoe"), "of an account to one", Some("\t1\n\t2"), Some("\t2"), Some(1), None),
    (10, "nick", Some("Zoe"), "under a nick", Some("\t1\n\t2"), Some("\t2"), Some(1), None),
    (11, "Ann", Some("bob"), "to a guest", Some("\t1\nbob"), None, Some(1), None),
    (12, "cyd", Some("bob"), "of old", Some("bob\ncyd"), None, None, None),
    (13, "cyd", Some("Zoe"), "of a guest to one", Some("\t2\ncyd"), Some("\t2"), Some(-5), None),
    (2100, "Zoe", None, "the newest", None, None, Some(2), None),
];

/// What nobody can read any more, so that it is not moved: cleared, of a room that keeps nothing, of one that is gone, of an account
/// that is gone.
const UNREADABLE: [Message; 5] = [
    (1, "Ann", None, "cleared in the lobby", None, None, Some(1), None),
    (6, "Zoe", Some("#Lab"), "cleared", None, None, Some(2), Some(5)),
    (14, "Zoe", Some("#quiet"), "not kept", None, None, Some(2), Some(8)),
    (15, "Zoe", Some("#gone"), "gone", None, None, Some(2), Some(3)),
    (16, "Ann", Some("Xia"), "removed", Some("\t1\n\t9"), Some("\t9"), Some(1), None),
];

pub fn connect(folder: &Path) -> Connection {
    Connection::open(folder.join("chatterbox.db")).unwrap()
}

/// A database with something in every table, as a server that is alone has left it.
pub fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(Stopped::open(folder.path()).unwrap());
    let connection = connect(folder.path());
    connection.execute_batch(ROWS).unwrap();
    let insert = "INSERT INTO messages
        (sequence, arrived, source, recipient, json, conversation, mailbox, sender, origin, room)
        VALUES (?1, 1700000000 + ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)";
    for message in MESSAGES.iter().chain(&UNREADABLE) {
        let (number, source, recipient, text, conversation, mailbox, sender, room) = message;
        let json = format!("[\"{source}\", \"{}\", 1, \"{text}\"]", recipient.unwrap_or("ALL"));
        let row = (number, source, recipient, json, conversation, mailbox, sender, room);
        connection.execute(insert, row).unwrap();
    }
    drop(connection);
    // As it starts, it drops what nobody can read.
    drop(Sqlite::open(&options(folder.path())).unwrap());
    folder
}

/// How many messages can be read.
pub fn count(_: &Path) -> usize {
    MESSAGES.len() + 1
}

/// All rows of a table, as text. Of messages those that can be read: the others are removed in steps. Of who stays out of a room the
/// name is not part of the state, and nobody reads it.
pub fn rows(folder: &Path, table: &str) -> Vec<String> {
    let connection = connect(folder);
    let columns = if table == "room_leavers" { "room, account" } else { "*" };
    let select = format!("SELECT {columns} FROM {table} ORDER BY 1");
    let mut select = connection.prepare(&select).unwrap();
    let columns = select.column_count();
    let mut found = select.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let cells = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap()));
        let hidden = table == "messages"
            && UNREADABLE.iter().any(|message| row.get_ref(0).unwrap().as_i64() == Ok(message.0));
        if !hidden {
            rows.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    rows
}

/// The tables that there are.
pub fn schema(folder: &Path) -> Vec<String> {
    let connection = connect(folder);
    let mut select = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1")
        .unwrap();
    let names = select.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

pub fn options(folder: &Path) -> SqliteOptions {
    SqliteOptions {
        folder: folder.to_owned(),
        durability: Durability::Process,
        retention: Retention { messages: 10_000, bytes: 1 << 30, age: None },
    }
}

/// Opens it as a server that is alone does.
pub fn alone(folder: &Path) -> Result<(), OpenError> {
    Sqlite::open_alone(&options(folder)).map(drop)
}

pub fn copied(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().join("chatterbox.db").display().to_string();
    connect(folder).execute("VACUUM INTO ?", [to]).unwrap();
    copy
}

/// Moves a database in; gives the engine.
pub async fn moved(folder: &Path) -> Arc<Engine> {
    let moving = MoveIn::of(Stopped::open(folder).unwrap(), "chat").unwrap();
    let engine = Engine::behind(moving.place());
    let link = Cut::never(&engine);
    let moved = moving.run(&link, &link, |_| {}).await.unwrap();
    assert!(!moved.before);
    engine
}

/// A way to the engine that is cut after so many groups and snapshots, and on which groups are small.
#[derive(Debug)]
pub struct Cut {
    link: Link,
    left: AtomicUsize,
    /// Whether the last one is lost; otherwise nobody hears that it has arrived.
    is_lost: bool,
    is_cut: AtomicBool,
    changed: Notify,
}

impl Cut {
    pub fn after(engine: &Arc<Engine>, count: usize, is_lost: bool) -> Self {
        Self {
            link: engine.link(),
            left: AtomicUsize::new(count),
            is_lost,
            is_cut: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    pub fn never(engine: &Arc<Engine>) -> Self {
        Self::after(engine, usize::MAX, false)
    }

    /// Waits until it is cut.
    pub async fn happens(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_cut.load(Ordering::SeqCst) {
                return;
            }
            changed.await;
        }
    }

    pub fn mends(&self) {
        self.left.store(usize::MAX, Ordering::SeqCst);
        self.is_cut.store(false, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    async fn open(&self) {
        loop {
            let changed = self.changed.notified();
            if !self.is_cut.load(Ordering::SeqCst) {
                return;
            }
            changed.await;
        }
    }

    /// Whether what comes next gets through; afterwards it is cut where it was the last.
    async fn gets_through(&self) -> bool {
        self.open().await;
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        left > 0 || !self.is_lost
    }

    async fn goes_on(&self) {
        if self.left.load(Ordering::SeqCst) == 0 && !self.is_lost {
            self.cut();
        }
        self.open().await;
    }
}

impl Order for Cut {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        async move {
            if !self.gets_through().await {
                self.cut();
                self.open().await;
            }
            let offered = self.link.offer(group).await;
            self.goes_on().await;
            offered
        }
        .boxed()
    }

    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        self.link.follow(after)
    }

    /// So that there are many groups.
    fn group_bytes(&self) -> usize {
        60
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        self.link.reach()
    }
}

impl Snapshots for Cut {
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, OrderError>> {
        self.link.places()
    }

    fn read(&self, place: Place) -> BoxFuture<'_, Result<Option<Snapshot>, OrderError>> {
        Snapshots::read(&self.link, place)
    }

    fn keep(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), OrderError>> {
        async move {
            if !self.gets_through().await {
                self.cut();
                self.open().await;
            }
            self.link.keep(snapshot).await
        }
        .boxed()
    }
}

/// How many nodes were started: each has a name of its own.
static NODES: AtomicUsize = AtomicUsize::new(0);

/// A node that stores in a folder.
pub struct Node {
    pub chat: Arc<Chat>,
    progress: Arc<Progress>,
    standing: watch::Receiver<Standing>,
    stop: CancellationToken,
    running: JoinHandle<Result<(), ClusterError>>,
}

impl Node {
    fn launch(engine: &Arc<Engine>, folder: &Path) -> Self {
        let (proposals, queue) = proposals::queue();
        let limits = TimelineLimits::default();
        let chat = Arc::new(Chat::new(Hub::new(limits, Keep::default()), proposals));
        let (standing, watched) = watch::channel(Standing::Starting);
        let progress = Arc::new(Progress::default());
        let stop = CancellationToken::new();
        let link = Arc::new(engine.link());
        // Its lock and migrations come first.
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&options(folder)).unwrap());
        let commands: Arc<dyn StoreCommands> = Arc::new(SharedStores::open(folder).unwrap());
        let node = Run {
            cluster: Cluster {
                name: "chat".into(),
                node: format!("n{}", NODES.fetch_add(1, Ordering::Relaxed)).into(),
                order: Arc::<Link>::clone(&link),
                snapshots: link,
                commands: Some(commands),
            },
            speaks: chatterbox_hub::format::LEVEL,
            chat: Arc::clone(&chat),
            store,
            progress: Arc::clone(&progress),
            pulse: Arc::new(Pulse::new(Instant::now())),
            standing,
        };
        let running = tokio::spawn(node.run(queue, limits, stop.clone()));
        Self { chat, progress, standing: watched, stop, running }
    }

    /// Starts one, and waits until it is up.
    pub async fn start(engine: &Arc<Engine>, folder: &Path) -> Self {
        let mut node = Self::launch(engine, folder);
        let is_up = |standing: &Standing| matches!(standing, Standing::Up(_));
        if node.standing.wait_for(is_up).await.is_err() {
            panic!("{:?}", node.running.await);
        }
        node
    }

    /// How one ends that can't begin.
    pub async fn begun(engine: &Arc<Engine>, folder: &Path) -> Result<(), ClusterError> {
        Self::launch(engine, folder).running.await.unwrap()
    }

    pub async fn join(&self, text: &str) -> Result<(Seat, Welcomed), JoinError> {
        Seat::join(&self.chat, JoinRequest::base(&Username::parse(text).unwrap(), "Hi")).await
    }

    /// Says something, and gives its number.
    pub async fn say(&self, seat: &Seat, by: &str, text: &str) -> u64 {
        let id = seat.handle().id();
        self.chat.post(id, vec![record(by, text)], None, None, None).await.unwrap();
        self.chat.newest_number()
    }

    /// Waits until it has stored everything so far.
    pub async fn has_all(&self, engine: &Arc<Engine>) {
        let last = engine.groups().last().map_or(0, |decided| decided.place);
        tokio::time::timeout(Duration::from_secs(60), self.progress.stores(last)).await.unwrap();
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}
