//! Many rooms under one clock, against a naive model: everybody gets what happened in their rooms while they were in them, in
//! one order for all, and only one's own rooms can overtake one.

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
                        let wake =
                            self.hub.announce_in(self.ids[room], Event::message(id, record, None));
                        assert_eq!(wake, Wake::Room(self.ids[room]));
                        let readers = self.hub.readers(self.ids[room]);
                        let here = self.users.values().filter(|user| user.rooms[room]);
                        let mut here: Vec<_> = here.map(|user| user.id).collect();
                        here.sort_unstable();
                        assert_eq!(*readers, here, "nobody else is woken");
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
                Delivery::Frames { frames, more, .. } => (frames, more),
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
