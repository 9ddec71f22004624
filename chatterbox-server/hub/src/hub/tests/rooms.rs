//! Many rooms under one clock, against a naive model: everybody gets what happened in their rooms while they were in them, in
//! one order for all; frames are shared by who is at one place of a room; and only one's own rooms can overtake one.

use std::collections::VecDeque;

use chatterbox_proto::{Capabilities, Capability};

use super::*;
use crate::{Batch, Identity, RoomId, View};

const USERS: usize = 5;
const ROOMS: usize = 4;
const LOBBY: usize = 0;

#[derive(Debug, Clone, Copy)]
enum Step {
    Join(usize, usize),
    Leave(usize),
    Enter(usize, usize),
    Exit(usize, usize),
    /// So many messages to a room.
    Say(usize, usize),
    Whisper(usize),
    Tell(usize),
    /// So many batches at most.
    Take(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..USERS;
    let room = 0..ROOMS;
    let step = prop_oneof![
        3 => (who.clone(), 0..View::COUNT).prop_map(|(who, view)| Step::Join(who, view)),
        1 => who.clone().prop_map(Step::Leave),
        5 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Enter(who, room)),
        3 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Exit(who, room)),
        8 => (room, 1..4_usize).prop_map(|(room, many)| Step::Say(room, many)),
        2 => who.clone().prop_map(Step::Whisper),
        1 => who.clone().prop_map(Step::Tell),
        6 => (who, 0..4_usize).prop_map(|(who, most)| Step::Take(who, most)),
    ];
    prop::collection::vec(step, 0..200)
}

/// One thing that a user is going to be told.
#[derive(Debug, Clone, PartialEq)]
struct Due {
    /// In which room, if it is not the user's own, and the how many-eth event there.
    at: Option<(usize, usize)>,
    text: String,
}

struct User {
    id: MemberId,
    rooms: [bool; ROOMS],
    due: VecDeque<Due>,
    /// The number of the newest message that it was told.
    last: u64,
}

/// The hub, and what it ought to do.
struct World {
    hub: Hub,
    ids: Vec<RoomId>,
    users: HashMap<usize, User>,
    /// How many events have happened in each room, and how many of them its ring holds at most.
    events: [usize; ROOMS],
    keeps: [usize; ROOMS],
    next: Sequence,
}

impl World {
    fn new(keeps: [usize; ROOMS]) -> Self {
        let limits = |events| TimelineLimits { events, bytes: 1 << 30 };
        let mut hub = Hub::new(limits(keeps[LOBBY]), Keep::default());
        let others = keeps[1..].iter().map(|events| hub.open_room(limits(*events)));
        let ids = std::iter::once(RoomId::LOBBY).chain(others).collect();
        Self { hub, ids, users: HashMap::new(), events: [0; ROOMS], keeps, next: 0 }
    }

    /// Something happens in a room.
    fn happens(&mut self, room: usize, text: &str, except: Option<usize>) {
        let at = Some((room, self.events[room]));
        self.events[room] += 1;
        for (who, user) in &mut self.users {
            if user.rooms[room] && Some(*who) != except {
                user.due.push_back(Due { at, text: text.to_owned() });
            }
        }
    }

