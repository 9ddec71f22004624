//! What goes through the order, and what becomes of it, without sockets.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{
    Amendment, Delivery, Filing, JoinError, JoinRequest, MemberId, Rename, RoomRecord,
};
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Refusal, ServerFrame, Username, limits};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};

use super::*;
use crate::chat::handle::{Seat, Welcomed};
use crate::chat::opened;
use crate::order::{Alone, OfferError, Reach};
use crate::store::Memory;
use crate::store::failing::FailingStore;

mod rooms;

/// An order that counts its groups.
#[derive(Debug, Default)]
struct Counted {
    order: Alone,
    groups: AtomicUsize,
}

impl Order for Counted {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.order.offer(group)
    }

    fn follow(&self, after: u64) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        self.order.follow(after)
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        self.order.reach()
    }
}

/// An order that answers no offer while it is held.
#[derive(Debug, Default)]
struct Held {
    order: Alone,
    is_held: AtomicBool,
}

impl Order for Held {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        if self.is_held.load(Ordering::Relaxed) {
            return std::future::pending().boxed();
        }
        self.order.offer(group)
    }

    fn follow(&self, after: u64) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        self.order.follow(after)
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        self.order.reach()
    }
}

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

async fn join(chat: &Arc<Chat>, text: &str) -> Result<(Seat, Welcomed), JoinError> {
    Seat::join(chat, JoinRequest::base(&name(text), "Hi")).await
}

fn frames<'a>(pieces: impl IntoIterator<Item = &'a Bytes>) -> Vec<ServerFrame> {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    pieces.into_iter().for_each(|piece| decoder.push(piece));
    let bodies = std::iter::from_fn(|| decoder.next_body().unwrap());
    bodies.map(|body| ServerFrame::parse(&body).unwrap().0).collect()
}

/// What a member is told: who came, what was said, who went.
fn told(seat: &Seat) -> Vec<String> {
    let mut told = Vec::new();
    while let Delivery::Frames { frames: batch, .. } = seat.take() {
        for frame in frames(batch.frames()) {
            told.extend(frame.joined.iter().map(|name| format!("+{}", name.as_wire())));
            let said = frame.messages.into_iter().flatten();
            told.extend(said.map(|entry| entry.content.into_owned()));
            told.extend(frame.left.iter().map(|name| format!("-{}", name.as_wire())));
        }
    }
    told
}

