//! The model against a naive list: whatever happens in whatever order, messages stand by their numbers and once, unread counts are
//! right, the marker never moves under somebody who reads, and nothing exceeds its bounds.

use std::collections::BTreeSet;

use chatterbox_proto::WireText;
use proptest::prelude::*;

use super::*;
use crate::model::{Body, Conversation, Hole, Key, Limits, Model, Older};

const ME: &str = "ann";

/// A page has no more messages.
const PAGE: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Hear { at: usize, named: bool },
    Miss { at: usize },
    Say { at: usize },
    Ack,
    Repeat { at: usize },
    Older { at: usize, comes: bool },
    Fill { at: usize, comes: bool },
    Move { joined: bool, user: u8 },
    Note,
    Rename,
    Bring { at: usize },
    See(bool),
    Lose,
    Back { complete: bool },
    Clear { back: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || 0..3_usize;
    let step = prop_oneof![
        8 => (at(), any::<bool>()).prop_map(|(at, named)| Step::Hear { at, named }),
        2 => at().prop_map(|at| Step::Miss { at }),
        2 => at().prop_map(|at| Step::Say { at }),
        2 => Just(Step::Ack),
        1 => at().prop_map(|at| Step::Repeat { at }),
        2 => (at(), prop::bool::weighted(0.8)).prop_map(|(at, comes)| Step::Older { at, comes }),
        2 => (at(), prop::bool::weighted(0.8)).prop_map(|(at, comes)| Step::Fill { at, comes }),
        3 => (any::<bool>(), 0..3_u8).prop_map(|(joined, user)| Step::Move { joined, user }),
        1 => Just(Step::Note),
        1 => Just(Step::Rename),
        3 => at().prop_map(|at| Step::Bring { at }),
        2 => any::<bool>().prop_map(Step::See),
        1 => Just(Step::Lose),
        2 => any::<bool>().prop_map(|complete| Step::Back { complete }),
        1 => (0..10_u64).prop_map(|back| Step::Clear { back }),
    ];
    prop::collection::vec(step, 0..80)
}

/// What is known of one conversation without any model.
#[derive(Debug, Default)]
struct Naive {
    /// Everything that was said, with its sender.
    log: Vec<(u64, bool)>,
    /// What has reached this user and is not cleared.
    known: BTreeSet<u64>,
    /// What came and was not seen; with whether it concerns the user.
    unseen: Vec<(u64, bool)>,
    floor: u64,
}

struct Field {
    model: Model,
    naive: [Naive; 3],
    bob: &'static str,
    front: usize,
    seeing: bool,
    last: u64,
    tags: u64,
    waiting: Vec<(String, usize)>,
}

fn wire(text: &str) -> Wire {
    WireText::new(text.to_owned())
}

impl Field {
    fn new(limits: Limits) -> Self {
        let mut field = Self {
            model: Model::new(limits),
            naive: Default::default(),
            bob: "bob",
            front: 0,
            seeing: true,
            last: 100,
            tags: 0,
            waiting: Vec::new(),
        };
        // Before this user came, something was said everywhere.
        for at in [0, 1, 2, 0, 1, 2, 0, 1, 2, 0] {
            field.last += 1;
            field.naive[at].log.push((field.last, false));
        }
        field.model.room("#lab", 1, "");
        field
    }

    fn target(&self, at: usize) -> Target {
        match at {
            0 => Target::Lobby,
            1 => Target::Room("#lab".to_owned()),
            _ => Target::User(self.bob.to_owned()),
        }
    }

    fn apply(&mut self, output: &Output) {
        self.model.apply(output, ME, NOW);
    }

    fn message(&self, at: usize, id: Option<u64>, own: bool, kind: MessageKind) -> Message {
        let to = match (at, own) {
            (0, _) => None,
            (1, _) => Some(wire("#lab")),
            (_, true) => Some(wire(self.bob)),
            (_, false) => Some(wire(ME)),
        };
        // Each third one names the user, as `named` says of those that are heard.
        let text = match id {
            Some(id) if id % 3 == 0 => format!("m{id}, ann"),
            Some(id) => format!("m{id}"),
            None => "mine".to_owned(),
        };
        Message {
            when: String::new(),
            time: NOW,
            from: wire(if own { ME } else { self.bob }),
            own,
            in_room: at == 1,
            to,
            text: wire(&text),
            id,
            taken: None,
            tag: None,
            quote: None,
            file: None,
            mentions: Vec::new(),
            mention: !own && (at == 2 || text.contains("ann")),
            named: false,
            kind,
            lock: Lock::Open,
        }
    }

