//! Nodes on one order, in one process.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::{Filing, MemberId, Proposal, Record, StoreCommand};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Code, Username};
use futures_util::FutureExt as _;

use crate::chat::cluster::kit::{Kit, TestNode, told};
use crate::chat::cluster::{ClusterError, Standing};
use crate::chat::posts::Receipt;
use crate::store::{Memory, Store};

mod across;
mod catching_up;
mod engines;
mod failures;
mod large;
mod life;
mod moving;
mod names;
mod removed;
mod restarts;
mod rows;
mod stores;
mod surveying;

fn record(by: &str, text: &str) -> Record {
    let json = format!(r#"["{by}", "ALL", 1, "{text}"]"#).into();
    let (source, destination) = (Username::parse(by).unwrap(), Destination::All);
    Record { source, destination, json, arrived: 1, filing: Filing::default(), meta: None }
}

async fn say(node: &TestNode, by: MemberId, name: &str, text: &str) -> Result<Receipt, Code> {
    node.chat.post(by, vec![record(name, text)], None, None, None).await
}

/// Waits until all nodes have applied and stored what is decided by now.
async fn settled(kit: &Kit, nodes: &[&TestNode]) {
    let last = kit.engine.groups().last().map_or(0, |decided| decided.place);
    for node in nodes {
        node.has(last).await;
    }
}

fn same(nodes: &[&TestNode]) {
    let digests: Vec<_> = nodes.iter().map(|node| node.chat.digest()).collect();
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:x?}");
}

async fn stored(store: &dyn Store) -> Vec<(u64, String)> {
    let all = store.read(0, 1000).await.unwrap();
    let json = |record: &Record| String::from_utf8(record.json.to_vec()).unwrap();
    all.iter().map(|(number, record)| (*number, json(record))).collect()
}

#[tokio::test(start_paused = true)]
async fn nodes_are_one_chat() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, welcomed) = two.join("bob").await.unwrap();
    let welcome = String::from_utf8(welcomed.welcome.concat()).unwrap();
    assert!(welcome.contains("\"ann\""), "{welcome}");
    say(&one, ann.handle().id(), "ann", "hello bob").await.unwrap();
    say(&two, bob.handle().id(), "bob", "hello ann").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&ann), ["+bob", "hello bob", "hello ann"]);
    assert_eq!(told(&bob), ["hello bob", "hello ann"]);
    let taken = two.join("Ann").await.map(drop);
    assert!(matches!(&taken, Err(error) if format!("{error:?}").contains("Taken")), "{taken:?}");
    drop(ann);
    round(&one).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&bob), ["-ann"]);
    same(&[&one, &two]);
    assert_eq!(stored(&*one.store).await, stored(&*two.store).await);
    assert_eq!(stored(&*one.store).await.len(), 2);
}

/// Waits until all that a node has proposed before has come round.
async fn round(node: &TestNode) {
    node.chat.change(Proposal::Store(StoreCommand(Bytes::new()))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_wanted_on_all_nodes_at_once_is_had_by_one() {
    let kit = Kit::new();
    let nodes = [kit.node("one").await, kit.node("two").await, kit.node("three").await];
    for round in 0..20 {
        let name = format!("ann{round}");
        let joins = futures_util::future::join_all(nodes.iter().map(|node| node.join(&name))).await;
        let here: Vec<_> = joins.into_iter().filter_map(Result::ok).collect();
        assert_eq!(here.len(), 1, "{name}");
        settled(&kit, &[&nodes[0], &nodes[1], &nodes[2]]).await;
        same(&[&nodes[0], &nodes[1], &nodes[2]]);
    }
}
