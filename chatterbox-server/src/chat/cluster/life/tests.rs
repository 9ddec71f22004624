use std::sync::Arc;

use super::*;

const FORMAT: u16 = 1;
const A: Incarnation = Incarnation(10);
const B: Incarnation = Incarnation(20);
const C: Incarnation = Incarnation(30);

fn up(name: &str) -> Proposal {
    Proposal::Up(Up { name: name.into(), speaks: FORMAT, ..Up::default() })
}

/// An order in memory, whose nodes are told of each place at once.
struct World {
    now: Duration,
    place: Place,
    /// The time of the order.
    at: u64,
    nodes: Vec<Life>,
}

impl World {
    /// Nodes that have read nothing and know of nobody.
    fn new(nodes: &[Incarnation]) -> Self {
        let life = |node: &Incarnation| Life::new((*node, FORMAT), (0, 0), [], Duration::ZERO);
        let nodes = nodes.iter().map(life).collect();
        let mut world = Self { now: Duration::ZERO, place: 0, at: 0, nodes };
        for index in 0..world.nodes.len() {
            world.decide(world.nodes[index].own, vec![up("node")]).unwrap();
        }
        world.nodes.iter_mut().for_each(Life::is_up);
        world
    }

    fn decided(&self, from: Incarnation, proposals: Vec<Proposal>) -> Decided {
        let group = Arc::new(Group { from, number: 1, proposals });
        Decided { place: self.place, at: self.at, read: 0, group }
    }

    /// What all are told at the next place.
    fn decide(&mut self, from: Incarnation, proposals: Vec<Proposal>) -> Result<Vec<Due>, Split> {
        self.place += 1;
        let decided = self.decided(from, proposals);
        let (sum, now) = ((self.at, self.place * 7), self.now);
        self.nodes.iter_mut().map(|life| life.applied(&decided, sum, true, now)).collect()
    }

    /// A second goes by, in which these nodes get into the order what they propose. Gives who was declared down.
    fn second(&mut self, heard: &[Incarnation]) -> Vec<Incarnation> {
        self.now += TICK;
        self.at += 1000;
        let mut down = Vec::new();
        for node in heard {
            let life = self.nodes.iter_mut().find(|life| life.own == *node).unwrap();
            let proposals = life.proposals(self.now);
            assert!(matches!(proposals.first(), Some(Proposal::Tick(_))), "{proposals:?}");
            down.extend(proposals.iter().filter_map(|proposal| match proposal {
                Proposal::Down(node) => Some(*node),
                _ => None,
            }));
            self.decide(*node, proposals).unwrap();
        }
        down
    }

    fn life(&mut self, node: Incarnation) -> &mut Life {
        self.nodes.iter_mut().find(|life| life.own == node).unwrap()
    }

    fn others(&mut self, node: Incarnation) -> Vec<Incarnation> {
        self.life(node).others().map(|(other, _)| other).collect()
    }
}

#[test]
fn a_node_ticks_each_second_and_never_twice_before_it_has_come_round() {
    let mut world = World::new(&[A]);
    let second = Duration::from_secs(1);
    assert_eq!(world.life(A).next(), Some(Duration::ZERO));
    let tick = world.life(A).proposals(second);
    assert!(matches!(tick[..], [Proposal::Tick(Tick { place: 1, read: 7, state: None, .. })]));
    assert_eq!(world.life(A).next(), None, "it is on its way");
    assert!(world.life(A).proposals(60 * second).is_empty(), "the engine stands still");
    world.now = 60 * second;
    assert!(world.decide(A, tick).unwrap()[0].ticked);
    assert_eq!(
        (world.life(A).next(), world.life(A).ticked()),
        (Some(2 * second), Some(60 * second))
    );
    assert_eq!(world.life(A).proposals(60 * second).len(), 1, "one for all that time");
    assert_eq!(world.life(A).next(), None);
    // What it sends is not its own until it has come round, and other groups of it are no ticks.
    assert!(!world.decide(A, Vec::new()).unwrap()[0].ticked);
    assert_eq!(world.life(A).next(), None);
}

#[test]
fn a_node_that_is_not_heard_for_ten_ticks_is_declared_down_by_everybody() {
    let mut world = World::new(&[A, B, C]);
    assert_eq!(world.second(&[A, B, C]), []);
    for second in 0..10 {
        assert_eq!(world.second(&[A, B]), [], "{second}");
    }
    assert_eq!(world.others(A), [B, C]);
    assert_eq!(world.second(&[A, B]), [C], "by the first whose tick comes round");
    assert_eq!((world.others(A), world.others(B)), (vec![B], vec![A]));
    assert_eq!(world.second(&[A, B]), [], "once");
    // Whatever else of it is heard counts as well as its ticks.
    for _ in 0..30 {
        world.decide(B, Vec::new()).unwrap();
        assert_eq!(world.second(&[A]), []);
    }
}

