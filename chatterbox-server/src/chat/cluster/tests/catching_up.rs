//! Whoever waits until a node has applied what was decided before.

use std::time::Duration;

use futures_util::future::join_all;
use proptest::prelude::*;

use super::*;

/// The proposals that are there for nothing but to come round.
fn rounds(kit: &Kit) -> usize {
    let groups = kit.engine.groups();
    let all = groups.iter().flat_map(|decided| &decided.group.proposals);
    all.filter(|all| matches!(all, Proposal::Crowded(who) if who.is_empty())).count()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_cost_few_groups() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let before = (kit.engine.groups().len(), rounds(&kit));
    let all = join_all((0..1000).map(|_| one.chat.catch_up())).await;
    assert!(all.iter().all(|caught_up| *caught_up));
    let after = (kit.engine.groups().len(), rounds(&kit));
    assert!(after.1 - before.1 <= 2, "{before:?} to {after:?}");
    assert!(after.0 - before.0 <= 4, "with a tick or two: {before:?} to {after:?}");
}

#[tokio::test(start_paused = true)]
async fn those_who_have_gone_cost_nothing() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    one.link.cut(true);
    let before = rounds(&kit);
    // A group is under way, so that the others wait behind it.
    let mut first = Box::pin(one.chat.catch_up());
    assert!(first.as_mut().now_or_never().is_none());
    tokio::task::yield_now().await;
    for _ in 0..10_000 {
        assert!(one.chat.catch_up().now_or_never().is_none());
    }
    one.link.cut(false);
    assert!(first.await);
    round(&one).await;
    assert_eq!(rounds(&kit) - before, 1, "that of the first one");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A node lags behind the other, more and less; whoever has waited finds all that was decided before they came.
    #[test]
    fn nothing_is_refused_by_what_a_node_has_not_read(
        lags in prop::collection::vec((0..40_u64, 0..40_u64, 1..4_usize), 1..12)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let kit = Kit::new();
            let (one, two) = (kit.node("one").await, kit.node("two").await);
            let (mut waiting, mut seats) = (Vec::new(), Vec::new());
            for (round, (lag, rest, callers)) in lags.into_iter().enumerate() {
                two.link.cut(true);
                let name = format!("user{round}");
                let (seat, _) = one.join(&name).await.unwrap();
                // Some have come before, and share what is under way.
                for _ in 0..callers {
                    let (chat, name) = (Arc::clone(&two.chat), Username::parse(&name).unwrap());
                    waiting.push(tokio::spawn(async move {
                        assert!(chat.catch_up().await);
                        assert!(chat.find(&name).is_some(), "{name} is here since before");
                    }));
                    tokio::task::yield_now().await;
                }
                tokio::time::sleep(Duration::from_millis(lag)).await;
                two.link.cut(false);
                tokio::time::sleep(Duration::from_millis(rest)).await;
                seats.push(seat);
            }
            for waiting in waiting {
                waiting.await.unwrap();
            }
        });
    }
}
