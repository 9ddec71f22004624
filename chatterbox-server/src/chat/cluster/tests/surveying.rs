//! What the order alone tells of a cluster.

use std::time::Duration;

use chatterbox_hub::{Group, Incarnation, Tick, Up};

use super::*;
use crate::chat::cluster::snapshot::pack;
use crate::chat::cluster::survey::{Survey, SurveyedNode, Surveyor, survey};
use crate::order::{Decided, Place, Snapshot, Snapshots as _};

/// A group of a node in its place, at that second.
fn decided(place: Place, from: u64, number: u64, proposals: Vec<Proposal>) -> Decided {
    let mut group = Group { from: Incarnation(from), number, proposals };
    group.number_by_place(place);
    Decided { place, at: place * 1000, read: 0, group: Arc::new(group) }
}

fn up(name: &str) -> Vec<Proposal> {
    vec![Proposal::Up(Up { name: name.into(), speaks: 1, ..Up::default() })]
}

fn tick(place: Place) -> Vec<Proposal> {
    vec![Proposal::Tick(Tick { place, ..Tick::default() })]
}

fn surveyed(surveyor: &mut Surveyor, tail: &[Decided]) -> Survey {
    tail.iter().for_each(|decided| surveyor.read(decided).unwrap());
    surveyor.survey()
}

fn node(name: &str, life: u64, heard: u64, place: Place) -> SurveyedNode {
    let (name, life, heard) = (name.into(), Incarnation(life), Some(heard * 1000));
    SurveyedNode { name, life, speaks: 1, heard, place, users: 0 }
}

#[test]
fn nodes_are_up_from_their_first_record_to_the_one_that_ends_them() {
    let mut surveyor = Surveyor::new(None).unwrap();
    let before = surveyed(&mut surveyor, &[]);
    assert_eq!((before.place, before.nodes.len(), before.users), (0, 0, 0));
    let tail = [
        decided(1, 7, 1, up("one")),
        decided(2, 8, 1, up("two")),
        decided(3, 7, 2, tick(2)),
        // Of a node that nobody knows, and of one that has said this before.
        decided(4, 9, 5, tick(3)),
        decided(5, 8, 1, up("two")),
    ];
    let seen = surveyed(&mut surveyor, &tail);
    assert_eq!((seen.place, seen.at, seen.format), (5, 5000, 1));
    assert_eq!(seen.nodes, [node("one", 7, 3, 2), node("two", 8, 2, 1)]);
    let end = [decided(6, 7, 3, vec![Proposal::Down(Incarnation(8))])];
    assert_eq!(surveyed(&mut surveyor, &end).nodes, [node("one", 7, 6, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_and_what_is_behind_it_tell_the_same_as_all_of_the_order() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (_ann, _) = one.join("ann").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    let groups = kit.engine.groups();
    let place = groups.last().unwrap().place;
    let state = pack(&one.chat.copy_state().freeze().unwrap(), b"");
    one.link.keep(Snapshot { place, read: 0, state }).await.unwrap();
    let (_bob, _) = two.join("bob").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    settled(&kit, &[&one, &two]).await;
    let seen = survey(&one.link, &one.link).await.unwrap();
    let mut all = Surveyor::new(None).unwrap();
    kit.engine.groups().iter().for_each(|decided| all.read(decided).unwrap());
    assert_eq!(seen, all.survey());
    assert_eq!(seen.users, 2);
    let mut names: Vec<_> = seen.nodes.iter().map(|node| (&*node.name, node.users)).collect();
    names.sort_unstable();
    assert_eq!(names, [("one", 1), ("two", 1)]);
    // What is before the snapshot is not there any more, and then the snapshot neither.
    kit.engine.drops(place);
    assert_eq!(survey(&one.link, &one.link).await.unwrap().users, 2);
    kit.engine.drops(place + 1);
    let gone = survey(&one.link, &one.link).await;
    assert!(matches!(gone, Err(ClusterError::NoSnapshot(_))), "{gone:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_killed_is_not_heard_and_then_not_there() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (_cyd, _) = two.join("cyd").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    two.kill().await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let seen = survey(&one.link, &one.link).await.unwrap();
    let unheard = |name| {
        let node = seen.nodes.iter().find(|node| &*node.name == name).unwrap();
        (seen.at - node.heard.unwrap()) / 1000
    };
    assert!(unheard("one") == 0 && (5..=7).contains(&unheard("two")), "{seen:?}");
    assert_eq!(seen.users, 1, "cyd is waited for");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let seen = survey(&one.link, &one.link).await.unwrap();
    let names: Vec<_> = seen.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!((names, seen.users), (vec!["one"], 0));
}

#[test]
fn what_is_no_snapshot_is_no_beginning() {
    let snapshot = Snapshot { place: 5, read: 0, state: Bytes::from_static(b"nonsense") };
    let refused = Surveyor::new(Some(snapshot)).map(drop);
    assert!(matches!(refused, Err(ClusterError::Snapshot { place: 5, .. })), "{refused:?}");
}