#[test]
fn nobody_is_accused_while_the_engine_stands_still() {
    let mut world = World::new(&[A, B, C]);
    world.second(&[A, B, C]);
    // A minute in which nothing of anybody comes round; then A finds the engine first.
    world.now += Duration::from_secs(60);
    for _ in 0..9 {
        assert_eq!(world.second(&[A]), []);
    }
    assert_eq!(world.second(&[A, B, C]), []);
    assert_eq!(world.second(&[A, B, C]), []);
}

#[test]
fn what_does_not_count_was_not_heard() {
    let mut world = World::new(&[A, B]);
    world.second(&[A, B]);
    for _ in 0..10 {
        world.second(&[A]);
        world.place += 1;
        let (late, now) = (world.decided(B, Vec::new()), world.now);
        let sum = (world.at, world.place * 7);
        for life in &mut world.nodes {
            life.applied(&late, sum, false, now).unwrap();
        }
    }
    assert_eq!(world.second(&[A]), [B]);
}

#[test]
fn a_node_whose_last_life_has_ended_begins_another() {
    let mut world = World::new(&[A, B]);
    world.second(&[A, B]);
    let lost = world.life(B).proposals(Duration::from_secs(9));
    assert_eq!(lost.len(), 1);
    world.decide(A, vec![Proposal::Down(B)]).unwrap();
    assert_eq!(world.others(A), []);
    let now = world.now;
    world.life(B).is_reborn(C, now);
    assert_eq!(world.life(C).next(), Some(now), "a new life ticks at once");
    world.decide(C, vec![up("again")]).unwrap();
    assert_eq!((world.others(A), world.others(C)), (vec![C], vec![A]));
    let (_, other) = world.life(A).others().next().map(|(n, o)| (n, o.clone())).unwrap();
    assert_eq!((&*other.name, other.speaks), ("again", FORMAT));
}

#[test]
fn who_was_up_before_this_node_can_be_missed_as_well() {
    let mut world = World::new(&[A]);
    let known = [(B, Up { name: "b".into(), ..Up::default() }), (A, Up::default())];
    let now = world.now;
    world.nodes = vec![Life::new((A, FORMAT), (1, 7), known, now)];
    assert_eq!(world.others(A), [B], "itself it is not");
    for second in 0..10 {
        assert_eq!(world.second(&[A]), [], "{second}");
    }
    assert_eq!(world.second(&[A]), [B]);
}

fn tick(place: Place, read: u64, state: Option<(Place, u64)>) -> Vec<Proposal> {
    vec![Proposal::Tick(Tick { place, read, state, stores: None })]
}

#[test]
fn whoever_was_told_another_story_is_found_out_by_one_tick() {
    let mut world = World::new(&[A, B]);
    world.decide(B, tick(2, 14, None)).unwrap();
    assert_eq!(world.decide(B, tick(1, 8, None)).unwrap_err(), Split::Order { node: B, place: 1 });
    // A place that is not decided yet: the order has lost its end.
    let mut world = World::new(&[A, B]);
    let split = Split::Ahead { node: B, applied: 3, place: 3 };
    assert_eq!(world.decide(B, tick(3, 21, None)).unwrap_err(), split);
    // A place that is missing, or comes again.
    let mut world = World::new(&[A]);
    for place in [1, 3] {
        world.place = place - 1;
        let split = world.decide(A, Vec::new()).unwrap_err();
        assert_eq!(split, Split::Hole { place, expected: 2 });
    }
}

#[test]
fn a_disagreement_that_is_read_again_ends_nobody_and_one_with_a_node_that_is_up_does() {
    let mut world = World::new(&[A]);
    world.decide(B, vec![up("b")]).unwrap();
    let now = world.now;
    // It has read everything up to here, and is not up yet.
    world.nodes = vec![Life::new((C, FORMAT), (2, 14), [(B, Up::default())], now)];
    let split = Split::Order { node: B, place: 2 };
    let past = |due: Vec<Due>| due[0].past;
    assert_eq!(past(world.decide(B, tick(2, 15, None)).unwrap()), Some(split));
    assert_eq!(past(world.decide(B, tick(2, 15, None)).unwrap()), None, "it is told once");
    // What it says itself is no reason to end, either.
    world.decide(B, tick(9, 1, None)).unwrap();
    world.life(C).is_up();
    world.decide(B, tick(5, 35, None)).unwrap();
    assert_eq!(world.decide(B, tick(6, 43, None)), Err(Split::Order { node: B, place: 6 }));
    // Another life reads what was decided in between as one that was not there.
    world.life(C).is_reborn(A, now);
    assert_eq!(past(world.decide(B, tick(6, 43, None)).unwrap()), None);
}

