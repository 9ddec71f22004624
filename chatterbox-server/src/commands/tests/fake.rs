//! A chat without sockets: a real hub, and people whose connections are lists.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatterbox_hub::{
    AccountRef, BlockLists, Hub, Identity, Incarnation, JoinRequest, Keep, Level, LoggedIn,
    MemberId, Moderation as Moderate, ModerationAct, Proposal, RoomMember, RoomRef, Sanction,
    SanctionId, SanctionKind, SanctionSubject, TimelineLimits,
};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::{Answer, Call};
use chatterbox_proto::{Capabilities, Code, RoomName, Username};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::accounts::{Account, Accounts, Cost, Directory as _, Login, PasswordHash, Secret};
use crate::commands::caller::Caller;
use crate::commands::executor::{CallQueue, Ended, QueuedCall, executor};
use crate::commands::legacy;
use crate::commands::moderating::{Acts, Author, Banned};
use crate::commands::online::OnlineGuard;
use crate::commands::span::Span;
use crate::commands::state::CommandState;
use crate::commands::tests::fake_port::{FakeModeration, FakePort, Told};
use crate::commands::tests::fake_rooms::{FakeRoom, FakeRooms, party};
use crate::config::{Config, Live};
use crate::moderation::Moderation;
use crate::ops::clock::unix_now;
use crate::store::{MemoryDirectory, MemoryModeration};

pub const PASSWORD: &str = "correct horse";

pub fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
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
        let moderation = Arc::new(Moderation::new(MemoryModeration::default()).unwrap());
        let state = CommandState::open(accounts, moderation, Live::new(config)).await.unwrap();
        let hub = Hub::new(TimelineLimits::default(), Keep::default());
        Self { state, rooms: Arc::default(), hub: Arc::new(Mutex::new(hub)) }
    }

    /// Whether it is asked first when a name is banned that nobody had when it was looked for.
    pub fn asks_before_it_bans(&self, text: &str) -> bool {
        let port = FakeModeration(Arc::clone(&self.hub));
        let acts = Acts { state: &self.state, port: &port, author: Author::operator() };
        acts.plan_ban(&Banned::Name(name(text)), Span::Forever, "").unwrap().asks
    }

    /// Whether somebody is here under a name.
    pub fn is_here(&self, text: &str) -> bool {
        self.hub.lock().unwrap().who(&name(text)).is_some()
    }

    /// The sanctions that hold.
    pub fn sanctions(&self) -> Vec<Arc<Sanction>> {
        self.hub.lock().unwrap().sanctions(unix_now()).cloned().collect()
    }

    /// Bans a name in such a way that whoever is here under it stays: nobody is below a guest.
    pub fn ban_name_of_who_stays(&self, text: &str) {
        let ban = Sanction {
            id: SanctionId(1),
            kind: SanctionKind::Ban,
            subject: SanctionSubject::Name(name(text)),
            about: text.into(),
            room: None,
            by: "prof".into(),
            reason: "spam".into(),
            since: unix_now(),
            until: None,
        };
        self.impose(vec![ban], Some(Level::GUEST));
    }

    /// Imposes sanctions behind everybody's back.
    pub fn impose(&self, sanctions: Vec<Sanction>, level: Option<Level>) {
        let act = ModerationAct::Impose(sanctions);
        let moderation = Moderate {
            by: "prof".into(),
            level,
            now: unix_now(),
            silent: true,
            written: None,
            act,
        };
        let proposal = Proposal::Moderate(Box::new(moderation));
        self.hub.lock().unwrap().step(Incarnation::default(), proposal, None).outcome.unwrap();
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

    /// The owner of an account, under another name.
    pub async fn enter_again(&self, text: &str, nick: &str) -> Somebody {
        let account = self.account(text).await.unwrap();
        let login = Login {
            level: account.level,
            account: Some(account.name),
            account_key: account.account_key,
            ..Login::default()
        };
        self.enter(nick, login, Capability::EVERY.iter().copied().collect())
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
            moderation: FakeModeration(Arc::clone(&self.hub)),
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
