//! A correct chat that is made up leaves evidence in which nothing is found; each thing that is then broken in
//! it is found, as what it is.

use proptest::prelude::*;

use super::{Findings, Kind, judge};
use crate::evidence::{
    Closing, Ending, Entry, Event, Evidence, Fault, Micros, Name, PAST, Pages, Place, Post, Print,
    SECOND, Seen, Session, Side, Struck, Testimony, Welcome, What,
};

mod before;
mod connections;
mod damages;

use damages::{DAMAGES, acknowledged};

const NODES: u16 = 3;

/// What may happen in a chat that is right.
#[derive(Debug, Clone)]
enum Step {
    Post {
        who: usize,
        place: u8,
        acked: bool,
    },
    Refuse {
        who: usize,
    },
    /// The node dies; everybody there goes on at the next one.
    Kill {
        node: u16,
    },
    /// The connection is closed, and goes on with the session or with another one.
    Leave {
        who: usize,
        resumes: bool,
    },
    Enter {
        who: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let post = (0..6_usize, 0..8_u8, any::<bool>()).prop_map(|(who, place, acked)| Step::Post {
        who,
        place,
        acked,
    });
    let step = prop_oneof![
        12 => post,
        1 => (0..6_usize).prop_map(|who| Step::Refuse { who }),
        1 => (0..NODES).prop_map(|node| Step::Kill { node }),
        1 => (0..6_usize, any::<bool>()).prop_map(|(who, resumes)| Step::Leave { who, resumes }),
        2 => (0..6_usize).prop_map(|who| Step::Enter { who }),
    ];
    proptest::collection::vec(step, 40..120)
}

/// The last one speaks the base protocol alone.
const fn is_base(who: usize) -> bool {
    who == 5
}

fn name(who: usize) -> Name {
    Name::try_from(who).unwrap()
}

/// A chat that is right, and its users.
struct World {
    now: Micros,
    evidence: Evidence,
    log: Vec<Entry>,
    nodes: Vec<u16>,
    sessions: Vec<u32>,
    members: Vec<bool>,
    reached: Vec<u64>,
}

impl World {
    fn new() -> Self {
        let names: Vec<String> = (0..6).map(|n| format!("user{n}")).collect();
        let testimonies = (0..6)
            .map(|name| Testimony { name, base: is_base(name.into()), ..Testimony::default() })
            .collect();
        let evidence = Evidence {
            names,
            testimonies,
            hold: 8 * SECOND,
            grace: 30 * SECOND,
            ..Evidence::default()
        };
        let mut world = Self {
            now: 0,
            evidence,
            log: Vec::new(),
            nodes: (0..6).map(|n| n % NODES).collect(),
            sessions: vec![0; 6],
            members: vec![false; 6],
            reached: vec![0; 6],
        };
        for who in 0..6 {
            world.welcome(who, Session::New, who);
            for other in 0..who {
                world.note(other, What::Came(name(who)));
            }
        }
        world
    }

    fn note(&mut self, who: usize, what: What) {
        self.now += 1_000;
        self.evidence.testimonies[who].events.push(Event { at: self.now, what });
    }

    /// Welcomes a user; only users up to `last` are there yet.
    fn welcome(&mut self, who: usize, session: Session, last: usize) {
        let visible: Vec<Seen> =
            self.log.iter().filter_map(|entry| self.view(who, entry)).collect();
        let messages = match session {
            Session::New if is_base(who) => visible,
            Session::New => visible.last().copied().into_iter().collect(),
            Session::Resumed => {
                visible.into_iter().filter(|seen| seen.id > self.reached[who]).collect()
            }
        };
        self.reached[who] = self.log.last().map_or(0, |entry| entry.id);
        let node = self.nodes[who];
        let users = (0..=name(last)).collect();
        let (gaps, left) = (Vec::new(), Vec::new());
        self.note(who, What::Welcomed(Welcome { node, session, users, messages, gaps, left }));
    }