fn record(text: &str) -> Record {
    let json = format!(r#"["ann", "ALL", 1, "{text}"]"#).into();
    let (source, destination) = (name("ann"), Destination::All);
    Record { source, destination, json, arrived: 1, filing: Filing::default(), meta: None }
}

async fn say(seat: &Seat, text: &str) -> Result<(), Code> {
    let member = seat.handle();
    member.chat().post(member.id(), vec![record(text)], None, None, None).await.map(drop)
}

/// Waits until all that was proposed before has come round.
async fn round(chat: &Chat) {
    let nobody = chat.change(Proposal::Leave(nobody())).await;
    assert!(nobody.is_err());
}

/// A member that is not here any more.
fn nobody() -> MemberId {
    let mut hub =
        chatterbox_hub::Hub::new(TimelineLimits::default(), chatterbox_hub::Keep::default());
    let mut come = |text: &str| hub.admit(JoinRequest::base(&name(text), "")).unwrap().id;
    (0..100).map(|number| come(&format!("u{number}"))).last().unwrap()
}

#[tokio::test(start_paused = true)]
async fn whether_it_goes_on_is_seen_by_something_that_comes_round() {
    let order = Arc::new(Held::default());
    let chat = opened::node(Incarnation(1), Arc::new(Memory::default()), Arc::clone(&order) as _);
    assert!(chat.comes_round().await, "nobody is here, and it goes on");
    let (ann, _) = join(&chat, "ann").await.unwrap();
    assert!(chat.comes_round().await);
    assert!(told(&ann).is_empty(), "nobody is told of it");
    order.is_held.store(true, Ordering::Relaxed);
    let hour = Duration::from_secs(3600);
    assert!(tokio::time::timeout(hour, chat.comes_round()).await.is_err(), "it stands still");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_refuses_messages_and_nothing_else() {
    let store = Arc::new(FailingStore::default());
    let chat = opened::chat(Arc::clone(&store) as _);
    let (ann, _) = join(&chat, "ann").await.unwrap();
    say(&ann, "one").await.unwrap();
    store.is_full.store(true, Ordering::Relaxed);
    let (lost, bob) = tokio::join!(say(&ann, "lost"), join(&chat, "bob"));
    assert_eq!(lost, Err(Code::NotStored));
    let (bob, welcome) = bob.unwrap();
    assert!(frames(&welcome.welcome)[0].messages.as_ref().unwrap().len() == 1);
    let rename = Rename { name: name("rob"), owns: false, blocked_by: vec![], now: 0 };
    bob.handle().rename(rename).await.unwrap();
    drop(bob);
    round(&chat).await;
    assert_eq!(told(&ann), ["one", "+bob", "-bob", "+rob", "-rob"]);
    store.is_full.store(false, Ordering::Relaxed);
    say(&ann, "two").await.unwrap();
    assert_eq!(told(&ann), ["two"]);
    assert_eq!(store.newest().await.unwrap(), 2, "numbers of what was refused may be used");
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_for_the_answer_is_not_here() {
    let chat = opened::chat(Arc::new(Memory::default()));
    let (ann, _) = join(&chat, "ann").await.unwrap();
    assert!(join(&chat, "bob").now_or_never().is_none(), "it is on its way");
    round(&chat).await;
    assert_eq!(told(&ann), [""; 0], "nobody was waiting when its turn came");
    let mut joining = Box::pin(join(&chat, "bob"));
    assert!(joining.as_mut().now_or_never().is_none());
    round(&chat).await;
    assert!(chat.find(&name("bob")).is_some(), "let in, and not told yet");
    drop(joining);
    round(&chat).await;
    assert_eq!(told(&ann), ["+bob", "-bob"]);
    let (bob, _) = join(&chat, "bob").await.unwrap();
    drop(ann);
    round(&chat).await;
    assert_eq!((told(&bob), chat.user_count()), (vec!["-ann".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_member_has_posted_comes_before_its_leaving() {
    let chat = opened::chat(Arc::new(Memory::default()));
    let (ann, _) = join(&chat, "ann").await.unwrap();
    let (bob, _) = join(&chat, "bob").await.unwrap();
    assert!(say(&ann, "last words").now_or_never().is_none());
    drop(ann);
    round(&chat).await;
    assert_eq!(told(&bob), ["last words", "-ann"]);
}

#[tokio::test(start_paused = true)]
async fn many_who_come_at_once_share_a_few_groups_and_are_each_told_of_all_others() {
    const MANY: usize = 300;
    let order = Arc::new(Counted::default());
    let store = Arc::new(Memory::default());
    let chat = opened::node(Incarnation(1), store, Arc::clone(&order) as _);
    let names: Vec<_> = (0..MANY).map(|number| format!("u{number}")).collect();
    let joined = join_all(names.iter().map(|name| join(&chat, name))).await;
    let groups = order.groups.load(Ordering::Relaxed);
    assert!(groups <= 2 + MANY / 64 + 1, "{groups} groups");
    let all: BTreeSet<_> = names.iter().cloned().collect();
    for joined in &joined {
        let (seat, welcome) = joined.as_ref().unwrap();
        let list = frames(&welcome.welcome).remove(0).user_list.unwrap();
        let mut known: Vec<_> = list.iter().map(|user| user.as_wire().to_owned()).collect();
        // Its list ends with itself: who came in the same group behind it is told of.
        assert_eq!(known.last().map(String::as_str), Some(welcome.name.as_str()));
        known.extend(told(seat).iter().map(|text| text.trim_start_matches('+').to_owned()));
        let distinct: BTreeSet<_> = known.iter().cloned().collect();
        assert!(distinct == all && known.len() == MANY, "nobody is missing, and nobody twice");
    }
}

#[tokio::test(start_paused = true)]
async fn two_nodes_of_one_order_are_one_chat() {
    let order: Arc<dyn Order> = Arc::new(Alone::default());
    let node =
        |number| opened::node(Incarnation(number), Arc::new(Memory::default()), Arc::clone(&order));
    let (one, two) = (node(1), node(2));
    let (here, there) = tokio::join!(join(&one, "ann"), join(&two, "ANN"));
    let (first, second) = (here.is_ok(), there.is_ok());
    assert!(first != second, "the first has the name");
    let refused = here.as_ref().err().or(there.as_ref().err());
    assert!(matches!(refused, Some(JoinError::Refused(Refusal::Taken))));
    let (bob, welcome) = join(&two, "bob").await.unwrap();
    let users = frames(&welcome.welcome).remove(0).user_list.unwrap().len();
    assert_eq!(users, 2, "those of the other node, too");
    let cyd = join(&one, "cyd").await.unwrap().0;
    let who = cyd.handle().id();
    two.amend(who, Amendment { elevated: Some(true), ..Amendment::default() }).await;
    let rename = Rename { name: name("dan"), owns: false, blocked_by: vec![], now: 0 };
    cyd.handle().rename(rename.clone()).await.unwrap();
    // Nobody speaks for a member of another node.
    assert!(two.change(Proposal::Rename(who, rename)).await.is_err());
    drop((here, there));
    for chat in [&one, &two, &one] {
        round(chat).await;
    }
    assert_eq!(
        told(&bob),
        ["+cyd", "-cyd", "+dan", "-ann"].map(|text| {
            if text == "-ann" && second { "-ANN".to_owned() } else { text.to_owned() }
        })
    );
    assert_eq!(one.hub().digest(), two.hub().digest());
    assert!(two.find(&name("dan")).unwrap().elevated);
    let (one_names, two_names) = (one.users(9), two.users(9));
    assert_eq!(one_names, two_names);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_comes_again_changes_nothing() {
    let order: Arc<Alone> = Arc::new(Alone::default());
    let chat = opened::node(Incarnation(1), Arc::new(Memory::default()), Arc::clone(&order) as _);
    let (ann, _) = join(&chat, "ann").await.unwrap();
    let before = chat.hub().digest();
    // The node has made two rounds: it started, and ann came.
    let again = Group {
        from: Incarnation(1),
        number: 2,
        proposals: vec![Proposal::Leave(ann.handle().id())],
    };
    order.offer(Arc::new(again)).await.unwrap();
    let stranger = Group {
        from: Incarnation(9),
        number: 1,
        proposals: vec![Proposal::Leave(ann.handle().id())],
    };
    order.offer(Arc::new(stranger)).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(chat.hub().digest(), before);
    say(&ann, "still here").await.unwrap();
    assert_eq!(told(&ann), ["still here"]);
}
