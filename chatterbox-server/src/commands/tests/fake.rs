//! A chat without sockets: connections record what they are told.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{IgnoreFilter, Level, LoggedIn};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::{Answer, Call};
use chatterbox_proto::{Capabilities, Code, Refusal, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::accounts::{Account, Accounts, Cost, Directory as _, Login, PasswordHash, Secret};
use crate::commands::caller::{Session, Who};
use crate::commands::client_port::{ClientPort, PostError};
use crate::commands::executor::{CallQueue, Ended, QueuedCall, executor};
use crate::commands::legacy;
use crate::commands::online::{Desk, Presence};
use crate::config::{Config, Live};
use crate::store::MemoryDirectory;

pub const PASSWORD: &str = "correct horse";

type Room = Arc<Mutex<BTreeMap<String, Username>>>;

pub fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// What one connection was told.
#[derive(Debug, Default)]
pub struct Told {
    pub frames: Mutex<Vec<Value>>,
    pub pushed: Notify,
    pub filter: Mutex<IgnoreFilter>,
    pub filters_sent: std::sync::atomic::AtomicUsize,
}

impl Told {
    fn push(&self, frame: Value) -> bool {
        self.frames.lock().unwrap().push(frame);
        self.pushed.notify_one();
        true
    }
}

#[derive(Debug)]
struct FakePort {
    told: Arc<Told>,
    room: Room,
    name: Mutex<Username>,
}

impl ClientPort for FakePort {
    fn tell(&self, members: Bytes) -> bool {
        let object = [b"{", &members[..], b"}"].concat();
        self.told.push(serde_json::from_slice(&object).unwrap())
    }

    fn tell_base(&self, text: &str) -> bool {
        self.told.push(json!({"BASE": text}))
    }

    fn tell_error(&self, text: &str) -> bool {
        self.told.push(json!({"ERROR": text}))
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn users(&self) -> Vec<Username> {
        self.room.lock().unwrap().values().cloned().collect()
    }

    fn find(&self, name: &Username) -> Option<Username> {
        self.room.lock().unwrap().get(name.key()).cloned()
    }

    fn rename(&self, to: Username, _owns: bool) -> BoxFuture<'_, Result<(), Refusal>> {
        let mut room = self.room.lock().unwrap();
        let mut current = self.name.lock().unwrap();
        if to != *current && room.contains_key(to.key()) {
            return ready(Err(Refusal::Taken)).boxed();
        }
        room.remove(current.key());
        room.insert(to.key().to_owned(), to.clone());
        *current = to;
        ready(Ok(())).boxed()
    }

    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>> {
        if self.find(to).is_none() {
            return ready(Err(PostError(Code::NoSuchUser))).boxed();
        }
        if self.told.filter.lock().unwrap().refused.contains(to) {
            return ready(Err(PostError(Code::Blocked))).boxed();
        }
        self.told.push(json!({"POSTED": [to.as_str(), text]}));
        ready(Ok(())).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Option<Duration>> {
        let silent = self.name.lock().unwrap().as_str() == "silent";
        ready((!silent).then_some(Duration::from_micros(12_500))).boxed()
    }

    fn ignore(&self, ignored: IgnoreFilter) {
        *self.told.filter.lock().unwrap() = ignored;
        self.told.filters_sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn set_account(&self, _account: Option<LoggedIn>) {}
}

/// The service of commands, and the names that are in use.
pub struct House {
    pub desk: Arc<Desk>,
    room: Room,
}

impl House {
    pub async fn new() -> Self {
        let mut directory = MemoryDirectory::default();
        let hash = PasswordHash::make(&Secret::given(PASSWORD), Cost::CHEAP).unwrap();
        directory.set_admin_password(Some(&hash)).unwrap();
        let accounts = Arc::new(Accounts::new(directory, Cost::CHEAP).unwrap());
        let desk = Desk::open(accounts, Live::new(Config::default())).await.unwrap();
        Self { desk, room: Room::default() }
    }

    pub fn config(&self) -> Live {
        Live::new(Config::default())
    }

    pub async fn guest(&self, text: &str) -> Somebody {
        let all = Capability::EVERY.iter().copied().collect();
        let grant = self
            .desk
            .accounts
            .authenticate(&name(text), None, Ipv4Addr::LOCALHOST.into(), true)
            .await;
        self.enter(text, grant.unwrap(), all)
    }

    pub fn base(&self, text: &str) -> Somebody {
        self.enter(text, Login::default(), Capabilities::NONE)
    }

    /// Somebody with an account of this level, and PASSWORD.
    pub async fn user(&self, text: &str, level: Level) -> Somebody {
        if level == Level::GUEST {
            return self.guest(text).await;
        }
        let accounts = &self.desk.accounts;
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let secret = Secret::given(PASSWORD);
        accounts.register(&name(text), secret, vec![], peer).await.unwrap();
        accounts.set_level(&name(text), level).await.unwrap();
        let account_key = accounts.account(&name(text)).await.unwrap().unwrap().account_key;
        let account = Some(name(text));
        let grant = Login { level, account, account_key, ..Login::default() };
        self.enter(text, grant, Capability::EVERY.iter().copied().collect())
    }

    pub async fn account(&self, text: &str) -> Option<Account> {
        self.desk.accounts.account(&name(text)).await.unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "a test is an edge")]
    fn enter(&self, text: &str, grant: Login, agreed: Capabilities) -> Somebody {
        let told = Arc::new(Told::default());
        self.room.lock().unwrap().insert(name(text).key().to_owned(), name(text));
        let port = FakePort {
            told: Arc::clone(&told),
            room: Arc::clone(&self.room),
            name: Mutex::new(name(text)),
        };
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let who = Who::with_login(name(text), grant);
        let session = Arc::new(Session::new(Box::new(port), who, peer, agreed));
        let presence = self.desk.enter(Arc::clone(&session));
        let (queue, mut executor) = executor(Arc::clone(&self.desk), Arc::clone(&session));
        let prefix = self.desk.prefix();
        let task = tokio::spawn(async move { executor.run().await });
        Somebody { told, queue, task, presence: Some(presence), next: 0, seen: 0, prefix }
    }
}

/// Somebody who is there.
pub struct Somebody {
    told: Arc<Told>,
    pub queue: CallQueue,
    task: JoinHandle<Ended>,
    presence: Option<Presence>,
    next: usize,
    seen: usize,
    prefix: String,
}

impl Somebody {
    /// Calls a command, and gives its id.
    pub fn begin(&mut self, name: &str, arguments: &[&str]) -> String {
        self.next += 1;
        let id = self.next.to_string();
        let arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        let call = Call { id: id.clone(), name: name.to_owned(), arguments };
        if let Err(outcome) = self.queue.call(QueuedCall { call, from_base: false }) {
            let object = [b"{", &outcome.to_object().into_members()[..], b"}"].concat();
            self.told.push(serde_json::from_slice(&object).unwrap());
        }
        id
    }

    /// Calls a command, and gives its RESULT.
    pub async fn call(&mut self, name: &str, arguments: &[&str]) -> Value {
        let id = self.begin(name, arguments);
        self.result(&id).await
    }

    pub async fn result(&mut self, id: &str) -> Value {
        loop {
            let result = self.next_with("RESULT").await["RESULT"].clone();
            if result["ID"] == id {
                return result;
            }
        }
    }

    /// What a base client says to itself.
    pub fn type_line(&mut self, text: &str) {
        let call = legacy::call(text, &self.prefix).unwrap();
        self.queue.call(QueuedCall { call, from_base: true }).unwrap();
    }

    pub fn answer(&self, id: &str, text: Option<&str>) -> Result<(), Code> {
        self.queue.answer(Answer { id: id.to_owned(), text: text.map(Typed::new) })
    }

    /// The next frame that has this key, the others are passed over.
    pub async fn next_with(&mut self, key: &str) -> Value {
        loop {
            let frame = self.told.frames.lock().unwrap().get(self.seen).cloned();
            match frame {
                Some(frame) => {
                    self.seen += 1;
                    if frame.get(key).is_some() {
                        return frame;
                    }
                }
                None => {
                    let patience = Duration::from_secs(120);
                    let news = tokio::time::timeout(patience, self.told.pushed.notified()).await;
                    assert!(news.is_ok(), "no {key} among {:?}", self.everything());
                }
            }
        }
    }

    pub fn everything(&self) -> Vec<Value> {
        self.told.frames.lock().unwrap().clone()
    }

    /// Whose messages are hidden, and with whom there are no private ones.
    pub fn filter(&self) -> (String, String) {
        let ignored = self.told.filter.lock().unwrap();
        let text = |names: &std::collections::HashSet<Username>| {
            let mut names: Vec<_> = names.iter().map(Username::as_str).collect();
            names.sort_unstable();
            names.join(" ")
        };
        (text(&ignored.hidden), text(&ignored.refused))
    }

    /// How often that was said.
    pub fn filters_sent(&self) -> usize {
        self.told.filters_sent.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub async fn has_ended(self) -> bool {
        self.task.await.is_ok()
    }

    pub fn leave(mut self) {
        self.task.abort();
        drop(self.presence.take());
    }
}