    fn view(&self, who: usize, entry: &Entry) -> Option<Seen> {
        let side = match entry.place? {
            Place::Lobby => Side::Lobby,
            Place::Room(room) if self.members[who] => Side::Room(room),
            Place::User(to) if usize::from(to) == who => Side::Me,
            _ => return None,
        };
        Some(Seen { id: entry.id, print: entry.print, side })
    }

    fn post(&mut self, who: usize, place: Place) -> (u32, Print) {
        let n = self.evidence.testimonies[who].posts.len();
        let print = Print::of(&who.to_string(), &format!("{place:?}"), &n.to_string());
        let session = self.sessions[who];
        self.evidence.testimonies[who].posts.push(Post { place, print, session });
        self.note(who, What::Sent(u32::try_from(n).unwrap()));
        (u32::try_from(n).unwrap(), print)
    }

    fn say(&mut self, who: usize, place: Place, acked: bool) -> u64 {
        let (n, print) = self.post(who, place);
        let id = self.log.last().map_or(0, |entry| entry.id) + 1 + u64::from(n % 3) * 1_024;
        let entry = Entry { id, print, src: Some(name(who)), place: Some(place) };
        self.log.push(entry);
        for other in 0..6 {
            if let Some(seen) = self.view(other, &entry) {
                self.note(other, What::Saw(seen));
            }
            self.reached[other] = id;
        }
        if acked && !is_base(who) {
            self.note(who, What::Acked(n, id));
        }
        id
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Post { who, place, acked } => {
                let place = match place {
                    0 | 1 if self.members[who] => Place::Room(0),
                    2..=4 => Place::User(name((who + 1 + usize::from(place)) % 6)),
                    _ => Place::Lobby,
                };
                self.say(who, place, acked);
            }
            Step::Refuse { who } if is_base(who) => {}
            Step::Refuse { who } => {
                let (n, _) = self.post(who, Place::Lobby);
                self.note(who, What::Refused(n, "busy".to_owned()));
            }
            Step::Kill { node } => {
                self.strike(Fault::NodeKilled, node, SECOND, &Closing::Lost, false);
                self.now += 40 * SECOND;
            }
            Step::Leave { who, resumes } => {
                let resumes = resumes && !is_base(who);
                self.note(who, What::Closed(Closing::Mine));
                for other in (0..6).filter(|other| *other != who) {
                    self.note(other, What::Went(name(who)));
                }
                let session = if resumes { Session::Resumed } else { Session::New };
                if !resumes {
                    self.sessions[who] += 1;
                    self.members[who] = false;
                }
                self.welcome(who, session, 5);
                for other in (0..6).filter(|other| *other != who) {
                    self.note(other, What::Came(name(who)));
                }
            }
            Step::Enter { who } if is_base(who) => {}
            Step::Enter { who } => {
                let last = self.log.iter().filter(|entry| entry.place == Some(Place::Room(0)));
                let last = last.map(|entry| entry.id).max().unwrap_or_default();
                if !std::mem::replace(&mut self.members[who], true) {
                    self.note(who, What::Entered(0, last));
                }
            }
        }
    }

    /// A fault hits a node, and its users lose their connections in this way, so long after it began; they go on at the next one. Base
    /// clients leave and come, the others only where they are announced as gone.
    fn strike(&mut self, fault: Fault, node: u16, after: Micros, how: &Closing, announced: bool) {
        let from = self.now;
        self.now += after;
        let hit: Vec<usize> = (0..6).filter(|who| self.nodes[*who] == node).collect();
        for who in &hit {
            self.note(*who, What::Closed(how.clone()));
        }
        for who in hit {
            self.nodes[who] = (node + 1) % NODES;
            let others: Vec<usize> = (0..6).filter(|other| *other != who).collect();
            if announced || is_base(who) {
                others.iter().for_each(|other| self.note(*other, What::Went(name(who))));
            }
            let session = if is_base(who) { Session::New } else { Session::Resumed };
            self.sessions[who] += u32::from(is_base(who));
            self.welcome(who, session, 5);
            if announced || is_base(who) {
                others.iter().for_each(|other| self.note(*other, What::Came(name(who))));
            }
        }
        let (until, node) = (self.now, fault.is_of_nodes().then_some(node));
        let in_order = [Fault::NodeStopped, Fault::RollingRestart].contains(&fault);
        let ended = in_order.then_some(Ending::Code(0));
        self.evidence.faults.push(Struck { fault, node, from, until, ended });
    }

