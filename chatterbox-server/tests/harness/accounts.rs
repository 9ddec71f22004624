//! A server with accounts and commands, and clients that speak every capability.

use std::sync::Arc;

use chatterbox_hub::{AccountKey, Level};
use chatterbox_proto::capability::commands::{Outcome, Prompt};
use chatterbox_proto::{ServerFrame, Username, json};
use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Account, Accounts, Cost, Directory, PasswordHash, Secret};
use chatterbox_server::commands::{CommandState, Service};
use chatterbox_server::moderation::{Moderation, ModerationStore};
use chatterbox_server::store::{MemoryDirectory, MemoryModeration};
use chatterbox_server::{Config, Live};
use serde_json::Value;

use super::{Peer, Server};

pub const PASSWORD: &str = "correct horse battery staple";
pub const ADMIN_PASSWORD: &str = "open sesame, please";
pub const EVERYTHING: &str = "accounts/1 commands/1 ids/1 notices/1 ping/1 rename/1 utf8/1";

/// A server with these users.
pub struct AccountServer {
    pub server: Server,
    pub accounts: Arc<Accounts>,
}

impl AccountServer {
    pub async fn open(users: &[(&str, u8)]) -> Self {
        Self::with(Config::default(), users).await
    }

    pub async fn with(config: Config, users: &[(&str, u8)]) -> Self {
        Self::keeping(config, users, MemoryDirectory::default(), Cost::CHEAP).await
    }

    pub async fn keeping(
        config: Config,
        users: &[(&str, u8)],
        directory: impl Directory + 'static,
        cost: Cost,
    ) -> Self {
        let moderation = MemoryModeration::default();
        Self::moderated(config, users, directory, moderation, cost).await
    }

    /// The same with what is kept of moderation.
    pub async fn moderated(
        config: Config,
        users: &[(&str, u8)],
        mut directory: impl Directory + 'static,
        moderation: impl ModerationStore + 'static,
        cost: Cost,
    ) -> Self {
        let hash = |text| PasswordHash::make(&Secret::given(text), cost).unwrap();
        for (name, level) in users {
            let account = Account {
                account_key: AccountKey::default(),
                name: Username::parse(name).unwrap(),
                password: hash(PASSWORD),
                level: Level::new((*level).into()).unwrap(),
                created: 7,
            };
            directory.add(&account).unwrap();
        }
        directory.set_admin_password(Some(&hash(ADMIN_PASSWORD))).unwrap();
        let accounts = Arc::new(Accounts::new(directory, cost).unwrap());
        let live = Live::new(config.clone());
        let moderation = Arc::new(Moderation::new(moderation).unwrap());
        let state =
            CommandState::open(Arc::clone(&accounts), Arc::clone(&moderation), live.clone());
        let access = Access::new(Service::new(state.await.unwrap(), live));
        let server = Server::with_access(config, access.with_moderation(moderation)).await;
        Self { server, accounts }
    }

    /// The answer to a login with these members beside the name, on a new connection.
    pub async fn ask(&self, name: &str, beside: &str) -> (Client, ServerFrame) {
        let mut peer = self.server.connect().await;
        let answer = peer.offer(name, EVERYTHING, beside).await;
        (Client { peer, calls: 0 }, answer)
    }

    /// Somebody who has joined and speaks just this.
    pub async fn speaking(&self, name: &str, offered: &str, beside: &str) -> Client {
        let mut peer = self.server.connect().await;
        let answer = peer.offer(name, offered, beside).await;
        assert_eq!(answer.accepted, Some(true), "{answer:?}");
        Client { peer, calls: 0 }
    }

    /// A guest who has joined.
    pub async fn guest(&self, name: &str) -> Client {
        let (client, answer) = self.ask(name, "").await;
        assert_eq!(answer.accepted, Some(true), "{answer:?}");
        client
    }

    /// A user with an account and PASSWORD who has joined.
    pub async fn user(&self, name: &str) -> Client {
        let (client, answer) = self.ask(name, &password(PASSWORD)).await;
        assert_eq!(answer.accepted, Some(true), "{answer:?}");
        client
    }

    /// The names of all accounts.
    pub async fn registered(&self) -> Vec<String> {
        let all = self.accounts.list(1000).await.unwrap();
        all.iter().map(|account| account.name.to_string()).collect()
    }
}

/// The member of a login with a password.
pub fn password(text: &str) -> String {
    beside("PASSWORD", text)
}

pub fn token(text: &str) -> String {
    beside("TOKEN", text)
}

fn beside(key: &str, text: &str) -> String {
    let text = String::from_utf8(json::string(text).to_vec()).unwrap();
    format!(r#", "{key}": {text}"#)
}

/// The level and the token of a welcome.
pub fn account(welcome: &ServerFrame) -> (u8, Option<String>) {
    let account = welcome.keys.as_ref().unwrap().account.clone().unwrap();
    (account.level, account.token.map(|token| token.reveal().to_owned()))
}

/// The code of a refused login.
pub fn code(answer: &ServerFrame) -> String {
    assert_eq!(answer.accepted, Some(false), "{answer:?}");
    assert!(answer.info.is_some());
    answer.keys.as_ref().and_then(|keys| keys.code.clone()).unwrap().as_wire().to_owned()
}

/// A client that speaks every capability.
pub struct Client {
    pub peer: Peer,
    calls: usize,
}

impl Client {
    /// Calls a command, and returns the id of the call.
    pub async fn begin(&mut self, name: &str, arguments: &[&str]) -> String {
        self.calls += 1;
        let id = format!("c{}", self.calls);
        let call = serde_json::json!({"COMMAND": {"ID": id, "NAME": name, "ARGS": arguments}});
        self.peer.send_body(&call.to_string()).await;
        id
    }

    /// The result of a call.
    pub async fn result(&mut self, id: &str) -> Outcome {
        let of = |outcome: &Outcome| outcome.id.as_wire() == id;
        self.peer.find(|keys| keys.result.clone().filter(of)).await
    }

    /// Calls a command, and returns its result.
    pub async fn call(&mut self, name: &str, arguments: &[&str]) -> Outcome {
        let id = self.begin(name, arguments).await;
        self.result(&id).await
    }

    /// The code of its result.
    pub async fn code_of(&mut self, name: &str, arguments: &[&str]) -> String {
        self.call(name, arguments).await.code.as_wire().to_owned()
    }

    /// The DATA of its result, which has to be a success.
    pub async fn data(&mut self, name: &str, arguments: &[&str]) -> Value {
        let outcome = self.call(name, arguments).await;
        assert!(outcome.ok, "{name}: {outcome:?}");
        outcome.data.unwrap()
    }

    /// The next prompt.
    pub async fn prompt(&mut self) -> Prompt {
        self.peer.find(|keys| keys.prompt.clone()).await
    }

    pub async fn answer(&mut self, id: &str, text: Option<&str>) {
        let answer = serde_json::json!({"ANSWER": {"ID": id, "TEXT": text}});
        self.peer.send_body(&answer.to_string()).await;
    }

    /// Reads everything that was sent before now; returns the contents of the messages.
    pub async fn settle(&mut self) -> Vec<String> {
        self.peer.send_body(r#"{"PING": 4711}"#).await;
        let mut contents = Vec::new();
        loop {
            let frame = self.peer.next().await;
            contents.extend(frame.messages.into_iter().flatten().map(|m| m.content.into_owned()));
            if frame.keys.is_some_and(|keys| keys.pong == Some(4711)) {
                return contents;
            }
        }
    }
}
