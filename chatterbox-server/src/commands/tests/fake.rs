//! A chat without sockets: a real hub, and people whose connections are lists.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{
    AccountRef, Amendment, BlockLists, Hub, Identity, JoinRequest, Keep, Level, LoggedIn, MemberId,
    Rename, RoomChange, RoomDone, RoomMember, RoomMemberView, RoomNumber, RoomRef, RoomView,
    TimelineLimits,
};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::{Answer, Call, OutcomeCode};
use chatterbox_proto::{Capabilities, Code, Refusal, RoomName, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::accounts::{Account, Accounts, Cost, Directory as _, Login, PasswordHash, Secret};
use crate::commands::caller::Caller;
use crate::commands::client_port::{ClientPort, PostError};
use crate::commands::executor::{CallQueue, Ended, QueuedCall, executor};
use crate::commands::legacy;
use crate::commands::online::OnlineGuard;
use crate::commands::state::CommandState;
use crate::commands::tests::fake_rooms::{FakeRoom, FakeRooms, party};
use crate::config::{Config, Live};
use crate::store::MemoryDirectory;

pub const PASSWORD: &str = "correct horse";

pub fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// What one connection was told.
#[derive(Debug, Default)]
pub struct Told {
    pub frames: Mutex<Vec<Value>>,
    pub pushed: Notify,
}

impl Told {
    fn push(&self, frame: Value) -> bool {
        self.frames.lock().unwrap().push(frame);
        self.pushed.notify_one();
        true
    }
}

/// A connection whose frames are a list; who is here, a real hub knows.
#[derive(Debug)]
struct FakePort {
    told: Arc<Told>,
    hub: Arc<Mutex<Hub>>,
    rooms: Arc<Mutex<FakeRooms>>,
    id: MemberId,
}

impl FakePort {
    /// Who this is for rooms, and at all.
    fn own(&self) -> (RoomMember, Identity) {
        let identity = self.identity().unwrap();
        (party(self.id, &identity), identity)
    }

    fn views(&self, is_it: impl Fn(&FakeRoom) -> bool) -> Vec<RoomView> {
        let (who, identity) = self.own();
        let rooms = self.rooms.lock().unwrap();
        rooms
            .rooms
            .iter()
            .filter(|room| is_it(room))
            .map(|room| room.view(&who, &identity))
            .collect()
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap()
    }
}

impl ClientPort for FakePort {
    fn id(&self) -> MemberId {
        self.id
    }

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

    fn identity(&self) -> Option<Identity> {
        self.hub().identity(self.id).cloned()
    }

    fn blocked(&self) -> Vec<Username> {
        self.hub().blocked(self.id).to_vec()
    }

    fn users(&self, limit: usize) -> Vec<Identity> {
        self.hub().users().take(limit).cloned().collect()
    }

    fn user_count(&self) -> usize {
        self.hub().members()
    }

    fn find(&self, name: &Username) -> Option<Identity> {
        self.hub().find(name).map(|(_, identity)| identity.clone())
    }

    fn absent(&self, mut names: Vec<Username>) -> Vec<Username> {
        let hub = self.hub();
        names.retain(|name| hub.who(name).is_none());
        names
    }

    fn logged_in(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)> {
        self.hub().logged_in(account).map(|(id, identity)| (id, identity.clone())).collect()
    }

    fn set_blocked(&self, blocked: Vec<Username>) -> BoxFuture<'_, ()> {
        self.hub().set_blocked(self.id, blocked);
        ready(()).boxed()
    }

    fn amend(&self, member: MemberId, amendment: Amendment) -> BoxFuture<'_, bool> {
        let mut hub = self.hub();
        let before = hub.identity(member).map(Identity::actor);
        hub.amend(member, amendment);
        ready(hub.identity(member).map(Identity::actor) != before).boxed()
    }

    fn rename(&self, rename: Rename) -> BoxFuture<'_, Result<(), Refusal>> {
        ready(self.hub().rename(self.id, rename).map(drop)).boxed()
    }

    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>> {
        let reserved = self.hub().reserve(self.id, to, text.len());
        if reserved.is_ok() {
            self.told.push(json!({"POSTED": [to.as_str(), text]}));
        }
        ready(reserved.map(drop).map_err(PostError)).boxed()
    }

    fn member_named(&self, name: &Username) -> Option<MemberId> {
        self.hub().who(name)
    }

    fn refuses(&self, other: &Username) -> bool {
        self.hub().filter(self.id).refused.contains(other)
    }

    fn room_named(&self, name: &RoomName) -> Option<RoomView> {
        self.room_behind(name).filter(FakeRooms::is_seen)
    }

    fn room_behind(&self, name: &RoomName) -> Option<RoomView> {
        self.views(|room| room.definition.name == *name).pop()
    }

    fn rooms_seen(&self) -> Vec<RoomView> {
        let mut seen = self.views(|_| true);
        seen.retain(FakeRooms::is_seen);
        seen
    }

    fn members_of(
        &self,
        room: RoomNumber,
        after: Option<&Username>,
        limit: usize,
    ) -> Result<Vec<RoomMemberView>, OutcomeCode> {
        let view = self.views(|one| one.definition.number == room).pop();
        if !view.ok_or(OutcomeCode::NoSuchRoom)?.is_member {
            return Err(OutcomeCode::NotAMember);
        }
        let mut rooms = self.rooms.lock().unwrap();
        let room = rooms.of(room).unwrap().clone();
        let hub = self.hub();
        let mut members: Vec<_> = room
            .members
            .iter()
            .map(|member| match member {
                RoomMember::Account(account) => RoomMemberView {
                    name: account.name.clone(),
                    online: hub.who(&account.name).is_some(),
                    level: room.level(account.id),
                },
                RoomMember::Guest(id) => RoomMemberView {
                    name: hub.name_of(*id).unwrap().clone(),
                    online: true,
                    level: Level::GUEST,
                },
            })
            .collect();
        members.sort_by(|a, b| a.name.key().cmp(b.name.key()));
        members.retain(|member| after.is_none_or(|after| member.name.key() > after.key()));
        members.truncate(limit);
        Ok(members)
    }

    fn default_room(&self) -> Option<RoomRef> {
        let (who, _) = self.own();
        let rooms = self.rooms.lock().unwrap();
        let (_, room) = rooms.defaults.iter().find(|(other, _)| *other == who)?;
        Some(room.clone())
    }

    fn change_room(&self, change: RoomChange) -> BoxFuture<'_, Result<RoomDone, OutcomeCode>> {
        let (who, identity) = self.own();
        let enters = matches!(change, RoomChange::Enter { .. } | RoomChange::Create { .. });
        let done = self.rooms.lock().unwrap().change(&who, &identity, change);
        if let (true, Ok(RoomDone { room: Some(room) })) = (enters, &done) {
            self.tell_room(room.number);
        }
        ready(done).boxed()
    }

    fn tell_room(&self, room: RoomNumber) {
        self.told.push(json!({"ROOMS": [{"NUMBER": room.0}]}));
    }

    fn say_in<'a>(
        &'a self,
        room: &'a RoomRef,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), PostError>> {
        let member = room.number == RoomNumber::LOBBY
            || self.views(|one| one.definition.number == room.number)[0].is_member;
        let said = match text {
            _ if !member => Err(PostError(Code::NotAMember)),
            "slow" => Err(PostError(Code::SlowMode(7))),
            _ => {
                self.told.push(json!({"POSTED": [room.name.as_str(), text]}));
                Ok(())
            }
        };
        ready(said).boxed()
    }

    fn level_in(&self, room: RoomNumber, account: i64) -> Level {
        let mut rooms = self.rooms.lock().unwrap();
        rooms.of(room).map_or(Level::GUEST, |room| room.level(account))
    }

    fn ping(&self) -> BoxFuture<'_, Option<Duration>> {
        let silent = self.identity().unwrap().name.as_str() == "silent";
        ready((!silent).then_some(Duration::from_micros(12_500))).boxed()
    }
}

