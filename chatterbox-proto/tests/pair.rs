//! The two state machines talking to each other, without a socket: what one writes, the other understands, however the
//! bytes are cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may be blunt")]

use bytes::Bytes;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::json::Object;
use chatterbox_proto::session::{
    ClientSession, Destination, Event, JoinedAction, JoinedSession, JoiningAction, JoiningSession,
    Message,
};
use chatterbox_proto::{
    Capabilities, ClientFrame, Entry, Refusal, Username, client_frame, limits, server_frame,
};
use proptest::prelude::*;

/// A connection of the server, before and after its name was accepted.
enum State {
    Joining(JoiningSession),
    Joined(JoinedSession),
}

/// A server with one connection: it grants every name but `taken`, and echoes what goes to ALL.
struct Server {
    state: State,
    decoder: Decoder,
    out: Vec<u8>,
}

impl Server {
    fn new() -> Self {
        Self {
            state: State::Joining(JoiningSession::new(limits::USERNAME_CHARS, Capabilities::NONE)),
            decoder: Decoder::new(limits::CLIENT_FRAME),
            out: Vec::new(),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
        while let Some(body) = self.decoder.next_body().unwrap() {
            let frame = ClientFrame::parse(&body);
            match &mut self.state {
                State::Joining(session) => {
                    let actions = session.receive(frame);
                    self.join(actions);
                }
                State::Joined(session) => {
                    let actions = session.receive(frame);
                    self.act(actions);
                }
            }
        }
    }

    fn join(&mut self, actions: Vec<JoiningAction<'_>>) {
        for action in actions {
            match action {
                JoiningAction::Claim(claim) => {
                    let (name, messages) = (claim.name, claim.messages);
                    let State::Joining(session) = &mut self.state else { panic!() };
                    if name == Username::parse("taken").unwrap() {
                        let next = session.refused(Refusal::Taken, messages);
                        self.join(next);
                        continue;
                    }
                    let welcome = Object::with_capacity(64)
                        .boolean("USERNAME_ACCEPTED", true)
                        .list("USER_LIST", [chatterbox_proto::json::string(name.as_str())])
                        .list::<Bytes>("MESSAGES", [])
                        .finish();
                    self.out.extend(welcome.unwrap());
                    let (session, next) = session.accepted(name, messages);
                    self.state = State::Joined(session);
                    self.act(next);
                }
                JoiningAction::Refuse(refusal) => {
                    self.out.extend(server_frame::refused(&refusal).unwrap());
                }
                JoiningAction::Error(faults) => {
                    self.out.extend(server_frame::error(&faults).unwrap());
                }
                JoiningAction::Close => {}
            }
        }
    }

    fn act(&mut self, actions: Vec<JoinedAction<'_>>) {
        for action in actions {
            match action {
                JoinedAction::Post(postings) => {
                    let public: Vec<Entry<'_>> = postings
                        .into_iter()
                        .filter(|posting| posting.destination == Destination::All)
                        .map(|posting| posting.entry)
                        .collect();
                    self.out.extend(client_frame::say(&public).unwrap());
                }
                JoinedAction::Error(faults) => {
                    self.out.extend(server_frame::error(&faults).unwrap());
                }
                JoinedAction::ReadOn(_) => panic!("no frame here has so many messages"),
                JoinedAction::Request(_) => {}
            }
        }
    }
}

/// Sends bytes cut into pieces of the given sizes, over and over.
fn in_pieces<'a>(bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    sizes.iter().cycle().map_while(move |size| {
        if rest.is_empty() {
            return None;
        }
        let (piece, tail) = rest.split_at((*size).clamp(1, rest.len()));
        rest = tail;
        Some(piece)
    })
}

fn answer(
    server: &mut Server,
    client: &mut ClientSession,
    frame: &[u8],
    sizes: &[usize],
) -> Vec<Event> {
    for piece in in_pieces(frame, sizes) {
        server.push(piece);
    }
    let out = std::mem::take(&mut server.out);
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    let mut events = Vec::new();
    for piece in in_pieces(&out, sizes) {
        decoder.push(piece);
        while let Some(body) = decoder.next_body().unwrap() {
            events.extend(client.receive(&body));
        }
    }
    events
}

#[test]
fn refused_then_accepted_then_an_error() {
    let (mut server, mut client) = (Server::new(), ClientSession::new());
    let frame = client.join("taken").unwrap();
    let events = answer(&mut server, &mut client, &frame, &[3]);
    assert!(matches!(&events[..], [Event::Refused { info: Some(_), .. }]));
    let frame = client.join("a b").unwrap();
    let events = answer(&mut server, &mut client, &frame, &[3]);
    assert!(matches!(&events[..], [Event::Refused { info: Some(_), .. }]));
    let frame = client.join("ann").unwrap();
    let events = answer(&mut server, &mut client, &frame, &[3]);
    assert!(matches!(&events[..], [Event::Accepted { .. }, Event::Welcomed]), "{events:?}");
    let spoofed = Entry {
        source: "bob".into(),
        destination: "ALL".into(),
        timestamp: 1,
        content: "x".into(),
    };
    let frame = client_frame::say([&spoofed]).unwrap();
    let events = answer(&mut server, &mut client, &frame, &[3]);
    let [Event::Error(text)] = &events[..] else { panic!("{events:?}") };
    assert!(text.as_wire().contains("MESSAGES[0]") && text.as_wire().contains("SR-1"));
}

proptest! {
    #[test]
    fn whatever_is_said_arrives_once_and_whole(
        name in "[a-z]{1,12}",
        contents in prop::collection::vec(any::<String>(), 1..5),
        sizes in prop::collection::vec(1_usize..50, 1..5),
    ) {
        let (mut server, mut client) = (Server::new(), ClientSession::new());
        prop_assume!(!["all", "server", "taken"].contains(&name.as_str()));
        let frame = client.join(&name).unwrap();
        answer(&mut server, &mut client, &frame, &sizes);
        prop_assert_eq!(client.me(), Some(name.as_str()));
        for content in contents {
            // Another client under the same session state, so that the echo is seen.
            let entry = Entry {
                source: name.clone().into(),
                destination: "ALL".into(),
                timestamp: 7,
                content: content.clone().into(),
            };
            let frame = client_frame::say([&entry]).unwrap();
            let events = answer(&mut server, &mut client, &frame, &sizes);
            prop_assert_eq!(events, vec![Event::Message(Message::from(entry))]);
            // Said through the session, the echo is swallowed.
            let frame = client.say(None, &content, 7).unwrap().frame.unwrap();
            prop_assert_eq!(answer(&mut server, &mut client, &frame, &sizes), vec![]);
        }
    }
}
