//! Snapshots in the engine.

use bytes::Bytes;

use super::engine::Engine;
use super::kit::{connect, of_its_own};
use crate::order::total_order::{Snapshot, Snapshots as _};

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
    let cut = crate::order::jetstream::pieces::cut(&whole).unwrap();
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
    let cut = crate::order::jetstream::pieces::cut(&whole).unwrap();
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