/// A chat with commands, and the people in it.
pub struct House {
    pub state: Arc<CommandState>,
    pub rooms: Arc<Mutex<FakeRooms>>,
    hub: Arc<Mutex<Hub>>,
}

impl House {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let mut directory = MemoryDirectory::default();
        let hash = PasswordHash::make(&Secret::given(PASSWORD), Cost::CHEAP).unwrap();
        directory.set_admin_password(Some(&hash)).unwrap();
        let accounts = Arc::new(Accounts::new(directory, Cost::CHEAP).unwrap());
        let state = CommandState::open(accounts, Live::new(config)).await.unwrap();
        let hub = Hub::new(TimelineLimits::default(), Keep::default());
        Self { state, rooms: Arc::default(), hub: Arc::new(Mutex::new(hub)) }
    }

    pub fn config(&self) -> Live {
        Live::new(Config::default())
    }

    pub async fn guest(&self, text: &str) -> Somebody {
        let all = Capability::EVERY.iter().copied().collect();
        let grant = self
            .state
            .accounts
            .authenticate(&name(text), None, Ipv4Addr::LOCALHOST.into(), true)
            .await;
        self.enter(text, grant.unwrap(), all)
    }

    pub fn base(&self, text: &str) -> Somebody {
        self.enter(text, Login::default(), Capabilities::NONE)
    }

    /// A guest whose client speaks some capabilities.
    pub fn speaking(&self, text: &str, capabilities: &[Capability]) -> Somebody {
        self.enter(text, Login::default(), capabilities.iter().copied().collect())
    }

    /// A room, with its owner if it has one. The owner has an account.
    pub async fn room(&self, text: &str, owner: Option<&str>) -> RoomRef {
        let owner = match owner {
            Some(owner) => Some(self.account_ref(owner).await),
            None => None,
        };
        self.rooms.lock().unwrap().add(&RoomName::parse(text).unwrap(), owner)
    }

    pub async fn account_ref(&self, text: &str) -> AccountRef {
        let account = self.account(text).await.unwrap();
        AccountRef { id: account.account_key.id, name: account.name }
    }

    /// Changes a room behind everybody's back.
    pub fn edit(&self, room: &RoomRef, edit: impl FnOnce(&mut FakeRoom)) {
        edit(self.rooms.lock().unwrap().of(room.number).unwrap());
    }

    /// An account of this level with PASSWORD, whose user is not here.
    pub async fn away(&self, text: &str, level: Level) -> Login {
        let accounts = &self.state.accounts;
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let secret = Secret::given(PASSWORD);
        accounts.register(&name(text), secret, vec![], peer).await.unwrap();
        let account_key = accounts.account(&name(text)).await.unwrap().unwrap().account_key;
        let login = LoggedIn { account: name(text), account_key };
        accounts.set_level(&login, level).await.unwrap();
        let account = Some(name(text));
        Login { level, account, account_key, ..Login::default() }
    }

    /// Somebody with an account of this level, and PASSWORD.
    pub async fn user(&self, text: &str, level: Level) -> Somebody {
        if level == Level::GUEST {
            return self.guest(text).await;
        }
        let grant = self.away(text, level).await;
        self.enter(text, grant, Capability::EVERY.iter().copied().collect())
    }

    pub async fn account(&self, text: &str) -> Option<Account> {
        self.state.accounts.account(&name(text)).await.unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "a test is an edge")]
    fn enter(&self, text: &str, login: Login, agreed: Capabilities) -> Somebody {
        let told = Arc::new(Told::default());
        let name = name(text);
        let identity = Identity {
            login: login.logged_in(),
            level: login.level,
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            agreed: (!agreed.is_empty()).then_some(agreed),
            ..Identity::guest(name.clone())
        };
        let joined_as = identity.clone();
        let lists = BlockLists::new(login.blocked, login.blocked_by);
        let request = JoinRequest {
            identity,
            lists,
            extra: br#""CAPABILITIES": """#,
            ..JoinRequest::base(&name, "hi")
        };
        let id = self.hub.lock().unwrap().admit(request).unwrap().id;
        let port = FakePort {
            told: Arc::clone(&told),
            hub: Arc::clone(&self.hub),
            rooms: Arc::clone(&self.rooms),
            id,
        };
        let caller = Arc::new(Caller::new(Box::new(port), joined_as, login.token_hash));
        let online = self.state.online.enter(&caller);
        let (queue, mut executor) = executor(Arc::clone(&self.state), caller);
        let prefix = self.state.prefix();
        let task = tokio::spawn(async move { executor.run().await });
        let hub = Arc::clone(&self.hub);
        Somebody { told, hub, id, queue, task, online: Some(online), next: 0, seen: 0, prefix }
    }
}