    fn message(&mut self, to: Option<&str>) -> (Sequence, Record) {
        self.next += 1;
        (self.next, record("zed", to, &self.next.to_string()))
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(who, view) => self.join(who, view),
            Step::Leave(who) => {
                let Some(user) = self.users.remove(&who) else { return };
                let _ = self.hub.leave(user.id);
                self.happens(LOBBY, &format!("-{}", NAMES[who]), None);
            }
            Step::Enter(who, room) => {
                let Some(user) = self.users.get_mut(&who) else { return };
                assert!(self.hub.enter(user.id, self.ids[room]));
                user.rooms[room] = true;
            }
            Step::Exit(who, room) => {
                let Some(user) = self.users.get_mut(&who) else { return };
                self.hub.exit(user.id, self.ids[room]);
                user.rooms[room] = room == LOBBY;
            }
            Step::Say(room, many) => {
                for _ in 0..many {
                    let (id, record) = self.message(None);
                    if room == LOBBY {
                        let _ = self.hub.apply(id, record);
                    } else {
                        let wake = self.hub.announce_in(self.ids[room], Event::message(id, record));
                        assert_eq!(wake, Wake::All);
                    }
                    self.happens(room, &id.to_string(), None);
                }
            }
            Step::Whisper(who) => {
                let (id, record) = self.message(Some(NAMES[who]));
                let _ = self.hub.apply(id, record);
                self.own(who, id.to_string());
            }
            Step::Tell(who) => {
                let Some(user) = self.users.get(&who) else { return };
                let _ = self.hub.tell(user.id, Event::error("no"));
                self.own(who, "!no".to_owned());
            }
            Step::Take(who, most) => self.take(who, most),
        }
    }

    fn join(&mut self, who: usize, view: usize) {
        let text = NAMES[who];
        let agreed = views::agreed(view);
        let identity = Identity { agreed: Some(agreed), ..Identity::guest(name(text)) };
        let extra = br#""CAPABILITIES": """#;
        let request =
            JoinRequest { identity, extra, random: 5, ..JoinRequest::base(&name(text), "") };
        let joined = self.hub.admit(request);
        assert_eq!(joined.is_ok(), !self.users.contains_key(&who));
        let Ok(joined) = joined else { return };
        let mut rooms = [false; ROOMS];
        rooms[LOBBY] = true;
        let user = User { id: joined.id, rooms, due: VecDeque::new(), last: 0 };
        self.users.insert(who, user);
        self.happens(LOBBY, &format!("+{text}"), Some(who));
    }

    fn own(&mut self, who: usize, text: String) {
        if let Some(user) = self.users.get_mut(&who) {
            user.due.push_back(Due { at: None, text });
        }
    }

    /// Takes so many batches, which are the next that the user has to be told.
    fn take(&mut self, who: usize, most: usize) {
        let Some(user) = self.users.get_mut(&who) else { return };
        let clock = self.hub.clock();
        for _ in 0..most {
            let (frames, more) = match self.hub.take(user.id) {
                Delivery::Frames { frames, more } => (frames, more),
                Delivery::UpToDate => {
                    assert!(user.due.is_empty(), "{:?}", user.due);
                    break;
                }
                Delivery::Removed(why) => panic!("{why:?}"),
            };
            let known = self.hub.identity(user.id).unwrap().agreed.unwrap();
            let told = read(&frames, known);
            assert!(!told.is_empty(), "no batch is empty");
            for text in told {
                let due = user.due.pop_front();
                assert_eq!(Some(&text), due.as_ref().map(|due| &due.text));
                if let Ok(number) = text.parse() {
                    assert!(number > user.last, "numbers rise for each receiver");
                    user.last = number;
                }
            }
            assert_eq!(more, !user.due.is_empty());
            let lags = user.due.iter().any(|due| due.at.is_some());
            assert_eq!(self.hub.lags_behind(user.id, clock), lags);
        }
    }

    /// Removes those whom a ring has overtaken, and nobody else.
    fn evict(&mut self) {
        loop {
            let (events, keeps) = (&self.events, &self.keeps);
            let is_lost = |due: &Due| {
                due.at.is_some_and(|(room, place)| place < events[room].saturating_sub(keeps[room]))
            };
            let lost = self.users.iter().filter(|(_, user)| user.due.iter().any(is_lost));
            let mut lost: Vec<_> = lost.map(|(who, user)| (user.id, *who)).collect();
            lost.sort_unstable();
            let ids: Vec<_> = lost.iter().map(|(id, _)| *id).collect();
            assert_eq!(self.hub.evict_overtaken(0).overtaken, ids);
            for (id, who) in &lost {
                assert_eq!(self.hub.removal(*id), Some(Removal::TooSlow));
                let _ = self.hub.leave(*id);
                self.users.remove(who);
                self.happens(LOBBY, &format!("-{}", NAMES[*who]), None);
            }
            if lost.is_empty() {
                return;
            }
        }
    }
}

