//! Nodes that die, sleep, are cut off, stop in order or are told different stories: what users of all nodes see of it.

use std::time::Duration;

use chatterbox_hub::{
    Delivery, Group, Identity, Incarnation, JoinRequest, Removal, Resuming, SessionKey, Up,
};
use chatterbox_proto::Capability;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _};

use super::*;
use crate::chat::cluster::life::Split;
use crate::chat::handle::Seat;
use crate::ops::readiness::Readiness;
use crate::order::simulated::Link;
use crate::order::{Decided, OfferError, Order, OrderError, Place, Reach, Snapshots as _};

const SECOND: Duration = Duration::from_secs(1);

async fn seconds(count: u32) {
    tokio::time::sleep(count * SECOND).await;
}

/// Somebody whose session can go on elsewhere.
async fn join(node: &TestNode, text: &str, key: Option<SessionKey>) -> (Seat, SessionKey) {
    let name = Username::parse(text).unwrap();
    let agreed = [Capability::Ids].into_iter().collect();
    let request = JoinRequest {
        identity: Identity { agreed: Some(agreed), ..Identity::guest(name.clone()) },
        extra: br#""CAPABILITIES": "ids""#,
        resume: key.map(|key| Resuming { key: Some(key), after: 0, only: true }),
        random: 5,
        ..JoinRequest::base(&name, "Hi")
    };
    let (seat, welcomed) = Seat::join(&node.chat, request).await.unwrap();
    let welcome = String::from_utf8(welcomed.welcome.concat()[4..].to_vec()).unwrap();
    let (_, token) = welcome.split_once(r#""RESUME": ""#).expect("a session has a token");
    let token = token.split('"').next().unwrap();
    (seat, SessionKey::parse(token).unwrap())
}

/// What somebody was told beside ticks; those who have been removed are told why.
fn removal(seat: &Seat) -> Option<Removal> {
    match seat.take() {
        Delivery::Removed(why) => Some(why),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_node_that_is_killed_only_those_are_seen_to_leave_who_do_not_come_back() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (bob, _) = one.join("bob").await.unwrap();
    let (ann, key) = join(&two, "ann", None).await;
    let (_cyd, _) = join(&two, "cyd", None).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&bob), ["+ann", "+cyd"]);
    two.kill().await;
    seconds(1).await;
    let (again, _) = join(&one, "ann", Some(key)).await;
    say(&one, again.handle().id(), "ann", "still here").await.unwrap();
    assert_eq!(told(&bob), ["still here"]);
    seconds(8).await;
    assert_eq!(told(&bob), [""; 0], "not yet");
    seconds(4).await;
    assert_eq!(told(&bob), ["-cyd"]);
    drop(ann);
    seconds(60).await;
    assert_eq!((told(&bob), one.chat.user_count()), (vec![], 2));
    // It comes back as another life, and nothing is left of the first.
    let two = kit.node("two").await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(two.chat.user_count(), 2);
    seconds(60).await;
    let report = one.pulse.report().borrow().clone().unwrap();
    assert_eq!(report.nodes.iter().map(|node| &*node.name).collect::<Vec<_>>(), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_is_missed_by_others_and_sends_its_own_users_elsewhere() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let first = two.up().await;
    let (bob, _) = one.join("bob").await.unwrap();
    let (ann, _) = two.join("ann").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    assert_eq!((told(&bob).len(), told(&ann).len()), (1, 0));
    two.link.cut(true);
    let id = ann.handle().id();
    let mut late = Box::pin(say(&two, id, "ann", "too late"));
    assert!(late.as_mut().now_or_never().is_none());
    seconds(5).await;
    let notice = told(&ann);
    assert!(notice.len() == 1 && notice[0].contains("not stored at the moment"), "{notice:?}");
    assert_eq!((told(&bob), two.health.readiness()), (vec![], Readiness::Ready));
    seconds(7).await;
    assert_eq!(two.health.readiness(), Readiness::NoEngine);
    let refused = two.join("dan").await.map(drop);
    assert!(matches!(&refused, Err(error) if format!("{error:?}").contains("Busy")), "{refused:?}");
    assert_eq!(told(&bob), ["-ann"], "the others have missed it");
    seconds(10).await;
    assert_eq!(removal(&ann), Some(Removal::NoEngine));
    two.link.cut(false);
    assert_eq!(late.await, Err(Code::NotStored), "that it was not stored is known");
    let mut standing = two.standing.clone();
    let is_other = |standing: &Standing| matches!(standing, Standing::Up(life) if *life != first);
    standing.wait_for(is_other).await.unwrap();
    seconds(1).await;
    assert_eq!(two.health.readiness(), Readiness::Ready);
    let (_ann, _) = two.join("ann").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    assert_eq!(told(&bob), ["+ann"]);
}

#[tokio::test(start_paused = true)]
async fn an_election_of_the_engine_takes_nobody_away() {
    let kit = Kit::new();
    let nodes = [kit.node("one").await, kit.node("two").await, kit.node("three").await];
    let (ann, _) = nodes[0].join("ann").await.unwrap();
    let (bob, _) = nodes[1].join("bob").await.unwrap();
    settled(&kit, &[&nodes[0], &nodes[1], &nodes[2]]).await;
    told(&ann);
    for round in 0..20 {
        kit.engine.stops(true);
        let id = ann.handle().id();
        let mut saying = Box::pin(say(&nodes[0], id, "ann", "patience"));
        assert!(tokio::time::timeout(9 * SECOND, saying.as_mut()).await.is_err());
        assert!(nodes.iter().all(|node| node.health.readiness().is_ready()), "{round}");
        kit.engine.stops(false);
        // The nodes find it one after the other.
        nodes[2].link.cut(true);
        saying.await.unwrap();
        seconds(4).await;
        nodes[2].link.cut(false);
        seconds(2).await;
        let seen = told(&bob);
        let expected = ["not stored at the moment", "patience", "stored again"];
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(
            expected.iter().all(|text| seen.iter().any(|seen| seen.contains(text))),
            "{seen:?}"
        );
    }
    assert!(nodes.iter().all(|node| node.chat.user_count() == 2));
    let groups = kit.engine.groups();
    let mut all = groups.iter().flat_map(|decided| &decided.group.proposals);
    assert!(all.all(|proposal| !matches!(proposal, Proposal::Down(_))), "nobody is accused");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_long_closes_connections_and_accuses_nobody() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let lives = (one.up().await, two.up().await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    kit.engine.stops(true);
    seconds(19).await;
    assert_eq!((removal(&ann), removal(&bob)), (None, None));
    seconds(2).await;
    let away = Some(Removal::NoEngine);
    assert_eq!((removal(&ann), removal(&bob)), (away.clone(), away));
    seconds(600).await;
    kit.engine.stops(false);
    seconds(3).await;
    drop((ann, bob));
    seconds(3).await;
    assert_eq!((one.up().await, two.up().await), lives, "both live as before");
    assert!(one.health.readiness().is_ready() && two.health.readiness().is_ready());
    assert_eq!((one.chat.user_count(), two.chat.user_count()), (0, 0));
    one.join("ann").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_in_order_is_seen_by_nobody_whose_session_goes_on() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let life = two.up().await;
    let (bob, _) = one.join("bob").await.unwrap();
    let mut here = Vec::new();
    for name in ["ann", "cyd", "dan"] {
        here.push(join(&two, name, None).await);
    }
    let (base, _) = two.join("eve").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    told(&bob);
    two.chat.doors().take_users(false);
    two.chat.doors().hold_sessions();
    drop(base);
    seconds(1).await;
    assert_eq!(told(&bob), ["-eve"], "nothing goes on for her");
    let mut moved = Vec::new();
    for (name, (seat, key)) in ["ann", "cyd"].into_iter().zip(here.drain(..2)) {
        drop(seat);
        seconds(1).await;
        assert_eq!(told(&bob), [""; 0], "{name} is expected");
        moved.push(join(&one, name, Some(key)).await);
    }
    drop(here);
    seconds(1).await;
    assert_eq!(one.chat.members_at(life), 1, "who did not come is still expected");
    assert_eq!(told(&bob), [""; 0]);
    two.end().await;
    seconds(1).await;
    assert_eq!(told(&bob), ["-dan"], "at once, with the node");
    let groups = kit.engine.groups();
    let last = groups.iter().rfind(|decided| decided.group.from == life).unwrap();
    assert!(matches!(last.group.proposals[..], [Proposal::Down(node)] if node == life));
    seconds(60).await;
    assert_eq!((told(&bob), one.chat.user_count()), (vec![], 3));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_can_not_say_that_it_ends_ends_nevertheless() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (bob, _) = one.join("bob").await.unwrap();
    std::mem::forget(two.join("ann").await.unwrap());
    settled(&kit, &[&one, &two]).await;
    told(&bob);
    two.link.cut(true);
    let ended = tokio::time::timeout(6 * SECOND, two.end()).await;
    assert!(ended.is_ok(), "it waits for some seconds");
    seconds(12).await;
    assert_eq!(told(&bob), ["-ann"], "the others find out");
}

/// An order that one node reads differently at a place.
#[derive(Debug)]
struct Misread(Link, Place);

impl Order for Misread {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        self.0.offer(group)
    }

    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        let misread = |decided: Arc<Decided>| {
            if decided.place != self.1 {
                return decided;
            }
            let Decided { place, at, read, ref group } = *decided;
            Arc::new(Decided { place, at, read: !read, group: Arc::clone(group) })
        };
        self.0.follow(after).map(move |next| next.map(misread)).boxed()
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        self.0.reach()
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_that_were_told_different_stories_stop_within_seconds() {
    let kit = Kit::new();
    let (one, link) = (kit.node("one").await, kit.engine.link());
    let order = Arc::new(Misread(link.clone(), 20));
    let two = kit.start_with("two", Arc::new(Memory::default()), link, order);
    two.up().await;
    let (_ann, _) = one.join("ann").await.unwrap();
    while kit.engine.groups().len() < 20 {
        seconds(1).await;
    }
    let ends = async { (one.running.await.unwrap(), two.running.await.unwrap()) };
    let (one, two) = tokio::time::timeout(3 * SECOND, ends).await.unwrap();
    for ended in [one, two] {
        let is_split = matches!(ended, Err(ClusterError::Split(Split::Order { .. })));
        assert!(is_split, "{ended:?}");
    }
}

/// What ended them stays in the order, and is read by whoever begins again.
#[tokio::test(start_paused = true)]
async fn one_wrong_checksum_does_not_keep_a_cluster_from_starting_again() {
    let kit = Kit::new();
    let misreads = || {
        let link = kit.engine.link();
        let order = Arc::new(Misread(link.clone(), 20));
        kit.start_with("two", Arc::new(Memory::default()), link, order)
    };
    let (one, two) = (kit.node("one").await, misreads());
    two.up().await;
    let store = Arc::clone(&one.store);
    let ends = async { (one.running.await.unwrap(), two.running.await.unwrap()) };
    let (one, two) = tokio::time::timeout(60 * SECOND, ends).await.unwrap();
    assert!(one.is_err() && two.is_err(), "{one:?}, {two:?}");
    let (one, three) = (kit.node_with("one", store).await, kit.node("three").await);
    seconds(70).await;
    assert!(!one.running.is_finished() && !three.running.is_finished());
    // Whoever is wrong itself, and still is, does not go on.
    let two = misreads();
    two.up().await;
    let ended = tokio::time::timeout(5 * SECOND, two.running).await.unwrap().unwrap();
    assert!(matches!(ended, Err(ClusterError::Split(Split::Order { .. }))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn nodes_whose_states_differ_stop_within_a_minute_of_the_order() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (_ann, _) = one.join("ann").await.unwrap();
    seconds(200).await;
    same(&[&one, &two]);
    assert!(!one.running.is_finished() && !two.running.is_finished(), "no false alarm");
    // A fault of the program: one of them applies what is not in the order.
    let proposals = vec![Proposal::Up(Up::default())];
    let stray = Group { from: Incarnation(7), number: 1, proposals };
    two.chat.apply(&Decided { place: 0, at: 0, read: 0, group: Arc::new(stray) }, |_| None);
    let ends = async { (one.running.await.unwrap(), two.running.await.unwrap()) };
    let (one, two) = tokio::time::timeout(65 * SECOND, ends).await.unwrap();
    for ended in [one, two] {
        let is_split = matches!(ended, Err(ClusterError::Split(Split::State { .. })));
        assert!(is_split, "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_tick_does_not_hold_up_what_is_said() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    let (ann, _) = one.join("ann").await.unwrap();
    let start = tokio::time::Instant::now();
    for _ in 0..100 {
        say(&one, ann.handle().id(), "ann", "quick").await.unwrap();
    }
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
    // A tick goes along with what is said, where it is due.
    seconds(2).await;
    let groups = kit.engine.groups();
    let is_tick = |proposal: &Proposal| matches!(proposal, Proposal::Tick(_));
    let ticks = groups.iter().filter(|decided| decided.group.proposals.iter().any(is_tick));
    assert!((2..=4).contains(&ticks.count()));
}

#[tokio::test(start_paused = true)]
async fn one_node_keeps_a_snapshot_and_another_begins_with_it() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (_ann, _) = join(&one, "ann", None).await;
    while kit.engine.groups().len() < 10_000 {
        seconds(100).await;
    }
    settled(&kit, &[&one, &two]).await;
    seconds(1).await;
    assert_eq!(one.link.places().await.unwrap(), [10_000], "by one of them");
    kit.engine.drops(9_000);
    let three = kit.node("three").await;
    settled(&kit, &[&one, &two, &three]).await;
    assert!(three.chat.find(&Username::parse("ann").unwrap()).is_some());
    // It knows of those who were up before, and misses them.
    two.kill().await;
    seconds(15).await;
    let report = three.pulse.report().borrow().clone().unwrap();
    let mut names: Vec<_> = report.nodes.iter().map(|node| node.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["one", "three"]);
    seconds(130).await;
    assert!(!one.running.is_finished() && !three.running.is_finished(), "no false alarm");
}