    fn heard(&mut self, at: usize, id: u64, kind: MessageKind) {
        self.apply(&Output::Message(self.message(at, Some(id), false, kind)));
        let naive = &mut self.naive[at];
        if naive.known.insert(id) && !(self.seeing && self.front == at) {
            naive.unseen.push((id, at == 2 || id.is_multiple_of(3)));
        }
    }

    /// A page before a number, or the newest one, comes or is lost.
    fn page(&mut self, at: usize, hole: Option<Key>, comes: bool) {
        let target = self.target(at);
        if !self.model.may_ask(&target, hole, PAGE, NOW) {
            return;
        }
        let before = self.model.asks_before(&target, hole);
        self.model.asked(&target, hole, NOW);
        assert!(!self.model.may_ask(&target, hole, PAGE, NOW), "it is asked for once");
        assert!(self.model.may_ask(&target, hole, PAGE, NOW + 60), "it is not waited for longer");
        if !comes {
            return self.lost();
        }
        let floor = self.naive[at].floor;
        let older = self.naive[at].log.iter().copied();
        let older: Vec<_> = older
            .filter(|(id, _)| *id > floor && before.is_none_or(|before| *id < before))
            .collect();
        let page = &older[older.len().saturating_sub(PAGE)..];
        self.model.page_comes(&target);
        for (id, own) in page {
            let mut message = self.message(at, Some(*id), *own, MessageKind::History);
            if *own {
                message.text = wire("mine");
            }
            self.apply(&Output::Message(message));
            self.naive[at].known.insert(*id);
        }
        let with = wire(target.wire());
        let more = older.len() > PAGE;
        self.apply(&Output::Page { with, count: page.len(), more, code: None });
    }

    fn lost(&mut self) {
        let why = String::new();
        self.apply(&Output::ConnectionLost { why, wait: Duration::ZERO, waiting: 0 });
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Hear { at, named } => {
                self.last += if named { 3 - self.last % 3 } else { 1 };
                self.naive[at].log.push((self.last, false));
                self.heard(at, self.last, MessageKind::Live);
            }
            Step::Miss { at } => {
                self.last += 1;
                self.naive[at].log.push((self.last, false));
            }
            Step::Say { at } => {
                self.tags += 1;
                let tag = self.tags.to_string();
                let mut message = self.message(at, None, true, MessageKind::Own);
                message.tag = Some(tag.clone());
                self.apply(&Output::Message(message));
                self.waiting.push((tag, at));
            }
            Step::Ack if !self.waiting.is_empty() => {
                let (tag, at) = self.waiting.remove(0);
                self.last += 1;
                self.naive[at].log.push((self.last, true));
                self.naive[at].known.insert(self.last);
                self.apply(&Output::Stored { tag, id: self.last });
            }
            Step::Ack => {}
            // Behind a hole the session itself knows nothing that was before.
            Step::Repeat { at } => {
                if self.conversation(at).is_some_and(|one| stretches(one).len() == 1)
                    && let Some((id, false)) = self.naive[at].log.last().copied()
                    && self.naive[at].known.contains(&id)
                {
                    self.heard(at, id, MessageKind::Missed);
                }
            }
            Step::Older { at, comes } => self.page(at, None, comes),
            Step::Fill { at, comes } => {
                let one = self.model.conversation(&self.target(at));
                let hole = one.and_then(|one| {
                    let is_open = |body: &Body| matches!(body, Body::Hole(Hole::Open));
                    one.timeline.iter().rev().find(|item| is_open(&item.body))
                });
                if let Some(hole) = hole.map(|hole| hole.key) {
                    self.page(at, Some(hole), comes);
                }
            }
            Step::Move { joined, user } => {
                let name = wire(&format!("user{user}"));
                self.apply(&if joined { Output::Joined(name) } else { Output::Left(name) });
            }
            Step::Note => self.apply(&Output::note("something")),
            Step::Rename => {
                let new = if self.bob == "bob" { "robert" } else { "bob" };
                self.apply(&Output::Renamed { old: wire(self.bob), new: wire(new) });
                self.bob = new;
            }
            Step::Bring { at } => {
                self.model.bring(&self.target(at));
                if self.front != at && self.seeing {
                    self.naive[at].unseen.clear();
                }
                self.front = at;
            }
            Step::See(seeing) => {
                self.model.see(seeing);
                self.seeing = seeing;
                if seeing {
                    self.naive[self.front].unseen.clear();
                }
            }
            Step::Lose => self.lost(),
            Step::Back { complete } => self.apply(&Output::Resumed { missed: 0, complete }),
            Step::Clear { back } => {
                let floor = self.last.saturating_sub(back);
                self.model.clear(&self.target(1), floor);
                let naive = &mut self.naive[1];
                naive.floor = naive.floor.max(floor);
                naive.known.retain(|id| *id > floor);
                naive.unseen.retain(|(id, _)| *id > floor);
            }
        }
    }

    fn conversation(&self, at: usize) -> Option<&Conversation> {
        self.model.conversation(&self.target(at))
    }
}