/// What a reader of frames is told. Beside messages are their numbers, where they are known.
fn read(frames: &Batch, known: Capabilities) -> Vec<String> {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    let mut all = Vec::new();
    for frame in frames.frames() {
        decoder.push(frame);
        while let Some(body) = decoder.next_body().unwrap() {
            let (frame, notes) = ServerFrame::parse_as(&body, known).unwrap();
            assert_eq!(notes.into_vec(), []);
            let ids = frame.keys.as_ref().and_then(|keys| keys.ids.as_ref());
            let numbers = ids.map(|ids| ids.iter().map(|id| id.unwrap().to_string()).collect());
            let messages = frame.messages.as_deref().unwrap_or_default();
            let contents: Vec<_> =
                messages.iter().map(|m| m.content.clone().into_owned()).collect();
            assert_eq!(numbers.unwrap_or_else(|| contents.clone()), contents);
            assert_eq!(ids.is_some(), known.has(Capability::Ids) && !contents.is_empty());
            all.extend(told(frame));
        }
    }
    all
}

proptest! {
    /// Rings that hold everything: nobody misses anything.
    #[test]
    fn everybody_gets_what_happened_in_their_rooms_in_one_order(steps in steps()) {
        let mut world = World::new([10_000; ROOMS]);
        for step in steps {
            world.step(step);
        }
        for who in 0..USERS {
            world.take(who, 10_000);
            prop_assert!(world.users.get(&who).is_none_or(|user| user.due.is_empty()));
        }
        world.evict();
    }

    /// Small rings: whoever misses something is removed, and nobody for what happened in a room that is not theirs, or was
    /// not at that time.
    #[test]
    fn those_overtaken_are_the_readers_of_the_room_that_has_grown(
        steps in steps(),
        keeps in prop::array::uniform4(4..12_usize),
    ) {
        let mut world = World::new(keeps);
        for step in steps {
            world.step(step);
            world.evict();
        }
    }
}

/// A member of a view who has taken everything.
fn reader(hub: &mut Hub, text: &str, view: usize) -> MemberId {
    let agreed = Some(views::agreed(view));
    let identity = Identity { agreed, ..Identity::guest(name(text)) };
    let extra = br#""CAPABILITIES": """#;
    let request = JoinRequest { identity, extra, ..JoinRequest::base(&name(text), "") };
    let id = hub.admit(request).unwrap().id;
    drain(hub, id);
    id
}

fn drain(hub: &mut Hub, id: MemberId) {
    while let Delivery::Frames { .. } = hub.take(id) {}
}

fn notice(size: usize) -> Event {
    Event::notice(Bytes::from(format!("\"{}\"", "x".repeat(size))))
}

/// Some of all rooms.
fn some_rooms() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 8)
}