    /// Everybody sees the last message, and the pages are read.
    fn end(mut self) -> Evidence {
        self.evidence.end = self.say(0, Place::Lobby, true);
        let is_private = |entry: &Entry| matches!(entry.place, Some(Place::User(_)));
        for node in 0..NODES {
            let entries = self.log.iter().filter(|entry| !is_private(entry)).copied().collect();
            self.evidence.pages.push(Pages { node, entries, ..Pages::default() });
            for me in 0..6 {
                let mine = |entry: &&Entry| {
                    is_private(entry)
                        && (entry.place == Some(Place::User(me)) || entry.src == Some(me))
                };
                let entries = self.log.iter().filter(mine).copied().collect();
                self.evidence.pages.push(Pages {
                    node,
                    reader: Some(me),
                    entries,
                    older: Vec::new(),
                });
            }
        }
        for testimony in &mut self.evidence.testimonies {
            testimony.settled = true;
        }
        self.evidence
    }
}

fn evidence(steps: &[Step]) -> Evidence {
    let mut world = World::new();
    for step in steps {
        world.step(step);
    }
    // Whatever was made up, there is something of each kind to break.
    for who in [1, 2] {
        world.step(&Step::Enter { who });
        world.say(who, Place::Room(0), true);
    }
    for (who, place) in [
        (4, Place::Lobby),
        (3, Place::User(4)),
        (4, Place::Lobby),
        (5, Place::Lobby),
        (4, Place::Lobby),
    ] {
        world.say(who, place, true);
    }
    world.end()
}

/// What was found, other than this.
fn others(findings: &Findings, kind: Kind) -> Vec<(Kind, Vec<String>)> {
    let other = findings.iter().filter(|(found, _)| *found != kind);
    other.map(|(kind, finding)| (kind, finding.examples.clone())).collect()
}

proptest! {
    #[test]
    fn nothing_is_found_where_nothing_is_wrong(steps in steps()) {
        let findings = judge(&evidence(&steps));
        prop_assert!(findings.is_clean(), "{findings:?}");
    }

    #[test]
    fn whatever_is_broken_is_found_as_what_it_is(steps in steps(), n in 0..DAMAGES.len()) {
        let (name, kind, damage) = DAMAGES[n];
        let mut evidence = evidence(&steps);
        damage(&mut evidence);
        let findings = judge(&evidence);
        prop_assert!(findings.count(kind) > 0, "not found: {name}; {findings:?}");
        let others = others(&findings, kind);
        prop_assert!(others.is_empty(), "{name} was found as something else: {others:?}");
    }
}

#[test]
fn a_message_that_is_stored_twice_is_doubled() {
    let mut evidence = evidence(&[]);
    let (_, _, id) = acknowledged(&evidence, Place::Lobby);
    let again = evidence.end + 7;
    for pages in evidence.pages.iter_mut().filter(|pages| pages.reader.is_none()) {
        let entry = pages.entries.iter().find(|entry| entry.id == id).copied().unwrap();
        pages.entries.push(Entry { id: again, ..entry });
    }
    let findings = judge(&evidence);
    assert_eq!(findings.count(Kind::Doubled), 1);
    assert!(others(&findings, Kind::Doubled).is_empty(), "{findings:?}");
}

