//! Private messages to who leaves in that moment (AN-7).

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Mutex;

use chatterbox_hub::{AccountKey, Identity, JoinRequest, Level, LoggedIn, MemberId};
use chatterbox_proto::capability::meta::NewMeta;
use chatterbox_proto::session::{Destination, JoinedAction};
use chatterbox_proto::{Capabilities, Entry, LookupKey, Refusal, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::*;
use crate::access::{Authenticator, Grant, LoginRequest};
use crate::chat::handle::Seat;
use crate::chat::shared::Chat;
use crate::chat::waiting_mail::Mailbox;
use crate::net::context::Context;
use crate::net::requests::Requests;
use crate::store::Memory;

const OFFER: &str = "accounts/1 ids/1 meta/1";

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// Of all names, `bob` is that of an account. Whoever looks for `zoe` has somebody leave.
#[derive(Debug, Default)]
struct Accounts {
    leaves: Mutex<Option<Seat>>,
    asked: Mutex<Vec<String>>,
}

fn bob() -> LoggedIn {
    LoggedIn { account: name("bob"), account_key: AccountKey { id: 2, epoch: 0 } }
}

impl Authenticator for Accounts {
    fn authenticate<'a>(
        &'a self,
        _request: LoginRequest<'a>,
    ) -> BoxFuture<'a, Result<Grant, Refusal>> {
        ready(Err(Refusal::Busy)).boxed()
    }

    fn mailbox<'a>(
        &'a self,
        _sender: MemberId,
        _who: &'a Identity,
        name: Username,
    ) -> BoxFuture<'a, Result<Option<Mailbox>, Code>> {
        self.asked.lock().unwrap().push(name.as_str().to_owned());
        if name.as_str() == "zoe" {
            drop(self.leaves.lock().unwrap().take());
        }
        let is_bob = name.as_str() == "bob";
        ready(Ok(is_bob.then(|| Mailbox { account: bob(), since: 0 }))).boxed()
    }
}

/// A chat in which who has a session keeps their place when their connection ends: as in the moment before they have left.
fn chat() -> Arc<Chat> {
    let chat = crate::chat::opened::chat(Arc::new(Memory::default()));
    chat.doors().hold_sessions();
    chat
}

async fn come(chat: &Arc<Chat>, login: LoggedIn) -> Seat {
    let (name, random) = (login.account.clone(), login.account_key.id.unsigned_abs().into());
    let agreed = Capabilities::parse_offer(OFFER).ok();
    let guest = Identity::guest(name.clone());
    let request = JoinRequest {
        identity: Identity { login: Some(login), level: Level::USER, agreed, ..guest },
        extra: br#""LIMITS": {}"#,
        random,
        ..JoinRequest::base(&name, "Hi")
    };
    Seat::join(chat, request).await.unwrap().0
}

/// The input of ann, who has an account.
async fn ann(chat: &Arc<Chat>, accounts: &Arc<Accounts>) -> (Seat, Inbound) {
    let login = LoggedIn { account: name("ann"), account_key: AccountKey { id: 1, epoch: 0 } };
    let seat = come(chat, login).await;
    let context = Context::plain(Arc::clone(chat));
    let accounts = Arc::clone(accounts) as Arc<dyn Authenticator>;
    let requests = Requests::new(None, Arc::clone(&context.pages), accounts);
    let inbound = Inbound::new(seat.handle(), Some(Box::new(requests)), None);
    (seat, inbound)
}

fn posting(index: usize, to: &str, text: &str, meta: Option<NewMeta>) -> Posting<'static> {
    let destination = match to {
        "ALL" => Destination::All,
        user => Destination::User(LookupKey::of(user, 100).unwrap()),
    };
    let (to, content) = (to.to_owned().into(), text.to_owned().into());
    Posting {
        index,
        source: name("ann"),
        destination,
        entry: Entry { source: "ann".into(), destination: to, timestamp: 1, content },
        tag: None,
        meta: meta.map(Box::new),
    }
}

/// The texts of the messages that bob finds in his welcome.
async fn found_by_bob(chat: &Arc<Chat>) -> Vec<String> {
    let request = JoinRequest {
        identity: Identity { login: Some(bob()), ..Identity::guest(name("bobby")) },
        ..JoinRequest::base(&name("bobby"), "Hi")
    };
    let (_seat, welcomed) = Seat::join(chat, request).await.unwrap();
    let frame = welcomed.welcome.concat();
    let frame: serde_json::Value =
        serde_json::from_slice(&frame[chatterbox_proto::limits::PREFIX..]).unwrap();
    let messages = frame["MESSAGES"].as_array().unwrap();
    messages.iter().map(|message| message[3].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn who_has_no_connection_any_more_and_has_not_left_yet_gets_it_later() {
    let (chat, accounts) = (chat(), Arc::new(Accounts::default()));
    let (_seat, mut inbound) = ann(&chat, &accounts).await;
    drop(come(&chat, bob()).await);
    assert!(chat.find(&name("bob")).is_some(), "the name is there still");
    inbound.take(vec![JoinedAction::Post(vec![posting(0, "bob", "one", None)])]);
    inbound.deliver().await;
    assert_eq!(found_by_bob(&chat).await, ["one"]);
}

#[tokio::test]
async fn who_leaves_while_others_are_looked_for_gets_it_later() {
    let (chat, accounts) = (chat(), Arc::new(Accounts::default()));
    let (_seat, mut inbound) = ann(&chat, &accounts).await;
    *accounts.leaves.lock().unwrap() = Some(come(&chat, bob()).await);
    // What goes with the first has it wait, so it is seen that bob is here, then zoe is looked for, and bob has left.
    let meta = NewMeta { mentions: vec!["ann".to_owned()], ..NewMeta::default() };
    let postings = vec![
        posting(0, "bob", "one", Some(meta)),
        posting(1, "zoe", "nobody", None),
        posting(2, "ALL", "two", None),
    ];
    inbound.take(vec![JoinedAction::Post(postings)]);
    inbound.deliver().await;
    assert_eq!(*accounts.asked.lock().unwrap(), ["zoe", "bob", "zoe"]);
    assert_eq!(found_by_bob(&chat).await, ["one", "two"], "in the order in which it was said");
}
