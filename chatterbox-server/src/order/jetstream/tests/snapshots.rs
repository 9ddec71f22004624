//! Snapshots in the engine.

use async_nats::jetstream::stream::Config;
use bytes::Bytes;

use super::engine::Engine;
use super::kit::{connect, of_its_own};
use crate::order::jetstream::{pieces, streams, thinning};
use crate::order::total_order::{OrderError, Snapshot, Snapshots as _};

fn snapshot(place: u64, bytes: usize) -> Snapshot {
    let state: Vec<u8> = (0..=250).cycle().take(bytes).collect();
    Snapshot { place, read: place ^ 0x5555, state: state.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_kept_and_read_by_another_node() {
    let Some(engine) = Engine::start(3) else { return };
    let settings = of_its_own(&engine);
    let (one, other) = (connect(&settings).await, connect(&settings).await);
    assert_eq!(one.places().await.unwrap(), Vec::<u64>::new());
    assert_eq!(one.read(1).await.unwrap(), None);
    let (small, large) = (snapshot(20_000, 0), snapshot(10_000, 5_000_000));
    for snapshot in [&small, &large, &large] {
        one.keep(snapshot.clone()).await.unwrap();
    }
    assert_eq!(other.places().await.unwrap(), [10_000, 20_000], "rising");
    assert_eq!(other.read(10_000).await.unwrap(), Some(large));
    assert_eq!(other.read(20_000).await.unwrap(), Some(small));
    assert_eq!(other.read(15_000).await.unwrap(), None);
    let foreign = connect(&of_its_own(&engine)).await;
    assert_eq!(foreign.places().await.unwrap(), Vec::<u64>::new(), "another cluster has its own");
}

/// Who wrote it has ended between two pieces; another node writes the same later, or a newer version of it something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_counts_when_all_of_it_is_there() {
    let Some(engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    let whole = snapshot(10_000, 2_000_000);
    let cut = pieces::cut(&whole).unwrap();
    for (piece, bytes) in cut.iter().skip(1) {
        let subject = order.name.piece(piece);
        order.connection.context.publish(subject, bytes.clone()).await.unwrap().await.unwrap();
    }
    assert_eq!(order.places().await.unwrap(), Vec::<u64>::new());
    assert_eq!(order.read(10_000).await.unwrap(), None);
    let another = snapshot(10_000, 1_000_000);
    order.keep(another.clone()).await.unwrap();
    assert_eq!(order.places().await.unwrap(), [10_000]);
    assert_eq!(order.read(10_000).await.unwrap(), Some(another));
    order.keep(whole).await.unwrap();
    assert_eq!(order.places().await.unwrap(), [10_000], "once");
}

/// A disk of the engine gives back something else than was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_has_changed_is_noticed() {
    let Some(engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    let whole = snapshot(10_000, 1_000_000);
    order.keep(whole.clone()).await.unwrap();
    let cut = pieces::cut(&whole).unwrap();
    let subject = order.name.piece(&cut[1].0);
    order
        .connection
        .context
        .publish(subject, Bytes::from_static(b"rotten"))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(order.places().await.unwrap(), [10_000]);
    assert_eq!(order.read(10_000).await.unwrap(), None);
}

/// As many as a log of some days has: they reach back to where the log begins, and are as many as there is room for.
#[tokio::test(flavor = "multi_thread")]
async fn snapshots_reach_as_far_back_as_the_log() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let settings = crate::order::jetstream::EngineSettings { begins_behind: 5_000, ..settings };
    let (one, other) = (connect(&settings).await, connect(&settings).await);
    one.keep(snapshot(5_000, 0)).await.unwrap();
    for number in 1..=100 {
        // Two writers at once: each takes itself for the one who has to.
        let kept = snapshot(10_000 * number, 100);
        let both = tokio::join!(one.keep(kept.clone()), other.keep(kept));
        both.0.unwrap();
        both.1.unwrap();
    }
    let places = other.places().await.unwrap();
    assert_eq!(places.len(), thinning::MOST, "{places:?}");
    assert_eq!(places[..1], [5_000], "the oldest is the only one that has everything behind it");
    assert_eq!(places[places.len() - 4..], [970_000, 980_000, 990_000, 1_000_000]);
    for place in places {
        assert!(one.read(place).await.unwrap().is_some(), "{place} is whole");
    }
}

/// Whoever wrote it has ended in the middle: nobody waits for the rest, and its room is needed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_unfinished_is_dropped() {
    let Some(engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    let begin = |place| {
        let (piece, bytes) = pieces::cut(&snapshot(place, 2_000_000)).unwrap().swap_remove(1);
        let publishing = order.connection.context.publish(order.name.piece(&piece), bytes);
        async { publishing.await.unwrap().await.unwrap() }
    };
    begin(10_000).await;
    begin(25_000).await;
    order.keep(snapshot(20_000, 0)).await.unwrap();
    order.keep(snapshot(30_000, 0)).await.unwrap();
    let left = |place| order.listed(order.name.pieces_of(place));
    assert_eq!(left(10_000).await.unwrap(), [], "a newer one is whole");
    assert_eq!(left(25_000).await.unwrap().len(), 1, "somebody may be writing it");
    order.keep(snapshot(40_000, 0)).await.unwrap();
    assert_eq!(left(25_000).await.unwrap(), []);
    assert_eq!(order.places().await.unwrap(), [20_000, 30_000, 40_000]);
}

/// The engine would drop the oldest by itself, and the one before it while this one is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_has_no_room_is_not_kept_and_drops_none() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let other = connect(&of_its_own(&engine)).await;
    let small = Config { max_bytes: 2_000_000, ..streams::state(&settings.cluster, 1) };
    other.connection.context.create_stream(small).await.unwrap();
    let order = connect(&settings).await;
    order.keep(snapshot(10_000, 400_000)).await.unwrap();
    order.keep(snapshot(20_000, 400_000)).await.unwrap();
    order.keep(snapshot(30_000, 400_000)).await.unwrap();
    assert_eq!(order.places().await.unwrap(), [10_000, 20_000, 30_000]);
    order.keep(snapshot(40_000, 400_000)).await.unwrap();
    let fewer = order.places().await.unwrap();
    assert_eq!(fewer.len(), 3, "there is room for three: {fewer:?}");
    assert_eq!(fewer.last(), Some(&40_000));
    let large = order.keep(snapshot(50_000, 1_500_000)).await;
    let Err(OrderError::Engine(why)) = large else { panic!("{large:?}") };
    assert!(why.contains("--max-bytes"), "{why}");
    assert_eq!(order.places().await.unwrap(), fewer);
}

/// A node reads one while another drops it: it is there wholly, or it is not there.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_dropped_while_somebody_reads_it_is_not_there() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let (writer, reader) = (connect(&settings).await, connect(&settings).await);
    let whole = snapshot(10_000, 3_000_000);
    for _ in 0..5 {
        writer.keep(whole.clone()).await.unwrap();
        let stream = writer.state_stream().await.unwrap();
        let dropping = stream.purge().filter(writer.name.pieces_of(10_000));
        let (read, dropped) = tokio::join!(reader.read(10_000), dropping.into_future());
        dropped.unwrap();
        assert!(read.unwrap().is_none_or(|read| read == whole));
        assert_eq!(reader.read(10_000).await.unwrap(), None);
    }
}
