//! Accounts that are changed through the control socket of one node, and what becomes of it at the other.

use std::path::Path;

use chatterbox_hub::{AccountKey, Filing, JoinRequest, Level, LoggedIn, Party, Record, Sequence};
use chatterbox_proto::session::Destination;

use super::*;
use crate::access::Access;
use crate::accounts::{Accounts, Cost, PasswordHash};
use crate::chat::cluster::kit::{Kit, TestNode};
use crate::chat::handle::Seat;
use crate::commands::{CommandState, Service};
use crate::config::Config;
use crate::moderation::Moderation;
use crate::ops::operator::{Facts, Operator, Reloaded};
use crate::store::sqlite::{Durability, Retention, SqliteOptions};
use crate::store::{SharedStores, Sqlite, Store, StoreCommands};

#[derive(Debug)]
struct Nothing;

impl Operator for Nothing {
    fn reload(&self) -> Reloaded {
        Reloaded::default()
    }

    fn stop(&self) {}

    fn facts(&self) -> Facts {
        Facts::default()
    }
}

/// A node as a server makes it, without its sockets.
struct Server {
    node: TestNode,
    controlled: Controlled,
    watching: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn open_store(folder: &Path) -> Arc<dyn Store> {
    let retention = Retention { messages: u64::MAX, bytes: u64::MAX, age: None };
    let durability = Durability::Process;
    let options = SqliteOptions { folder: folder.to_owned(), durability, retention };
    Arc::new(Sqlite::open(&options).unwrap())
}

async fn server(kit: &Kit, name: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(folder.path());
    let shared = Arc::new(SharedStores::open(folder.path()).unwrap());
    let commands = Arc::<SharedStores>::clone(&shared) as Arc<dyn StoreCommands>;
    let node = kit.start_sharing(name, Arc::clone(&store), commands);
    node.up().await;
    let accounts = Arc::new(Accounts::new(shared.directory().unwrap(), Cost::CHEAP).unwrap());
    let moderation = Arc::new(Moderation::new(shared.moderation().unwrap()).unwrap());
    let config = Live::new(Config::default());
    let state = CommandState::open(accounts, Arc::clone(&moderation), config.clone()).await;
    let access = Access::new(Service::new(state.unwrap(), config.clone()));
    let access = access.with_moderation(moderation);
    let watch = AccountWatch { chat: Arc::clone(&node.chat), access: access.clone(), store };
    let observer = watch.clone().observer();
    let watching = tokio::spawn(async move { access.authenticator.watch(observer).await });
    let connections = Box::new(|| 0);
    let operator = Arc::new(Nothing);
    let health = (Health::default(), None);
    let controlled = Controlled::new(watch, config, operator, None, connections, health);
    Server { node, controlled, watching, _folder: folder }
}

impl Server {
    /// What the command line is told by this server.
    async fn granted(&self, wish: AccountWish) -> (WishDone, Followed) {
        match self.controlled.answer(Act::Accounts { wish }).await.pop() {
            Some(Reply::Granted(done, followed)) => (done, followed),
            other => panic!("{other:?}"),
        }
    }

    /// Somebody who is logged in with an account of this number and name.
    async fn user(&self, text: &str, (account, of): (i64, &str)) -> Seat {
        let name = Username::parse(text).unwrap();
        let account_key = AccountKey { id: account, epoch: 0 };
        let login = Some(LoggedIn { account: Username::parse(of).unwrap(), account_key });
        let identity = Identity { login, level: Level::USER, ..Identity::guest(name.clone()) };
        let request = JoinRequest { identity, ..JoinRequest::base(&name, "Hi") };
        Seat::join(&self.node.chat, request).await.unwrap().0
    }

    /// The private messages that it has stored, as soon as there are so many.
    async fn private(&self, count: usize) -> Vec<Sequence> {
        loop {
            let all = self.node.store.read(0, 100).await.unwrap();
            let private = all.iter().filter(|(_, record)| record.recipient().is_some());
            let private: Vec<_> = private.map(|(number, _)| *number).collect();
            if private.len() == count {
                return private;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until somebody has this level, or is not here any more.
    async fn has(&self, name: &str, level: Option<Level>) {
        loop {
            let users = self.node.chat.census(10).users;
            let found = users.into_iter().find(|user| user.name.as_str() == name);
            if found.map(|user| user.level) == level {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        self.watching.abort();
        self.node.end().await;
    }
}

fn add(text: &str) -> AccountWish {
    let password = (&PasswordHash::stored("x".to_owned())).into();
    AccountWish::Add { name: text.to_owned(), password, level: 1 }
}

fn to_account(account: i64, text: &str) -> Record {
    let name = Username::parse(text).unwrap();
    let filing = Filing { to: Some(Party::Account(account)), ..Filing::default() };
    let source = Username::parse("bob").unwrap();
    let json = r#"["bob", "ann", 1, "psst"]"#.into();
    Record { source, destination: Destination::User(name), json, arrived: 1, filing, meta: None }
}

/// Accounts 1 and 2, and two nodes.
async fn servers(kit: &Kit) -> (Server, Server) {
    let (one, two) = (server(kit, "one").await, server(kit, "two").await);
    for name in ["ann", "bob"] {
        assert_eq!(one.granted(add(name)).await.0, WishDone::Yes);
    }
    (one, two)
}

#[tokio::test]
async fn what_was_of_a_removed_account_goes_at_all_nodes() {
    let kit = Kit::new();
    let (one, two) = servers(&kit).await;
    let bob = one.user("bob", (2, "bob")).await;
    let (_here, _there) = (one.user("ann", (1, "ann")).await, two.user("ann2", (1, "ann")).await);
    let said = one.node.chat.post(bob.handle().id(), vec![to_account(1, "ann")], None, None, None);
    said.await.unwrap();
    let kept = one.private(1).await;
    assert_eq!(two.private(1).await, kept, "each node has it");
    let (done, followed) = one.granted(AccountWish::Remove { name: "Ann".into() }).await;
    assert_eq!((done, followed.ended), (WishDone::Yes, 2));
    for server in [&one, &two] {
        server.has("ann", None).await;
        server.has("ann2", None).await;
        assert!(server.private(0).await.is_empty());
    }
    let (done, _) = two.granted(AccountWish::Remove { name: "ann".into() }).await;
    assert_eq!(done, WishDone::NoAccount);
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn another_level_and_another_password_count_at_all_nodes() {
    let kit = Kit::new();
    let (one, two) = servers(&kit).await;
    let (_here, _there) = (one.user("ann", (1, "ann")).await, two.user("ann2", (1, "ann")).await);
    let wish = AccountWish::SetLevel { name: "ann".into(), level: 3 };
    assert_eq!(one.granted(wish).await.0, WishDone::Yes);
    let moderator = Level::new(3);
    for server in [&one, &two] {
        server.has("ann", moderator).await;
        server.has("ann2", moderator).await;
    }
    let password = (&PasswordHash::stored("y".to_owned())).into();
    let wish = AccountWish::SetPassword { name: "ann".into(), password };
    let (done, followed) = two.granted(wish).await;
    assert_eq!((done, followed.ended), (WishDone::Yes, 2));
    for server in [&one, &two] {
        server.has("ann", None).await;
        server.has("ann2", None).await;
    }
    one.end().await;
    two.end().await;
}
