//! What users see while the engine is away for a moment, for an election or for longer, and while a node waits for its own readers. What
//! they see of nodes that die, are cut off or stop is in `life.rs` beside it.

use std::time::Duration;

use chatterbox_hub::{Conversation, TimelineLimits};
use chatterbox_proto::capability::ids::Side;

use super::*;
use crate::chat::cluster::StoredBehind;
use crate::chat::cluster::kit::Setup;
use crate::store::PageQuery;

const SECOND: Duration = Duration::from_secs(1);

async fn seconds(count: u32) {
    tokio::time::sleep(count * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stops_in_order_is_told_to_nobody() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    told(&ann);
    for _ in 0..20 {
        kit.engine.stops(true);
        seconds(1).await;
        kit.engine.stops(false);
        seconds(2).await;
    }
    assert_eq!((told(&ann), told(&bob)), (vec![], vec![]));
    assert!(one.health.readiness().is_ready() && two.health.readiness().is_ready());
}

#[tokio::test(start_paused = true)]
async fn who_joins_in_an_election_waits_and_is_let_in_after_it() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    kit.engine.stops(true);
    seconds(5).await;
    let mut joining = Box::pin(one.join("ann"));
    assert!(tokio::time::timeout(3 * SECOND, joining.as_mut()).await.is_err(), "it waits");
    kit.engine.stops(false);
    let (_ann, _) = joining.await.unwrap();
    // Whoever waits when users are not taken any more waits on; who comes then is told to try again.
    kit.engine.stops(true);
    seconds(9).await;
    let mut waiting = Box::pin(one.join("bob"));
    assert!(tokio::time::timeout(2 * SECOND, waiting.as_mut()).await.is_err());
    let refused = one.join("cyd").await.map(drop);
    assert!(matches!(&refused, Err(error) if format!("{error:?}").contains("Busy")), "{refused:?}");
    kit.engine.stops(false);
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn history_can_be_read_while_the_engine_is_away() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let (ann, _) = one.join("ann").await.unwrap();
    let id = ann.handle().id();
    say(&one, id, "ann", "before").await.unwrap();
    settled(&kit, &[&one]).await;
    kit.engine.stops(true);
    let mut late = Box::pin(say(&one, id, "ann", "later"));
    assert!(late.as_mut().now_or_never().is_none());
    let read = StoredBehind { store: Arc::clone(&one.store), progress: Arc::clone(&one.progress) };
    for _ in 0..4 {
        seconds(5).await;
        let query = PageQuery { of: Conversation::Public, side: Side::Newest, limit: 9 };
        let page = tokio::time::timeout(3 * SECOND, read.page(query)).await.unwrap().unwrap();
        assert_eq!(page.records.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_waits_for_its_readers_is_heard_meanwhile() {
    const MIB: usize = 1024 * 1024;
    let kit = Kit::new();
    let limits = TimelineLimits { events: 16_384, bytes: 128 * MIB as u64 };
    let one = Setup { limits, ..kit.setup() }.up("one").await;
    let two = Setup { limits, ..kit.setup() }.up("two").await;
    let (bob, _) = one.join("bob").await.unwrap();
    let (ann, _) = two.join("ann").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    let life = one.up().await;
    // It reads, and not as fast as that.
    let handle = bob.handle();
    let reading = tokio::spawn(async move {
        loop {
            handle.progressed(1, 2);
            tokio::time::sleep(SECOND / 10).await;
        }
    });
    one.link.cut(true);
    let long = "x".repeat(MIB);
    for _ in 0..110 {
        say(&two, ann.handle().id(), "ann", &long).await.unwrap();
    }
    let before = kit.engine.groups().last().unwrap().at;
    one.link.cut(false);
    seconds(30).await;
    let groups = kit.engine.groups();
    let of_one = groups.iter().filter(|group| group.group.from == life && group.at >= before);
    let times: Vec<_> = of_one.map(|group| group.at).collect();
    let silence = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(silence.is_some_and(|silence| silence < 8000), "{silence:?} ms of {times:?}");
    assert_eq!(one.up().await, life, "nobody has missed it");
    settled(&kit, &[&one, &two]).await;
    same(&[&one, &two]);
    reading.abort();
}
