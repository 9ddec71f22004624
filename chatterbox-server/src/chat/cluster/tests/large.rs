//! What the order does not take: who waits for it is told, and nobody else notices.

use std::time::Duration;

use super::*;

/// A message that is longer than the engine of these tests takes.
fn long(by: &str, bytes: usize) -> Record {
    record(by, &"x".repeat(bytes))
}

#[tokio::test(start_paused = true)]
async fn whoever_says_more_than_the_order_takes_is_told_so_and_nobody_else_waits() {
    let kit = Kit::new();
    kit.engine.takes(one_group_and_a_tick());
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = one.join("bob").await.unwrap();
    let (cyd, _) = two.join("cyd").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    told(&cyd);
    let life = one.up().await;
    for _ in 0..3 {
        let large =
            one.chat.post(ann.handle().id(), vec![long("ann", 3_000_000)], None, None, None);
        let small = say(&one, bob.handle().id(), "bob", "hello");
        let within =
            tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(large, small) });
        let (large, small) = within.await.expect("nobody waits for ever");
        assert_eq!(large, Err(Code::NotStored));
        small.unwrap();
    }
    // Long after it the node is still one of them: it is heard, and takes what fits.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(one.up().await, life);
    say(&one, ann.handle().id(), "ann", "shorter").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&cyd), ["hello", "hello", "hello", "shorter"]);
    same(&[&one, &two]);
}

/// What counts is all that is written, not only what is said.
#[tokio::test(start_paused = true)]
async fn a_group_is_not_larger_than_it_may_be_whatever_is_in_it() {
    let kit = Kit::new();
    let most = one_group_and_a_tick();
    kit.engine.takes(most);
    let one = kit.node("one").await;
    let (ann, _) = one.join("ann").await.unwrap();
    let command = |bytes: usize| Proposal::Store(StoreCommand(vec![7; bytes].into()));
    // Together far more than one group takes.
    let changes = (0..60).map(|_| one.chat.change(command(300_000)));
    let changed = futures_util::future::join_all(changes).await;
    assert!(changed.iter().all(Result::is_ok), "{changed:?}");
    let says = (0..60)
        .map(|_| one.chat.post(ann.handle().id(), vec![long("ann", 300_000)], None, None, None));
    let said = futures_util::future::join_all(says).await;
    assert!(said.iter().all(Result::is_ok), "{said:?}");
    assert!(one.chat.change(command(most + 1)).await.is_err());
}

/// The bytes up to which a group is collected, and what a node has to say beside it.
fn one_group_and_a_tick() -> usize {
    crate::order::Order::group_bytes(&Kit::new().engine.link()) + 1000
}