/// Somebody who is there.
pub struct Somebody {
    told: Arc<Told>,
    pub queue: CallQueue,
    task: JoinHandle<Ended>,
    hub: Arc<Mutex<Hub>>,
    id: MemberId,
    online: Option<OnlineGuard>,
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
        if let Err(outcome) = self.queue.call(QueuedCall { call, room: None, from_base: false }) {
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

    /// Calls a command that asks a question, and gives its RESULT. `None` cancels.
    pub async fn call_and_answer(
        &mut self,
        name: &str,
        arguments: &[&str],
        answer: Option<&str>,
    ) -> Value {
        let id = self.begin(name, arguments);
        self.next_with("PROMPT").await;
        self.answer(&id, answer).unwrap();
        self.result(&id).await
    }

    /// Who they are for rooms.
    pub fn party(&self) -> RoomMember {
        let hub = self.hub.lock().unwrap();
        party(self.id, hub.identity(self.id).unwrap())
    }

    /// What a base client says to itself.
    pub fn type_line(&mut self, text: &str) {
        let call = legacy::call(text, &self.prefix).unwrap();
        self.queue.call(QueuedCall { call, room: None, from_base: true }).unwrap();
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
        let filter = self.hub.lock().unwrap().filter(self.id);
        let text = |names: &std::collections::HashSet<Username>| {
            let mut names: Vec<_> = names.iter().map(Username::as_str).collect();
            names.sort_unstable();
            names.join(" ")
        };
        (text(&filter.hidden), text(&filter.refused))
    }

    pub async fn has_ended(self) -> bool {
        self.task.await.is_ok()
    }

    pub fn leave(mut self) {
        self.task.abort();
        drop(self.online.take());
        let _ = self.hub.lock().unwrap().leave(self.id);
    }
}
