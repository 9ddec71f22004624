//! What a node does when the engine, the store or the other nodes don't do as they should.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chatterbox_hub::{Group, Incarnation};

use super::*;
use crate::order::Order as _;
use crate::store::StoreError;
use crate::store::failing::FailingStore;

#[tokio::test(start_paused = true)]
async fn a_node_whose_disk_is_full_waits_and_skips_nothing() {
    let kit = Kit::new();
    let store = Arc::new(FailingStore::default());
    let (one, two) = (kit.node_with("one", Arc::clone(&store) as _).await, kit.node("two").await);
    let (ann, _) = two.join("ann").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    store.is_full.store(true, Ordering::Relaxed);
    for text in ["1", "2", "3"] {
        say(&two, ann.handle().id(), "ann", text).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let refused = store.refused.load(Ordering::Relaxed);
    assert!((5..50).contains(&refused), "{refused}");
    assert!(one.progress.applied() < two.progress.applied(), "it applies nothing more meanwhile");
    store.is_full.store(false, Ordering::Relaxed);
    settled(&kit, &[&one, &two]).await;
    assert_eq!(stored(&*one.store).await, stored(&*two.store).await);
    assert_eq!(stored(&*one.store).await.len(), 3);
    same(&[&one, &two]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_a_node_and_what_it_has_kept_is_kept_once() {
    let kit = Kit::new();
    let store = Arc::new(FailingStore::default());
    let (one, two) = (kit.node_with("one", Arc::clone(&store) as _).await, kit.node("two").await);
    let (ann, _) = two.join("ann").await.unwrap();
    say(&two, ann.handle().id(), "ann", "before").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    // It keeps what it gets, and nobody is told so.
    store.is_unsure.store(true, Ordering::Relaxed);
    say(&two, ann.handle().id(), "ann", "kept").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), one.running).await.unwrap().unwrap();
    let ended = ended.unwrap_err();
    assert!(matches!(ended, ClusterError::Store(StoreError::Failed(_))), "{ended}");
    assert!(ended.is_final(), "another attempt would not be better");
    store.is_unsure.store(false, Ordering::Relaxed);
    say(&two, ann.handle().id(), "ann", "while it was away").await.unwrap();
    let one = kit.node_with("one", store).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(stored(&*one.store).await.len(), 3);
    assert_eq!(stored(&*one.store).await, stored(&*two.store).await);
    same(&[&one, &two]);
}

#[tokio::test(start_paused = true)]
async fn groups_that_the_engine_does_not_confirm_count_once() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    let expected: Vec<_> = (0..30).map(|number| number.to_string()).collect();
    for text in &expected {
        kit.engine.confirms_not(1);
        say(&one, ann.handle().id(), "ann", text).await.unwrap();
        // Offered again although it has come round: another node is slow to say so.
        let again = kit.engine.groups().last().unwrap().group.clone();
        two.link.offer(again).await.unwrap();
    }
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&bob), expected);
    assert_eq!(stored(&*two.store).await.len(), expected.len());
    same(&[&one, &two]);
}

#[tokio::test(start_paused = true)]
async fn posts_wait_while_the_engine_is_away_and_are_said_once_when_it_is_back() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    round(&one).await;
    told(&ann);
    kit.engine.stops(true);
    let id = ann.handle().id();
    let mut saying = Box::pin(say(&one, id, "ann", "patience"));
    let early = tokio::time::timeout(Duration::from_secs(15), saying.as_mut()).await;
    assert!(early.is_err());
    kit.engine.stops(false);
    saying.await.unwrap();
    settled(&kit, &[&one, &two]).await;
    for seat in [&ann, &bob] {
        let said: Vec<_> = told(seat).into_iter().filter(|text| !text.contains("stored")).collect();
        assert_eq!(said, ["patience"], "beside what is told of the engine");
    }
}

/// Another node declares that one has ended, as nodes do that have missed it.
async fn declare_down(by: &TestNode, life: Incarnation) {
    by.chat.change(Proposal::Down(life)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_declared_to_have_ended_begins_again_without_its_members() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let first = one.up().await;
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&ann), ["+bob"]);
    one.link.cut(true);
    let id = ann.handle().id();
    let mut saying = Box::pin(say(&one, id, "ann", "too late"));
    assert!(saying.as_mut().now_or_never().is_none());
    tokio::task::yield_now().await;
    declare_down(&two, first).await;
    assert_eq!(told(&bob), ["-ann"]);
    assert!(one.chat.find(&Username::parse("ann").unwrap()).is_some(), "it does not know yet");
    one.link.cut(false);
    assert_eq!(saying.await, Err(Code::NotStored), "it knows that it was not stored");
    assert_eq!(ann.handle().removed().await, chatterbox_hub::Removal::Fenced);
    let mut standing = one.standing.clone();
    let is_other = |standing: &Standing| matches!(standing, Standing::Up(life) if *life != first);
    standing.wait_for(is_other).await.unwrap();
    let (again, _) = one.join("ann").await.unwrap();
    say(&one, again.handle().id(), "ann", "here again").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&bob), ["+ann", "here again"]);
    same(&[&one, &two]);
    // Whatever it had offered before is in the order, and counts for nobody.
    drop(ann);
    round(&one).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!((told(&bob), one.chat.user_count()), (vec![], 2));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_after_a_long_silence_is_up_nevertheless() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let store = one.kill().await;
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    let one = kit.node_with("one", store).await;
    one.join("ann").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_does_not_go_on_with_another_order_or_one_that_has_lost_something() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    for name in ["ann", "bob", "cyd"] {
        let (seat, _) = one.join(name).await.unwrap();
        say(&one, seat.handle().id(), name, "hello").await.unwrap();
    }
    settled(&kit, &[&one, &two]).await;
    let (one, two) = (one.kill().await, two.kill().await);
    let other = Kit::new();
    let begun = other.start("one", one).running.await.unwrap();
    assert!(matches!(begun, Err(ClusterError::EndsEarly { .. })), "{begun:?}");
    for number in 1..=100 {
        let group = Group { from: Incarnation(1), number, proposals: Vec::new() };
        other.engine.link().offer(Arc::new(group)).await.unwrap();
    }
    let begun = other.start("two", two).running.await.unwrap();
    assert!(matches!(begun, Err(ClusterError::AnotherOrder(_))), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_of_a_node_that_was_alone_is_not_taken_for_that_of_a_cluster() {
    let kit = Kit::new();
    let store = Memory::default();
    store.keep(&[(1, record("ann", "alone"))]).await.unwrap();
    let begun = kit.start("one", Arc::new(store)).running.await.unwrap();
    assert!(
        matches!(begun, Err(ClusterError::Store(StoreError::OtherCluster { .. }))),
        "{begun:?}"
    );
}
