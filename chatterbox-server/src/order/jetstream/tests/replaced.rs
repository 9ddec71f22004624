//! What an engine says that has lost something, or that somebody has changed behind our back.

use async_nats::jetstream::stream::Config;

use super::engine::Engine;
use super::kit::{connect, next, of_its_own, offer};
use crate::order::jetstream::{JetStream, streams};
use crate::order::total_order::{Order as _, OrderError};

async fn configured(order: &JetStream, config: Config) {
    order.connection.context.create_stream(config).await.unwrap();
}

/// Somebody has removed the log, and another node has begun again: as long as the one before, or longer. Without comparing what was read
/// last nobody would notice, for all who follow it have read the same.
#[tokio::test(flavor = "multi_thread")]
async fn another_log_in_the_place_of_ours_is_not_followed() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let order = connect(&settings).await;
    for number in 1..=3 {
        offer(&order, number).await;
    }
    let mut follow = order.follow(0);
    for number in 1..=3 {
        assert_eq!(next(&mut follow).await.unwrap().place, number);
    }
    let name = order.name.log_stream();
    order.connection.context.delete_stream(&name).await.unwrap();
    configured(&order, streams::log(&order.name, 1, 0)).await;
    for number in 11..=15 {
        offer(&order, number).await;
    }
    let error = next(&mut follow).await.unwrap_err();
    assert_eq!(error, OrderError::Replaced { place: 3 });
    assert!(error.to_string().contains("place 3"), "{error}");
}

/// The same, and whoever had followed it had given up meanwhile, as a node does where the engine fails, and follows it again.
#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_not_followed_either_by_whoever_begins_to_follow_again() {
    let Some(engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    for number in 1..=3 {
        offer(&order, number).await;
    }
    let mut follow = order.follow(0);
    for number in 1..=3 {
        assert_eq!(next(&mut follow).await.unwrap().place, number);
    }
    drop(follow);
    offer(&order, 4).await;
    let mut again = order.follow(3);
    assert_eq!(next(&mut again).await.unwrap().place, 4, "it is the same log");
    drop(again);
    let name = order.name.log_stream();
    order.connection.context.delete_stream(&name).await.unwrap();
    configured(&order, streams::log(&order.name, 1, 0)).await;
    for number in 11..=15 {
        offer(&order, number).await;
    }
    let error = next(&mut order.follow(4)).await.unwrap_err();
    assert_eq!(error, OrderError::Replaced { place: 4 });
    assert_eq!(
        next(&mut order.follow(2)).await.unwrap().place,
        3,
        "of that place nothing is known"
    );
}

/// The same, and the other one is shorter.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_ends_before_what_was_read_is_not_followed() {
    let Some(engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    offer(&order, 1).await;
    let error = next(&mut order.follow(7)).await.unwrap_err();
    assert_eq!(error, OrderError::OutOfReach { after: 7, first: 1 });
}

/// What is kept of the log is for the operator to say: a node that has not read what goes must not skip it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_not_read_what_is_dropped_is_told_and_others_go_on() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let order = connect(&settings).await;
    for number in 1..=10 {
        offer(&order, number).await;
    }
    let mut reads = order.follow(0);
    for number in 1..=10 {
        assert_eq!(next(&mut reads).await.unwrap().place, number);
    }
    let few = Config { max_messages: 2, ..streams::log(&order.name, 1, 0) };
    order.connection.context.update_stream(few).await.unwrap();
    assert_eq!(order.reach().await.unwrap().first, 9);
    let error = next(&mut order.follow(7)).await.unwrap_err();
    assert_eq!(error, OrderError::OutOfReach { after: 7, first: 9 });
    assert_eq!(next(&mut order.follow(8)).await.unwrap().place, 9, "it needs no more");
    offer(&order, 11).await;
    assert_eq!(next(&mut reads).await.unwrap().place, 11);
}

/// Our streams can't be emptied; this one can, and is, while somebody follows it.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_emptied_under_a_node_goes_on_behind_what_it_has_read() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let order = connect(&settings).await;
    let name = order.name.log_stream();
    order.connection.context.delete_stream(&name).await.unwrap();
    configured(&order, Config { deny_purge: false, ..streams::log(&order.name, 1, 0) }).await;
    for number in 1..=5 {
        offer(&order, number).await;
    }
    let mut reads = order.follow(0);
    for number in 1..=5 {
        assert_eq!(next(&mut reads).await.unwrap().place, number);
    }
    let stream = order.connection.context.get_stream(&name).await.unwrap();
    stream.purge().await.unwrap();
    assert_eq!(order.reach().await.unwrap().first, 6);
    offer(&order, 6).await;
    assert_eq!(next(&mut reads).await.unwrap().place, 6);
    let error = next(&mut order.follow(2)).await.unwrap_err();
    assert_eq!(error, OrderError::OutOfReach { after: 2, first: 6 });
    // And a node does not begin with it.
    let why = JetStream::connect(&settings).await.unwrap_err().to_string();
    assert!(why.contains("deny_purge"), "{why}");
}