proptest! {
    /// Members at one place of a room get one run, whatever quiet rooms they are in, and whatever they have read there.
    #[test]
    fn a_run_is_shared_whatever_else_its_readers_are_in(
        readers in prop::collection::vec((some_rooms(), 0..View::COUNT), 2..8),
        rounds in prop::collection::vec((prop::option::of(0..8_usize), 1..4_usize), 1..12),
        busy_is_lobby in any::<bool>(),
    ) {
        let mut hub = hub();
        let quiet: Vec<_> = (0..8).map(|_| hub.open_room(TimelineLimits::default())).collect();
        let busy = if busy_is_lobby { RoomId::LOBBY } else { hub.open_room(TimelineLimits::default()) };
        let ids: Vec<_> = readers
            .iter()
            .enumerate()
            .map(|(number, (_, view))| reader(&mut hub, &format!("user{number}"), *view))
            .collect();
        for (id, (rooms, _)) in ids.iter().zip(&readers) {
            drain(&mut hub, *id);
            prop_assert!(hub.enter(*id, busy));
            for (room, _) in quiet.iter().zip(rooms).filter(|(_, is_in)| **is_in) {
                prop_assert!(hub.enter(*id, *room));
            }
        }
        for (elsewhere, many) in rounds {
            if let Some(room) = elsewhere {
                let _ = hub.announce_in(quiet[room], notice(1));
                for id in &ids {
                    drain(&mut hub, *id);
                }
            }
            for _ in 0..many {
                let _ = hub.announce_in(busy, notice(2));
            }
            let mut by_view: HashMap<usize, Batch> = HashMap::new();
            for (id, (_, view)) in ids.iter().zip(&readers) {
                let Delivery::Frames { frames, more: false } = hub.take(*id) else { panic!() };
                let first = by_view.entry(*view).or_insert_with(|| frames.clone());
                prop_assert!(first.is_same(&frames));
            }
        }
    }

    /// The budget of all rings holds at every moment, what it counts is what is there, and a ring within its share loses
    /// nothing to others.
    #[test]
    fn no_flood_takes_anything_from_a_ring_within_its_share(
        said in prop::collection::vec((0..6_usize, 0..4000_usize), 0..300),
        budget in 2_000..60_000_usize,
    ) {
        let mut hub = hub();
        hub.rooms.rings.limit = budget;
        let rooms: Vec<_> =
            (0..6).map(|_| hub.open_room(TimelineLimits { events: 32, bytes: 20_000 })).collect();
        let ring = |hub: &Hub, room: RoomId| {
            let timeline = &hub.rooms.get(room).unwrap().timeline;
            (timeline.weight(), timeline.len())
        };
        for (room, size) in said {
            let before: Vec<_> = rooms.iter().map(|room| ring(&hub, *room)).collect();
            let _ = hub.announce_in(rooms[room], notice(size));
            let others = before.iter().enumerate().filter(|(other, _)| *other != room);
            let holders = 1 + others.clone().filter(|(_, (_, len))| *len > 0).count();
            for (other, (weight, len)) in others {
                let now = ring(&hub, rooms[other]);
                prop_assert!(now == (*weight, *len) || *weight > budget / holders);
            }
            // Others give way to a ring within its share, or to one new event.
            let now: Vec<_> = rooms.iter().map(|room| ring(&hub, *room)).collect();
            let mut others = before.iter().zip(&now).enumerate().filter(|(other, _)| *other != room);
            if others.any(|(_, (before, now))| before != now) {
                let holders = now.iter().filter(|(_, len)| *len > 0).count();
                let (weight, len) = now[room];
                prop_assert!(len <= 1 || weight <= budget / holders);
            }
            let held: usize = now.iter().map(|(weight, _)| weight).sum();
            prop_assert_eq!(hub.rooms.rings.held(), held);
            prop_assert!(held <= budget);
        }
    }
}

#[test]
fn what_is_ones_own_goes_among_the_events_of_the_lobby_and_of_no_other_room() {
    let mut hub = hub();
    let room = hub.open_room(TimelineLimits::default());
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, 0));
    drain(&mut hub, ann);
    assert!(hub.enter(ann, room) && hub.enter(bob, room));
    let _ = hub.announce_in(room, notice(1));
    let _ = hub.tell(ann, Event::error("no"));
    let _ = hub.announce_in(RoomId::LOBBY, notice(2));
    let mut take = |id| match hub.take(id) {
        Delivery::Frames { frames, more } => (frames, more),
        other => panic!("{other:?}"),
    };
    let ((first, true), (same, true)) = (take(ann), take(bob)) else { panic!() };
    assert!(first.is_same(&same), "whatever else is told to one of them");
    let ((second, false), (other, false)) = (take(ann), take(bob)) else { panic!() };
    assert_eq!((second.frames().len(), other.frames().len()), (2, 1));
    assert!(!second.is_same(&other));
}

#[test]
fn a_flood_in_one_room_overtakes_nobody_in_another() {
    let mut hub = hub();
    hub.rooms.rings.limit = 100_000;
    let limits = TimelineLimits { events: 1000, bytes: 80_000 };
    let (calm, flooded) = (hub.open_room(limits), hub.open_room(limits));
    let [ann, bob] = ["ann", "bob"].map(|text| reader(&mut hub, text, 0));
    drain(&mut hub, ann);
    assert!(hub.enter(ann, calm) && hub.enter(bob, flooded));
    for _ in 0..40 {
        let _ = hub.announce_in(calm, notice(1000));
    }
    for _ in 0..1000 {
        let _ = hub.announce_in(flooded, notice(1000));
    }
    assert_eq!(hub.evict_overtaken(0).overtaken, [bob]);
    let mut taken = 0;
    while let Delivery::Frames { frames, .. } = hub.take(ann) {
        taken += frames.frames().iter().map(Bytes::len).sum::<usize>();
    }
    assert!(taken > 40_000, "{taken}");
}

