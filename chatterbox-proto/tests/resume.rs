//! A session whose connections are cut at any frame, in either direction: what is said is stored once and in order, what is
//! heard is heard once and in order (ID-5, ID-7).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]

use bytes::Bytes;
use chatterbox_proto::capability::ids;
use chatterbox_proto::json::{self, Object};
use chatterbox_proto::session::{
    Claim, ClientSession, Destination, Event, JoinedAction, JoinedSession, JoiningAction,
    JoiningSession, Posting,
};
use chatterbox_proto::{Capabilities, Capability, ClientFrame, Entry, limits};
use proptest::prelude::*;

fn spoken() -> Capabilities {
    Capabilities::NONE.with(Capability::Ids)
}

/// A connection of the server, before and after its name was accepted.
enum State {
    Joining(JoiningSession),
    Joined(JoinedSession),
}

/// A server that keeps one user's session, its tags, and everything that was said.
struct Server {
    state: State,
    history: Vec<Entry<'static>>,
    tags: Vec<(String, u64)>,
    /// Whether it still knows the session when its user comes back.
    remembers: bool,
}

impl Server {
    fn new(remembers: bool) -> Self {
        let state = State::Joining(JoiningSession::new(limits::USERNAME_CHARS, spoken()));
        Self { state, history: Vec::new(), tags: Vec::new(), remembers }
    }

    /// A new connection.
    fn connected(&mut self) {
        self.state = State::Joining(JoiningSession::new(limits::USERNAME_CHARS, spoken()));
    }

    fn frame(&self, object: Object, from: usize, to: usize) -> Object {
        let messages = self.history[from..to].iter().map(Entry::to_json);
        let ids = (from + 1..=to).map(|id| id.to_string());
        object.list("MESSAGES", messages).list("IDS", ids)
    }

    /// Somebody else says something.
    fn other(&mut self, content: &str) -> Bytes {
        self.history.push(Entry {
            source: "bob".into(),
            destination: "ALL".into(),
            timestamp: 5,
            content: content.to_owned().into(),
        });
        let last = self.history.len();
        self.frame(Object::with_capacity(64), last - 1, last).finish().unwrap()
    }

    fn takes(&mut self, frame: &[u8]) -> Vec<Bytes> {
        let body = frame[4..].to_vec();
        match &mut self.state {
            State::Joining(session) => {
                let claim = match session.receive(ClientFrame::parse(&body)).pop() {
                    Some(JoiningAction::Claim(claim)) => claim,
                    other => panic!("{other:?}"),
                };
                let (joined, _) = session.accepted(claim.name.clone(), None);
                self.state = State::Joined(joined);
                vec![self.welcome(*claim)]
            }
            State::Joined(session) => {
                let frame = ClientFrame::parse_as(&body, session.known());
                let actions = session.receive(frame).into_iter();
                let postings = actions.flat_map(|action| match action {
                    JoinedAction::Post(postings) => postings,
                    other => panic!("{other:?}"),
                });
                postings.collect::<Vec<_>>().into_iter().flat_map(|said| self.post(said)).collect()
            }
        }
    }

    fn welcome(&mut self, claim: Claim<'_>) -> Bytes {
        let known = self.remembers && claim.resume.is_some();
        let after = claim.resume.filter(|_| known).map_or(0, |resume| resume.after);
        if !known {
            self.tags.clear();
        }
        let welcome = Object::with_capacity(64)
            .boolean("USERNAME_ACCEPTED", true)
            .list("USER_LIST", [json::string("ann")]);
        let after = usize::try_from(after).unwrap();
        let welcome = self
            .frame(welcome, after, self.history.len())
            .string("CAPABILITIES", &claim.agreed.unwrap().to_string())
            .string("RESUME", "token")
            .boolean("RESUMED", known);
        welcome.finish().unwrap()
    }

    fn post(&mut self, posting: Posting<'_>) -> Vec<Bytes> {
        assert_eq!(posting.destination, Destination::All);
        let tag = posting.tag.unwrap().into_owned();
        let object = Object::with_capacity(64);
        if let Some((_, id)) = self.tags.iter().find(|(known, _)| *known == tag) {
            return vec![ids::acks([(tag.as_str(), *id)]).finish().unwrap()];
        }
        self.history.push(posting.entry.into_owned());
        let last = self.history.len();
        self.tags.push((tag.clone(), last as u64));
        vec![
            self.frame(object, last - 1, last).finish().unwrap(),
            ids::acks([(tag.as_str(), last as u64)]).finish().unwrap(),
        ]
    }
}

/// The two and what is between them: frames that are under way, and how many each direction lets through before it is cut.
struct World {
    server: Server,
    client: ClientSession,
    heard: Vec<String>,
    there: usize,
    back: usize,
}

impl World {
    fn new(remembers: bool) -> Self {
        let client = ClientSession::offering(spoken());
        let mut world = Self {
            server: Server::new(remembers),
            client,
            heard: Vec::new(),
            there: usize::MAX,
            back: usize::MAX,
        };
        let frame = world.client.join("ann").unwrap();
        world.sends(&frame);
        world
    }

    fn sends(&mut self, frame: &[u8]) {
        if self.there == 0 {
            return;
        }
        self.there -= 1;
        for answer in self.server.takes(frame) {
            self.gets(&answer);
        }
    }

    fn gets(&mut self, frame: &[u8]) {
        if self.back == 0 {
            return;
        }
        self.back -= 1;
        for event in self.client.receive(&frame[4..]) {
            match event {
                Event::Message(message) | Event::Missed(message) => {
                    self.heard.push(message.content.as_wire().to_owned());
                }
                Event::Rejoined { complete, .. } => {
                    assert!(complete);
                    for frame in self.client.resend() {
                        self.sends(&frame);
                    }
                }
                Event::Accepted { .. }
                | Event::History(_)
                | Event::Welcomed
                | Event::Stored { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The connection is gone; the next one lets so many frames through in each direction.
    fn cut(&mut self, there: usize, back: usize) {
        self.client.disconnected();
        self.server.connected();
        (self.there, self.back) = (there, back);
        let frame = self.client.resume(None).unwrap();
        self.sends(&frame);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Say,
    Hear,
    Cut(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Say),
        3 => Just(Step::Hear),
        2 => (0..8_usize, 0..8_usize).prop_map(|(there, back)| Step::Cut(there, back)),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(steps in steps(), remembers in any::<bool>()) {
        let mut world = World::new(remembers);
        let (mut said, mut others) = (Vec::new(), Vec::new());
        // Without anything seen, a history can't be told from another one.
        for (number, step) in std::iter::once(Step::Hear).chain(steps).enumerate() {
            match step {
                Step::Say => {
                    let text = format!("said {number}");
                    if let Some(frame) = world.client.say(None, &text, 5).unwrap().frame {
                        world.sends(&frame);
                    }
                    said.push(text);
                }
                Step::Hear => {
                    let text = format!("heard {number}");
                    let frame = world.server.other(&text);
                    // Who has not joined gets nothing live.
                    if matches!(world.server.state, State::Joined(_)) {
                        world.gets(&frame);
                    }
                    others.push(text);
                }
                Step::Cut(there, back) => world.cut(there, back),
            }
        }
        world.cut(usize::MAX, usize::MAX);
        let stored: Vec<_> = world.server.history.iter()
            .filter(|entry| entry.source == "ann")
            .map(|entry| entry.content.clone().into_owned())
            .collect();
        prop_assert_eq!(stored, said);
        prop_assert_eq!(world.heard, others);
        prop_assert_eq!(world.client.unanswered(), 0);
    }
}
