//! A world in which connections are cut at any place and servers restarted: what is said in the lobby and in a room is shown
//! once, and in its order (ID-7, RH-6).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::rooms::pipes;
use super::*;

/// Of a room at most so many messages are in the welcome of a resumed session, and a page has no more.
const REPLAY: usize = 2;
const PAGE: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// Somebody says something in the lobby, or in the room.
    Hear { in_room: bool },
    /// The server answers the oldest request for a page.
    Answer,
    /// The connection is lost.
    Lose,
    /// There is a connection again, to a server that still knows the session or does not.
    Back { resumes: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any::<bool>().prop_map(|in_room| Step::Hear { in_room }),
        2 => Just(Step::Answer),
        2 => Just(Step::Lose),
        3 => any::<bool>().prop_map(|resumes| Step::Back { resumes }),
    ];
    prop::collection::vec(step, 0..60)
}

/// The server, and what the app has shown.
struct World {
    app: App,
    connected: bool,
    /// Everything that was said; the id is the place, from 1 on.
    log: Vec<&'static str>,
    /// The requests for pages on this connection: the ids behind which they begin.
    asked: Vec<usize>,
    /// The place of the last frame with the name: what was seen by then.
    after: usize,
    shown: Vec<(String, u64)>,
}

impl World {
    fn new() -> Self {
        let offer = crate::spoken();
        let app = App::new(Options { offer, ..pipes() }, TimeFormatter::new(TimeZone::UTC));
        let mut world = Self {
            app,
            connected: true,
            log: vec!["ALL"],
            asked: Vec::new(),
            after: 0,
            shown: Vec::new(),
        };
        let effects = world.app.typed("ann", InputMode::Name, NOW);
        world.take(effects);
        world.welcome(None);
        world
    }

    /// The messages with these ids, as the members of an object.
    fn object(&self, ids: &[usize]) -> Value {
        let tuple = |id: &usize| json!(["bob", self.log.get(id - 1), 1, format!("m{id}")]);
        json!({"MESSAGES": ids.iter().map(tuple).collect::<Vec<_>>(), "IDS": ids})
    }

    fn ids(&self, room: &str, after: usize) -> Vec<usize> {
        let said = self.log.iter().enumerate().filter(|(_, said)| **said == room);
        said.map(|(place, _)| place + 1).filter(|id| *id > after).collect()
    }

    fn welcome(&mut self, resumed: Option<bool>) {
        let after = if resumed == Some(true) { self.after } else { 0 };
        let mut ids = self.ids("ALL", after);
        let missed = self.ids("#lab", after);
        let newest = missed.len().saturating_sub(REPLAY);
        if resumed == Some(true) {
            ids.extend(missed.iter().skip(newest));
            ids.sort_unstable();
        }
        let mut room = json!({"ROOM": "#lab", "NUMBER": 1_000_000, "LEVEL": 0, "TOPIC": "", "ROSTER": true, "USERS": ["ann"], "COUNT": 1,
            "KEEP": "all", "TALK": 0, "LAST": self.ids("#lab", 0).last().copied().unwrap_or_default()});
        if resumed == Some(true) && newest > 0 {
            room["GAP"] = true.into();
        }
        let mut frame = self.object(&ids);
        let more = json!({"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "RESUME": "session", "DEFAULT": "ALL", "ROOMS": [room],
            "CAPABILITIES": "commands/1 ids/1 rename/1 rooms/1"});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if let Some(resumed) = resumed {
            frame["RESUMED"] = resumed.into();
        }
        self.gets(&frame);
    }

    fn gets(&mut self, frame: &Value) {
        let mut effects = self.app.received(&frame.to_string().into(), NOW);
        loop {
            self.take(effects);
            if !self.app.has_more() {
                return;
            }
            effects = self.app.more(NOW);
        }
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Show(Output::Message(message)) => {
                    let room = message.to.map_or("ALL".to_owned(), |to| to.as_wire().to_owned());
                    self.shown.push((room, message.id.unwrap()));
                }
                Effect::Send(frame) => {
                    let frame: Value = serde_json::from_slice(&frame[4..]).unwrap();
                    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
                    if let Some(query) = frame.get("HISTORY") {
                        assert_eq!(query["WITH"], "#lab");
                        self.asked.push(number(&query["AFTER"]));
                    } else if let Some(resume) = frame.get("RESUME") {
                        self.after = number(&resume["AFTER"]);
                    }
                }
                _ => {}
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Hear { in_room } => {
                self.log.push(if *in_room { "#lab" } else { "ALL" });
                if self.connected {
                    let frame = self.object(&[self.log.len()]);
                    self.gets(&frame);
                }
            }
            Step::Answer if self.connected && !self.asked.is_empty() => {
                let after = self.asked.remove(0);
                let behind = self.ids("#lab", after);
                let page: Vec<_> = behind.iter().copied().take(PAGE).collect();
                let mut page = self.object(&page);
                page["WITH"] = "#lab".into();
                page["MORE"] = (behind.len() > PAGE).into();
                self.gets(&json!({"HISTORY": page}));
            }
            Step::Answer => {}
            Step::Lose if self.connected => {
                self.connected = false;
                self.asked.clear();
                let effects = self.app.connection_lost("gone", Duration::ZERO, 0);
                self.take(effects);
            }
            Step::Lose => {}
            Step::Back { resumes } if !self.connected => {
                self.connected = true;
                let effects = self.app.reconnected();
                self.take(effects);
                self.welcome(Some(*resumes));
            }
            Step::Back { .. } => {}
        }
    }
}

proptest! {
    #[test]
    fn what_is_said_in_a_room_is_shown_once_and_in_its_order(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.step(&Step::Back { resumes: true });
        while !world.asked.is_empty() {
            world.step(&Step::Answer);
        }
        for room in ["ALL", "#lab"] {
            let shown = world.shown.iter().filter(|(said, _)| said == room);
            let shown: Vec<_> = shown.map(|(_, id)| usize::try_from(*id).unwrap()).collect();
            prop_assert_eq!(shown, world.ids(room, 0), "{}: {:?}", room, &steps);
        }
        prop_assert_eq!(world.app.pending_replies(), 0);
    }
}