#[test]
fn what_was_not_sent_after_a_gap_is_not_missing_but_what_came_behind_it_is() {
    let mut world = World::new();
    for who in [1, 2] {
        world.step(&Step::Enter { who });
    }
    let ids: Vec<u64> = (0..4).map(|_| world.say(2, Place::Room(0), true)).collect();
    let mut evidence = world.end();
    // User 1 was away for the first three, and was sent the last of them.
    let events = &mut evidence.testimonies[1].events;
    events.retain(|event| !matches!(event.what, What::Saw(seen) if ids[..3].contains(&seen.id)));
    let told = |event: &Event| matches!(event.what, What::Saw(seen) if seen.id == ids[3]);
    let at = events.iter().position(told).unwrap();
    let What::Saw(seen) = events[at].what else { unreachable!() };
    let (session, users) = (Session::Resumed, (0..6).collect());
    let mut welcome =
        Welcome { node: 1, session, users, messages: vec![seen], gaps: vec![0], left: vec![] };
    events[at].what = What::Welcomed(welcome.clone());
    assert!(judge(&evidence).is_clean(), "{:?}", judge(&evidence));
    welcome.gaps.clear();
    evidence.testimonies[1].events[at].what = What::Welcomed(welcome);
    assert_eq!(judge(&evidence).count(Kind::Missing), 3);
}

#[test]
fn of_a_long_past_the_newest_part_is_looked_at() {
    let mut world = World::new();
    for _ in 0..PAST + 10 {
        world.say(0, Place::Lobby, true);
    }
    world.step(&Step::Leave { who: 5, resumes: false });
    let mut evidence = world.end();
    let past = |evidence: &mut Evidence, change: &dyn Fn(&mut Vec<Seen>)| {
        let events = evidence.testimonies[5].events.iter_mut();
        let welcome = events.rev().find_map(|event| match &mut event.what {
            What::Welcomed(welcome) => Some(welcome),
            _ => None,
        });
        change(&mut welcome.unwrap().messages);
    };
    past(&mut evidence, &|messages| drop(messages.drain(..messages.len() - PAST)));
    assert!(judge(&evidence).is_clean(), "{:?}", judge(&evidence));
    let mut one_less = evidence.clone();
    past(&mut one_less, &|messages| {
        messages.remove(0);
    });
    // So few were all that it was told, and there were more.
    assert_eq!(judge(&one_less).count(Kind::Missing), 11);
    // One is skipped in the middle, so that one more of the old ones is kept.
    let log = evidence.pages[0].entries.clone();
    past(&mut evidence, &|messages| {
        messages.remove(PAST / 2);
        let before = log.iter().rfind(|entry| entry.id < messages[0].id).unwrap();
        messages.insert(0, Seen { id: before.id, print: before.print, side: Side::Lobby });
    });
    assert_eq!(judge(&evidence).count(Kind::Missing), 1);
}

#[test]
fn what_base_clients_saw_gets_the_ids_of_the_pages() {
    let mut evidence = evidence(&[]);
    let whole = evidence.clone();
    let forget = |seen: &mut Seen| seen.id = 0;
    for event in &mut evidence.testimonies[5].events {
        match &mut event.what {
            What::Saw(seen) => forget(seen),
            What::Welcomed(welcome) => welcome.messages.iter_mut().for_each(forget),
            _ => {}
        }
    }
    assert!(!judge(&evidence).is_clean());
    evidence.identify();
    assert!(judge(&evidence).is_clean(), "{:?}", judge(&evidence));
    let ids = |evidence: &Evidence| -> Vec<u64> {
        let events = evidence.testimonies[5].events.iter();
        events
            .filter_map(|event| if let What::Saw(seen) = event.what { Some(seen.id) } else { None })
            .collect()
    };
    assert_eq!(ids(&evidence), ids(&whole));
    // What is on no page is lost.
    let print = Print(9);
    let seen = What::Saw(Seen { id: 0, print, side: Side::Lobby });
    let last = evidence.testimonies[5].events.last().unwrap().at;
    evidence.testimonies[5].events.push(Event { at: last, what: seen });
    evidence.identify();
    let findings = judge(&evidence);
    assert_eq!(findings.count(Kind::Lost), 1);
    assert!(others(&findings, Kind::Lost).is_empty(), "{findings:?}");
}
