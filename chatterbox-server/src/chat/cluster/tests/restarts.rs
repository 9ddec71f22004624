//! Nodes that begin again find what they had, and what was decided meanwhile.

use chatterbox_hub::{
    AccountKey, AccountRef, BlockLists, Identity, JoinRequest, Level, LoggedIn, RoomActor,
    RoomChange, RoomMember, RoomRecord, RoomRef,
};
use chatterbox_proto::{Capabilities, RoomName};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::chat::cluster::{Cluster, Progress, starting};
use crate::chat::handle::Seat;
use crate::order::{Order as _, Snapshots as _};

/// Two nodes on which something was said and done.
async fn busy(kit: &Kit) -> (TestNode, TestNode) {
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    for number in 0..20 {
        say(&one, ann.handle().id(), "ann", &format!("a{number}")).await.unwrap();
        say(&two, bob.handle().id(), "bob", &format!("b{number}")).await.unwrap();
    }
    settled(kit, &[&one, &two]).await;
    (one, two)
}

/// A user with an account who speaks rooms.
pub(super) async fn come(node: &TestNode, text: &str, id: i64) -> Seat {
    let name = Username::parse(text).unwrap();
    let account_key = AccountKey { id, ..AccountKey::default() };
    let login = Some(LoggedIn { account: name.clone(), account_key });
    let agreed = Capabilities::parse_offer("commands/1 ids/1 rename/1 rooms/1").ok();
    let guest = Identity::guest(name.clone());
    let request = JoinRequest {
        identity: Identity { login, level: Level::USER, agreed, ..guest },
        lists: BlockLists::default(),
        extra: br#""LIMITS": {}"#,
        random: 7,
        ..JoinRequest::base(&name, "Hi")
    };
    Seat::join(&node.chat, request).await.unwrap().0
}

pub(super) async fn make_room(node: &TestNode, by: &Seat, text: &str) -> RoomRef {
    let name = RoomName::parse(text).unwrap();
    name.looks();
    let change = RoomChange::Create { name, password: None };
    node.chat.change_room(RoomActor::Member(by.handle().id()), change).await.unwrap().room.unwrap()
}

/// Somebody reads all that is decided, from wherever a new node begins, and keeps a snapshot.
pub(super) async fn keep_snapshot(kit: &Kit) -> u64 {
    let (proposals, _queue) = crate::chat::proposals::queue();
    let hub = chatterbox_hub::Hub::new(
        chatterbox_hub::TimelineLimits::default(),
        chatterbox_hub::Keep::default(),
    );
    let chat = Arc::new(crate::chat::shared::Chat::new(hub, proposals));
    let link = kit.engine.link();
    let cluster = Cluster {
        name: "chat".into(),
        node: "reader".into(),
        order: Arc::new(link.clone()),
        snapshots: Arc::new(link.clone()),
        commands: None,
    };
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let begun = starting::begin(&cluster, &chat, &store, &Arc::new(Progress::default())).await;
    let mut follower = begun.unwrap();
    let mut decided = link.follow(follower.position.place);
    while let Some(next) = decided.next().now_or_never() {
        follower.apply(&next.unwrap().unwrap(), |_| None).unwrap();
        assert!(follower.store(&CancellationToken::new()).await.unwrap());
    }
    let snapshot = follower.freeze().await.unwrap();
    let place = snapshot.place;
    link.keep(snapshot).await.unwrap();
    place
}