#[test]
fn a_room_beside_one_that_holds_the_budget_gets_its_share() {
    let mut hub = hub();
    hub.rooms.rings.limit = 100_000;
    let limits = TimelineLimits { events: 1000, bytes: 99_000 };
    let (full, fresh) = (hub.open_room(limits), hub.open_room(limits));
    for _ in 0..200 {
        let _ = hub.announce_in(full, notice(1000));
    }
    let ann = reader(&mut hub, "ann", 0);
    assert!(hub.enter(ann, fresh));
    for _ in 0..40 {
        let _ = hub.announce_in(fresh, notice(1000));
    }
    assert_eq!(hub.evict_overtaken(0).overtaken, []);
    drain(&mut hub, ann);
    assert_eq!(hub.evict_overtaken(0).overtaken, []);
}

#[test]
fn a_member_is_in_a_bounded_number_of_rooms_also_by_coming_and_going() {
    let mut hub = hub();
    let room = hub.open_room(TimelineLimits::default());
    let ann = reader(&mut hub, "ann", 0);
    let mut entered = 0;
    // What has happened meanwhile keeps each of its stays until it reads.
    while hub.enter(ann, room) {
        let _ = hub.announce_in(room, notice(1));
        hub.exit(ann, room);
        entered += 1;
        assert!(entered < 1000);
    }
    assert!(!hub.enter(ann, no_such_room()));
    drain(&mut hub, ann);
    assert!(hub.enter(ann, room), "what was handed out is forgotten");
    assert_eq!(hub.announce_in(no_such_room(), notice(1)), Wake::Nobody);
}

fn no_such_room() -> RoomId {
    RoomId(1000)
}

#[test]
fn runs_of_all_rooms_together_are_bounded() {
    let mut hub = hub();
    let limits = TimelineLimits { events: 10, bytes: 1 << 20 };
    let ann = reader(&mut hub, "ann", 0);
    let rooms: Vec<_> = (0..40).map(|_| hub.open_room(limits)).collect();
    for room in &rooms {
        assert!(hub.enter(ann, *room));
    }
    let mut newest = None;
    for room in &rooms {
        let _ = hub.announce_in(*room, notice(1 << 19));
        let Delivery::Frames { frames, more: false } = hub.take(ann) else { panic!() };
        newest = Some(frames);
    }
    let kept: usize = rooms.iter().map(|room| hub.rooms.get(*room).unwrap().runs.bytes()).sum();
    assert!(kept <= 8 << 20, "{kept}");
    assert!(newest.unwrap().is_shared(), "the newest is kept");
    assert_eq!(hub.waiting(), 0, "nobody is writing the others");
}

/// A run that only a slow reader of a room holds counts as waiting, and its holder is the one who goes for it.
#[test]
fn who_holds_an_old_run_of_a_room_goes_when_runs_are_too_much() {
    let mut hub = hub().with_budget(300_000);
    let limits = TimelineLimits { events: 100, bytes: 1 << 20 };
    let [room, other, quiet] = [(); 3].map(|()| hub.open_room(limits));
    let [slow, fast, late] = ["slow", "fast", "late"].map(|text| reader(&mut hub, text, 0));
    for id in [slow, fast, late] {
        drain(&mut hub, id);
        assert!(hub.enter(id, room) && hub.enter(id, other));
    }
    // Is further behind, but what it holds is kept for whoever else comes.
    assert!(hub.enter(late, quiet));
    let _ = hub.announce_in(quiet, notice(10));
    let also_held = hub.take(late);
    let _ = hub.announce_in(room, notice(400_000));
    let held = hub.take(slow);
    drain(&mut hub, fast);
    assert_eq!(hub.keep_within_budget(), [], "somebody may still come for it");
    let mut removed = Vec::new();
    for _ in 0..10 {
        let _ = hub.announce_in(room, notice(10));
        let _ = hub.announce_in(other, notice(10));
        drain(&mut hub, fast);
        removed.extend(hub.keep_within_budget());
    }
    assert_eq!(removed, [slow]);
    drop((held, also_held));
}
