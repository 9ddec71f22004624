//! Nodes of one name, and of several versions.

use std::time::Duration;

use chatterbox_hub::Group;
use chatterbox_proto::Capability;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _};

use super::*;
use crate::chat::cluster::kit::Setup;
use crate::order::simulated::Link;
use crate::order::{Decided, OfferError, Order, OrderError, Place, Reach};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_second_node_of_one_name_ends_and_the_first_one_goes_on() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let two = kit.node("two").await;
    let life = one.up().await;
    let (ann, _) = one.join("ann").await.unwrap();
    let ended = kit.start("one", Arc::new(Memory::default())).running;
    let ended = tokio::time::timeout(5 * SECOND, ended).await.unwrap().unwrap().unwrap_err();
    match &ended {
        ClusterError::NameTaken { name, life: other } => {
            assert_eq!((&**name, *other), ("one", life));
        }
        other => panic!("{other}"),
    }
    assert!(ended.is_final() && ended.to_string().contains("--node"), "{ended}");
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(one.up().await, life);
    say(&one, ann.handle().id(), "ann", "here").await.unwrap();
    let report = two.pulse.report().borrow().clone().unwrap();
    assert_eq!(report.nodes.len(), 2, "nobody saw it");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_killed_begins_again_under_its_name_after_a_look() {
    let kit = Kit::new();
    let (one, _two) = (kit.node("one").await, kit.node("two").await);
    let first = one.up().await;
    let store = one.kill().await;
    let start = tokio::time::Instant::now();
    let one = kit.node_with("one", store).await;
    assert!(start.elapsed() < 4 * SECOND, "{:?}", start.elapsed());
    assert_ne!(one.up().await, first);
    tokio::time::sleep(60 * SECOND).await;
    assert!(!one.running.is_finished());
}

/// A way to the engine on which no two places come at the same moment.
#[derive(Debug)]
struct OneByOne(Link);

impl Order for OneByOne {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        self.0.offer(group)
    }

    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        let later = async |next| {
            tokio::time::sleep(SECOND / 100).await;
            next
        };
        self.0.follow(after).then(later).boxed()
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        self.0.reach()
    }
}

/// A server of the engine that was hung says how far the order went some time ago. What comes behind that looks like news.
#[tokio::test(start_paused = true)]
async fn what_a_killed_node_has_said_before_a_late_answer_is_no_sign_of_life() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    tokio::time::sleep(30 * SECOND).await;
    let first = one.up().await;
    one.kill().await;
    kit.engine.is_behind(20);
    let link = kit.engine.link();
    let order = Arc::new(OneByOne(link.clone()));
    let again = kit.start_with("one", Arc::new(Memory::default()), link, order);
    // By then it has heard what is behind the answer, and asks again.
    tokio::time::sleep(SECOND).await;
    kit.engine.is_behind(0);
    assert_ne!(again.up().await, first);
    tokio::time::sleep(10 * SECOND).await;
    assert!(!again.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_node_had_on_its_way_is_no_sign_of_life() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let life = one.up().await;
    let number = 1 + kit.engine.groups().last().unwrap().group.number;
    let store = one.kill().await;
    let again = kit.start("one", store);
    tokio::time::sleep(SECOND).await;
    let late = Group {
        from: life,
        number: number + 5,
        proposals: vec![Proposal::Tick(chatterbox_hub::Tick::default())],
    };
    let late = Arc::new(late);
    for _ in 0..3 {
        Order::offer(&again.link, Arc::clone(&late)).await.unwrap();
    }
    again.up().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_of_one_name_that_begin_at_the_same_moment_one_stays() {
    let kit = Kit::new();
    let nodes = [(); 2].map(|()| kit.start("one", Arc::new(Memory::default())));
    tokio::time::sleep(30 * SECOND).await;
    let ended: Vec<_> = nodes.iter().map(|node| node.running.is_finished()).collect();
    assert_eq!(ended.iter().filter(|ended| **ended).count(), 1, "{ended:?}");
    for node in nodes {
        if node.running.is_finished() {
            let ended = node.running.await.unwrap();
            assert!(matches!(ended, Err(ClusterError::NameTaken { .. })), "{ended:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_engine_elects_nobody_is_taken_for_gone() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let link = kit.engine.link();
    let again = Setup { order: Arc::new(link.clone()), link, ..kit.setup() }.start("one");
    tokio::time::sleep(SECOND / 10).await;
    kit.engine.stops(true);
    kit.engine.fails(100);
    tokio::time::sleep(8 * SECOND).await;
    kit.engine.fails(0);
    kit.engine.stops(false);
    let ended = tokio::time::timeout(10 * SECOND, again.running).await.unwrap().unwrap();
    assert!(matches!(ended, Err(ClusterError::NameTaken { .. })), "{ended:?}");
    assert!(!one.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_newer_format_is_spoken_when_all_who_are_up_read_it_and_who_does_not_read_it_stops() {
    let kit = Kit::new();
    let setup = |speaks| Setup { speaks, ..kit.setup() };
    let old = setup(1).up("old").await;
    let (two, three) = (setup(2).up("two").await, setup(3).up("three").await);
    tokio::time::sleep(20 * SECOND).await;
    assert_eq!(two.chat.level(), 1, "one does not read it");
    old.end().await;
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!((two.chat.level(), three.chat.level()), (2, 2));
    // Whatever has something new in a later one is agreed to by nobody.
    let all = Capability::EVERY.iter().copied().collect();
    let carried = three.chat.carried(all);
    let later = [Capability::Devices, Capability::Marks, Capability::Files, Capability::E2ee];
    assert!(carried.has(Capability::Meta) && !later.into_iter().any(|one| carried.has(one)));
    let groups = kit.engine.groups();
    let speaks = |proposal: &&Proposal| matches!(proposal, Proposal::Speak(_));
    let spoken: Vec<_> =
        groups.iter().flat_map(|group| &group.group.proposals).filter(speaks).collect();
    assert!(matches!(spoken[..], [Proposal::Speak(2)]), "once: {spoken:?}");
    let ended = setup(1).start("old").running.await.unwrap().unwrap_err();
    assert!(matches!(ended, ClusterError::TooOldFor(2)) && ended.is_final(), "{ended}");
    assert!(!two.running.is_finished() && !three.running.is_finished());
}
