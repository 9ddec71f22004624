//! Engines that are away when they are asked, answer with what they knew before, or have lost something.

use std::time::Duration;

use chatterbox_hub::Group;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _};

use super::*;
use crate::chat::cluster::kit::Setup;
use crate::order::simulated::Link;
use crate::order::{Decided, OfferError, Order, OrderError, Place, Reach, Snapshots as _};

const SECOND: Duration = Duration::from_secs(1);

/// The store of a node that has followed an order in which something was said.
async fn followed(kit: &Kit) -> Arc<dyn Store> {
    let one = kit.node("one").await;
    let (ann, _) = one.join("ann").await.unwrap();
    for text in ["1", "2", "3"] {
        say(&one, ann.handle().id(), "ann", text).await.unwrap();
    }
    settled(kit, &[&one]).await;
    let store = Arc::clone(&one.store);
    one.end().await;
    store
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_while_the_engine_elects_waits_for_it() {
    let kit = Kit::new();
    let store = followed(&kit).await;
    // In each moment of its beginning.
    for questions in 1..20 {
        kit.engine.fails(questions);
        let name = format!("node {questions}");
        let node = kit.start(&name, Arc::clone(&store));
        let up = tokio::time::timeout(120 * SECOND, node.up()).await;
        assert!(up.is_ok(), "{questions}: {:?}", node.running.await);
        if questions < 3 {
            assert_eq!(kit.engine.failing(), 0, "it has asked");
        }
        kit.engine.fails(0);
        node.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_engine_that_has_yet_to_catch_up_is_not_taken_for_a_loss() {
    let kit = Kit::new();
    let store = followed(&kit).await;
    kit.engine.is_behind(3);
    let one = kit.start("one", Arc::clone(&store));
    tokio::time::sleep(8 * SECOND).await;
    assert!(!one.running.is_finished());
    kit.engine.is_behind(0);
    one.up().await;
    settled(&kit, &[&one]).await;
    one.end().await;
    // Nobody answers in between: what was said before that counts no more.
    kit.engine.is_behind(3);
    let one = kit.start("one", Arc::clone(&store));
    tokio::time::sleep(8 * SECOND).await;
    kit.engine.fails(3);
    tokio::time::sleep(8 * SECOND).await;
    assert!(!one.running.is_finished());
    let ended = tokio::time::timeout(30 * SECOND, one.running).await.unwrap().unwrap();
    let is_early = matches!(ended, Err(ClusterError::EndsEarly { .. }));
    assert!(is_early, "it goes on saying so: {ended:?}");
}

#[tokio::test(start_paused = true)]
async fn nodes_stop_when_the_engine_loses_what_they_have_applied() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    tokio::time::sleep(10 * SECOND).await;
    settled(&kit, &[&one, &two]).await;
    kit.engine.loses(5);
    for node in [one, two] {
        let ended = tokio::time::timeout(5 * SECOND, node.running).await.unwrap().unwrap();
        let ended = ended.unwrap_err();
        assert!(matches!(ended, ClusterError::EndsEarly { .. }), "{ended}");
        assert!(ended.is_final());
    }
}

/// An order of which one place can't be read, and in which the beginnings of lives are late.
#[derive(Debug)]
struct Odd {
    link: Link,
    unreadable: Place,
    is_late: bool,
}

impl Order for Odd {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        let mut group = Group::clone(&group);
        if let (Some(Proposal::Up(up)), true) = (group.proposals.first_mut(), self.is_late) {
            up.read_to = 0;
        }
        self.link.offer(Arc::new(group))
    }

    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        let read = |next: Result<Arc<Decided>, OrderError>| match next {
            Ok(decided) if decided.place == self.unreadable => {
                Err(OrderError::Unreadable { place: decided.place, why: "of somebody else".into() })
            }
            next => next,
        };
        self.link.follow(after).map(read).boxed()
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        self.link.reach()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_when_a_node_can_not_go_on_is_left_without_a_verdict() {
    let kit = Kit::new();
    let link = kit.engine.link();
    let order = Odd { link: link.clone(), unreadable: 40, is_late: false };
    let one = Setup { link, order: Arc::new(order), ..kit.setup() }.up("one").await;
    let (ann, _) = one.join("ann").await.unwrap();
    let two = kit.node("two").await;
    let id = ann.handle().id();
    let mut count = 0;
    let unknown = loop {
        count += 1;
        let text = count.to_string();
        match tokio::time::timeout(60 * SECOND, say(&one, id, "ann", &text)).await {
            Ok(Ok(_)) => {}
            Ok(Err(code)) => panic!("{text} was refused ({code:?}), and it may be stored"),
            Err(_) => break text,
        }
    };
    assert!(one.running.is_finished());
    settled(&kit, &[&two]).await;
    let stored = stored(&*two.store).await;
    assert!(
        stored.iter().any(|(_, json)| json.contains(&format!("\"{unknown}\""))),
        "as it is: {stored:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_life_that_does_not_begin_is_begun_again_at_leisure() {
    let kit = Kit::new();
    kit.node("first").await.end().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let link = kit.engine.link();
    let before = kit.engine.groups().len();
    let order = Odd { link: link.clone(), unreadable: 0, is_late: true };
    let one = Setup { link, order: Arc::new(order), ..kit.setup() }.start("one");
    tokio::time::sleep(60 * SECOND).await;
    let attempts = kit.engine.groups().len() - before;
    assert!((6..20).contains(&attempts), "{attempts}");
    assert!(!one.running.is_finished());
    one.stop.cancel();
    let ended = tokio::time::timeout(SECOND, one.running).await;
    assert!(ended.unwrap().unwrap().is_ok(), "it can be stopped meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_snapshot_is_of_a_later_time_than_all_that_comes_is_up_nevertheless() {
    let kit = Kit::new();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let one = kit.node("one").await;
    tokio::time::sleep(5 * SECOND).await;
    let place = super::restarts::keep_snapshot(&kit).await;
    one.kill().await;
    kit.engine.drops(place);
    // The clock of another server of the engine.
    kit.engine.set_clock_back(Duration::from_secs(3000));
    let before = kit.engine.groups().len();
    let two = kit.start("two", Arc::new(Memory::default()));
    let up = tokio::time::timeout(30 * SECOND, two.up()).await;
    assert!(up.is_ok(), "it does not come up");
    let groups = kit.engine.groups();
    let is_up = |proposal: &Proposal| matches!(proposal, Proposal::Up(_));
    let ups = groups[before..].iter().filter(|group| group.group.proposals.iter().any(is_up));
    assert_eq!(ups.count(), 1);
    assert_eq!(two.link.places().await.unwrap(), [place]);
}