/// The numbers of a conversation, stretch by stretch.
fn stretches(one: &Conversation) -> Vec<Vec<u64>> {
    let mut stretches = vec![Vec::new()];
    for item in one.timeline.iter() {
        match &item.body {
            Body::Speech(speech) => stretches.last_mut().unwrap().extend(speech.id),
            Body::Hole(_) => stretches.push(Vec::new()),
            _ => {}
        }
    }
    stretches
}

fn check_order(field: &Field) {
    let mut sums = (0, 0);
    for one in field.model.conversations() {
        sums.0 += one.timeline.len();
        sums.1 += one.timeline.bytes_for_test();
        for stretch in stretches(one) {
            assert!(stretch.is_sorted_by(|a, b| a < b), "{:?}: {stretch:?}", one.target);
        }
        for item in one.timeline.iter() {
            let place = one.timeline.place(item.key).unwrap();
            assert_eq!(one.timeline.item(place).unwrap().key, item.key);
        }
    }
    assert_eq!(field.model.counts(), sums, "what is counted is what is there");
}

proptest! {
    #[test]
    fn a_model_is_what_a_naive_list_says(steps in steps()) {
        let mut field = Field::new(Limits::USUAL);
        for step in &steps {
            let before = (field.front, field.seeing, field.conversation(field.front).and_then(|one| one.marker));
            field.step(step);
            check_order(&field);
            if before.1 && (before.0, before.1) == (field.front, field.seeing) && !matches!(step, Step::Clear { .. }) {
                let marker = field.conversation(field.front).and_then(|one| one.marker);
                // The item that it stands behind may go: somebody came and went again, or an own message has got its number.
                let vanished = matches!(step, Step::Move { .. } | Step::Ack);
                prop_assert!(marker == before.2 || vanished, "the marker moved while one reads, by {:?}", step);
            }
            for at in 0..3 {
                let naive = &field.naive[at];
                let Some(one) = field.conversation(at) else {
                    prop_assert!(naive.known.is_empty());
                    continue;
                };
                let numbers: Vec<_> = stretches(one).into_iter().flatten().collect();
                let set: BTreeSet<_> = numbers.iter().copied().collect();
                prop_assert_eq!(&set, &naive.known, "what came is there");
                prop_assert_eq!(set.len(), numbers.len(), "once");
                prop_assert_eq!(one.unread, naive.unseen.len(), "unread at {}", at);
                let concerned = naive.unseen.iter().filter(|(_, concerns)| *concerns).count();
                prop_assert_eq!(one.mentions, concerned, "mentions at {}", at);
                let marker = one.marker.and_then(|marker| one.timeline.place(marker));
                prop_assert_eq!(marker.is_some(), one.marker.is_some(), "the marker stands somewhere");
                for (place, item) in one.timeline.iter().enumerate() {
                    let Body::Speech(speech) = &item.body else { continue };
                    let unseen = naive.unseen.iter().any(|(id, _)| Some(*id) == speech.id);
                    prop_assert!(!unseen || marker.is_none_or(|marker| marker < place), "what is unread is behind the marker");
                }
            }
        }
        // Once nothing is lost any more, pages bring everything.
        for at in 0..3 {
            for _ in 0..100 {
                let before = field.naive[at].known.len();
                field.step(&Step::Fill { at, comes: true });
                field.step(&Step::Older { at, comes: true });
                if field.naive[at].known.len() == before { break }
            }
            check_order(&field);
            if let Some(one) = field.conversation(at) {
                prop_assert_eq!(one.older, Older::Beginning);
            }
        }
    }

    #[test]
    fn nothing_exceeds_its_bounds(steps in steps()) {
        let limits = Limits { items: 6, all_items: 12, bytes: 400, users: 1, rooms: 1 };
        let mut field = Field::new(limits);
        for step in &steps {
            field.step(step);
            check_order(&field);
            let (items, bytes) = field.model.counts();
            prop_assert!(items <= limits.all_items && bytes <= limits.bytes, "{} items, {} bytes", items, bytes);
            for one in field.model.conversations() {
                prop_assert!(one.timeline.len() <= limits.items);
                prop_assert!(one.marker.is_none_or(|marker| one.timeline.place(marker).is_some()));
            }
        }
    }
}