#[tokio::test(start_paused = true)]
async fn a_node_that_begins_again_has_all_that_was_said_meanwhile() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let store = one.kill().await;
    let (cyd, _) = two.join("cyd").await.unwrap();
    say(&two, cyd.handle().id(), "cyd", "meanwhile").await.unwrap();
    let one = kit.node_with("one", store).await;
    settled(&kit, &[&one, &two]).await;
    same(&[&one, &two]);
    assert_eq!(stored(&*one.store).await, stored(&*two.store).await);
    let (_eve, welcomed) = one.join("eve").await.unwrap();
    let welcome = String::from_utf8(welcomed.welcome.concat()).unwrap();
    for text in ["\"a0\"", "\"b19\"", "\"meanwhile\""] {
        assert_eq!(welcome.matches(text).count(), 1, "{text} in {welcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_node_without_anything_gets_all_that_the_order_has() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let three = kit.node("three").await;
    settled(&kit, &[&one, &two, &three]).await;
    same(&[&one, &two, &three]);
    assert_eq!(stored(&*one.store).await, stored(&*three.store).await);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_begin_with_a_snapshot_are_the_same_as_those_that_have_read_everything() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let host = come(&two, "host", 1).await;
    let room = make_room(&two, &host, "#garden").await;
    let place = keep_snapshot(&kit).await;
    let (first, _) = two.join("cyd").await.unwrap();
    say(&two, first.handle().id(), "cyd", "behind it").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    let store = one.kill().await;
    say(&two, first.handle().id(), "cyd", "while one was away").await.unwrap();
    // What is up to the snapshot is not kept any more.
    kit.engine.drops(place);
    let (one, three) = (kit.node_with("one", store).await, kit.node("three").await);
    settled(&kit, &[&one, &two, &three]).await;
    same(&[&one, &two, &three]);
    assert_eq!(stored(&*one.store).await, stored(&*two.store).await);
    let texts: Vec<_> = stored(&*three.store).await.into_iter().map(|(_, json)| json).collect();
    assert_eq!(texts.len(), 2, "only what came behind it: {texts:?}");
    assert_eq!(two.store.rooms().await.unwrap().len(), 2);
    let rooms = three.store.rooms().await.unwrap();
    let account = AccountRef { id: 1, name: Username::parse("host").unwrap() };
    let is_member = |record: &RoomRecord| match record {
        RoomRecord::Entered { room: of, who: RoomMember::Account(who), .. } => {
            *of == room.number && who.id == account.id
        }
        _ => false,
    };
    assert!(rooms.iter().any(is_member), "{rooms:?}");
    for node in [&one, &three] {
        round(node).await;
    }
    settled(&kit, &[&one, &two, &three]).await;
    same(&[&one, &two, &three]);
}

#[tokio::test(start_paused = true)]
async fn a_node_is_not_taken_that_has_missed_what_is_not_kept_any_more() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let store = one.kill().await;
    let (cyd, _) = two.join("cyd").await.unwrap();
    say(&two, cyd.handle().id(), "cyd", "missed").await.unwrap();
    settled(&kit, &[&two]).await;
    let place = keep_snapshot(&kit).await;
    kit.engine.drops(place);
    let begun = kit.start("one", store).running.await.unwrap();
    assert!(matches!(begun, Err(ClusterError::TooOld { .. })), "{begun:?}");
    kit.node("one").await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_stopped_in_order_has_stored_everything() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let (first, second) = (Arc::clone(&one.store), Arc::clone(&two.store));
    one.end().await;
    two.end().await;
    assert_eq!(stored(&*first).await, stored(&*second).await);
    assert_eq!(stored(&*first).await.len(), 40);
}

/// The one that keeps them has dropped it between the list and the reading.
#[tokio::test(start_paused = true)]
async fn a_node_whose_snapshot_is_dropped_meanwhile_takes_another() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let first = keep_snapshot(&kit).await;
    let (cyd, _) = two.join("cyd").await.unwrap();
    say(&two, cyd.handle().id(), "cyd", "between them").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    let second = keep_snapshot(&kit).await;
    kit.engine.drops(first);
    kit.engine.is_dropping(first, None);
    let three = kit.node("three").await;
    settled(&kit, &[&one, &two, &three]).await;
    same(&[&one, &two, &three]);
    // None of the list is there any more, and the one that is was kept behind it.
    let third = keep_snapshot(&kit).await;
    assert!(first < second && second < third);
    kit.engine.is_dropping(second, Some(third));
    let four = kit.node("four").await;
    settled(&kit, &[&one, &two, &four]).await;
    same(&[&one, &two, &four]);
}

/// An order that is full loses its oldest end, and with it what is behind the oldest snapshot.
#[tokio::test(start_paused = true)]
async fn a_node_whose_beginning_goes_while_it_reads_it_takes_another() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let mut snapshots = Vec::new();
    for name in ["cyd", "dan", "eve"] {
        let (seat, _) = two.join(name).await.unwrap();
        for _ in 0..10 {
            say(&two, seat.handle().id(), name, name).await.unwrap();
        }
        settled(&kit, &[&one, &two]).await;
        snapshots.push(keep_snapshot(&kit).await);
    }
    let (fay, _) = two.join("fay").await.unwrap();
    say(&two, fay.handle().id(), "fay", "behind all").await.unwrap();
    let texts = async |node: &TestNode| {
        settled(&kit, &[&one, &two, node]).await;
        same(&[&one, &two, node]);
        stored(&*node.store).await.len()
    };
    kit.engine.drops(snapshots[0] - 3);
    // It can still be followed, and as much again would go while it is.
    kit.engine.drops_while_read(snapshots[0], snapshots[0] - 1);
    assert_eq!(texts(&kit.node("three").await).await, 11, "behind the second one");
    // It has gone.
    kit.engine.drops(snapshots[0] + 1);
    kit.engine.drops_while_read(snapshots[1], snapshots[1] + 1);
    assert_eq!(texts(&kit.node("four").await).await, 1, "behind the third one");
    // There is no other.
    kit.engine.drops_while_read(snapshots[2], snapshots[2]);
    assert_eq!(texts(&kit.node("five").await).await, 1);
}