#[test]
fn what_a_node_does_not_know_any_more_it_does_not_judge() {
    let mut world = World::new(&[A, B]);
    let now = world.now;
    world.nodes = vec![Life::new((A, FORMAT), (100, 700), [], now)];
    world.life(A).is_up();
    world.place = 100;
    world.decide(B, tick(99, 1, None)).unwrap();
    assert!(world.decide(B, tick(100, 1, None)).is_err(), "where it began it knows");
}

#[test]
fn digests_are_taken_at_the_same_places_and_told_once() {
    let mut world = World::new(&[A, B]);
    let mut places = Vec::new();
    for _ in 0..130 {
        world.at += 1000;
        let due = world.decide(A, Vec::new()).unwrap();
        assert_eq!(due[0], due[1], "both at the same place");
        if due[0].digest {
            places.push((world.place, world.at));
            let digest = 1000 + world.place;
            let place = world.place;
            world.nodes.iter_mut().for_each(|life| life.has_digest(place, digest));
        }
    }
    assert_eq!(places.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [60_000, 120_000]);
    let (place, _) = places[1];
    let told = world.life(A).proposals(Duration::from_secs(500));
    let Some(Proposal::Tick(first)) = told.first() else { panic!("{told:?}") };
    assert_eq!(first.state, Some((place, 1000 + place)));
    world.decide(A, told).unwrap();
    let told = world.life(A).proposals(Duration::from_secs(600));
    assert!(matches!(told[..], [Proposal::Tick(Tick { state: None, .. })]), "{told:?}");
    // Another one is found out, if it is of a program that must have the same.
    let other = tick(1, 7, Some((place, 5)));
    assert_eq!(world.decide(B, other.clone()).unwrap_err(), Split::State { node: B, place });
    let newer = Up { speaks: FORMAT + 1, ..Up::default() };
    world.nodes.truncate(1);
    world.decide(C, vec![Proposal::Up(newer)]).unwrap();
    world.decide(C, other).unwrap();
    world.decide(B, tick(1, 7, Some((1, 5)))).unwrap();
    let stores = |place, digest| {
        let tick = Tick { place: 1, read: 7, state: None, stores: Some((place, digest)) };
        vec![Proposal::Tick(tick)]
    };
    world.life(A).has_digest_of_stores(place, 5);
    world.decide(C, stores(place, 6)).unwrap();
    world.decide(B, stores(place, 5)).unwrap();
    world.decide(B, stores(place + 1, 6)).unwrap();
    let split = Split::Stores { node: B, place };
    assert_eq!(world.decide(B, stores(place, 6)).unwrap_err(), split);
}

#[test]
fn the_first_of_those_who_are_up_keeps_snapshots() {
    let mut world = World::new(&[A, B, C]);
    world.place = SNAPSHOT - 3;
    for life in &mut world.nodes {
        life.checksums = Checksums::new(SNAPSHOT - 3, 0);
    }
    let keepers = |due: &[Due]| due.iter().map(|due| due.snapshot).collect::<Vec<_>>();
    for _ in 0..2 {
        assert_eq!(keepers(&world.decide(B, Vec::new()).unwrap()), [false; 3]);
    }
    assert_eq!(keepers(&world.decide(B, Vec::new()).unwrap()), [true, false, false]);
    // Whoever has ended does not, from that very place on.
    world.place = 2 * SNAPSHOT - 1;
    for life in &mut world.nodes {
        life.checksums = Checksums::new(2 * SNAPSHOT - 1, 0);
    }
    let due = world.decide(C, vec![Proposal::Down(A)]).unwrap();
    assert_eq!(keepers(&due)[1..], [true, false]);
}

#[test]
fn the_first_of_those_who_are_up_proposes_a_newer_format_when_all_read_it() {
    let life = |node, speaks, others: &[(Incarnation, u16)]| {
        let up =
            |(node, speaks): &(Incarnation, u16)| (*node, Up { speaks: *speaks, ..Up::default() });
        let mut life = Life::new((node, speaks), (0, 0), others.iter().map(up), Duration::ZERO);
        life.writes(2);
        life
    };
    let spoken = |mut life: Life| {
        let proposals = life.proposals(TICK);
        proposals.iter().find_map(|proposal| match proposal {
            Proposal::Speak(level) => Some(*level),
            _ => None,
        })
    };
    assert_eq!(spoken(life(A, 4, &[(B, 3), (C, 5)])), Some(3), "what all read");
    assert_eq!(spoken(life(B, 4, &[(A, 3), (C, 5)])), None, "another one does it");
    assert_eq!(spoken(life(A, 4, &[(B, 2), (C, 5)])), None, "one does not read it");
    assert_eq!(spoken(life(A, 2, &[(B, 3)])), None, "it does not read it itself");
    assert_eq!(spoken(life(A, 3, &[])), Some(3), "alone");
    let mut spoken = life(A, 3, &[]);
    spoken.writes(3);
    assert_eq!(spoken.proposals(TICK).len(), 1, "it is spoken");
}
