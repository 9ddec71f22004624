//! What every order has to keep to.

use std::sync::Arc;

use super::engine::Engine;
use super::kit::{connect, next, of_its_own, offer};
use crate::order::total_order::{Order as _, Reach};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_an_order_on_three_servers() {
    let Some(engine) = Engine::start(3) else { return };
    crate::order::contract::holds(async || connect(&of_its_own(&engine)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_read_the_same() {
    let Some(engine) = Engine::start(3) else { return };
    let settings = of_its_own(&engine);
    let nodes = futures_util::future::join_all([
        connect(&settings),
        connect(&settings),
        connect(&settings),
    ])
    .await;
    let all: Vec<_> = nodes
        .iter()
        .map(|node| {
            let node = Arc::clone(node);
            tokio::spawn(async move {
                let mut follow = node.follow(0);
                let mut all = Vec::new();
                for _ in 0..60 {
                    let decided = next(&mut follow).await.unwrap();
                    all.push((decided.place, decided.at, decided.read, decided.group.number));
                }
                all
            })
        })
        .collect();
    let offering = (0_u64..).zip(&nodes).map(|(who, node)| async move {
        for number in 0..20 {
            offer(node, 100 * who + number).await;
        }
    });
    futures_util::future::join_all(offering).await;
    let mut stories = Vec::new();
    for one in all {
        stories.push(one.await.unwrap());
    }
    assert!(
        stories.iter().all(|story| *story == stories[0]),
        "places, times, checksums and groups are the same"
    );
    let mut checksums: Vec<_> = stories[0].iter().map(|(_, _, read, _)| *read).collect();
    checksums.sort_unstable();
    checksums.dedup();
    assert_eq!(checksums.len(), 60, "each place has a checksum of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_can_begin_above_numbers_that_there_are() {
    let Some(engine) = Engine::start(1) else { return };
    let mut settings = of_its_own(&engine);
    settings.begins_behind = 4_000;
    let order = connect(&settings).await;
    assert_eq!(order.reach().await.unwrap(), Reach { first: 4_001, last: 4_000 });
    offer(&order, 1).await;
    assert_eq!(next(&mut order.follow(4_000)).await.unwrap().place, 4_001);
    assert!(next(&mut order.follow(0)).await.is_err(), "there never was anything before it");
}
