//! Runs the fixtures of `fixtures/`: what a server sends and a user does, and the state that results from it. The folder's README.md
//! defines them, since the page in a browser runs the same files.
#![allow(clippy::disallowed_methods, reason = "the fixtures are files")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatterbox_app::model::{
    Body, Conversation, Delivery, Hole, Item, Limits, Model, Moves, Older, Speech,
};
use chatterbox_app::{
    App, Effect, InputMode, Intent, Options, ReconnectPolicy, Target, TimeFormatter,
};
use chatterbox_proto::{Capability, ScreenText};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// 2023-11-14 22:13:20 UTC.
const NOW: i64 = 1_700_000_000;

/// Set, it writes the states that result into the files. Look at every change.
const UPDATE: &str = "UPDATE_FIXTURES";

/// Set, it is a folder with sessions that were made up: the states that result are written into them, and the page compares its own with
/// these (`.ci/made-up`).
const MADE_UP: &str = "MADE_UP_SESSIONS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn every_fixture_ends_in_the_state_that_it_says() {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        assert!(name.ends_with(".json"), "{name} is neither a fixture nor the README");
        let text = fs::read_to_string(&path).unwrap();
        let updates = std::env::var_os(UPDATE).is_some();
        let result = run(&text, &name, updates);
        if updates {
            fs::write(&path, result).unwrap();
        }
        names.push(name);
    }
    names.sort();
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let listed = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut listed: Vec<_> = listed.filter(|name| name.ends_with(".json")).collect();
    listed.sort_unstable();
    assert_eq!(names, listed, "the README lists every fixture, by name");
}

#[test]
#[ignore = "a step of .ci/made-up, which makes the sessions up"]
fn sessions_that_were_made_up_get_their_states() {
    let folder = std::env::var_os(MADE_UP).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, run(&text, &path.display().to_string(), true)).unwrap();
    }
}

/// Runs a fixture, and gives it with the states that result. Unless it `updates`, they have to be those that it says.
fn run(text: &str, name: &str, updates: bool) -> String {
    let fixture: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut world = World::new(&fixture, updates);
    let mut states = 0;
    let mut steps = fixture["steps"].as_array().unwrap().clone();
    for (place, step) in steps.iter_mut().enumerate() {
        states += usize::from(world.step(step, &format!("{name}, step {place}")));
    }
    assert!(states > 0, "{name} says nothing about the state");
    written(&fixture, &steps)
}

/// One line for each step, so that a change is seen.
fn written(fixture: &Value, steps: &[Value]) -> String {
    let mut text = format!("{{\n\"about\": {},\n", fixture["about"]);
    if let Some(options) = fixture.get("options") {
        text.push_str(&format!("\"options\": {options},\n"));
    }
    text.push_str("\"steps\": [\n");
    for (place, step) in steps.iter().enumerate() {
        let comma = if place + 1 < steps.len() { "," } else { "" };
        let conversations = step.pointer("/state/conversations").and_then(Value::as_array);
        let line = match conversations {
            Some(conversations) => {
                let mut rest = step["state"].as_object().unwrap().clone();
                rest.remove("conversations");
                let mut rest = Value::Object(rest).to_string();
                rest.pop();
                let each: Vec<_> = conversations.iter().map(|one| format!("    {one}")).collect();
                let separator = if rest == "{" { "" } else { ", " };
                format!(
                    "  {{\"state\": {rest}{separator}\"conversations\": [\n{}\n  ]}}}}",
                    each.join(",\n")
                )
            }
            None => format!("  {step}"),
        };
        text.push_str(&format!("{line}{comma}\n"));
    }
    text.push_str("]\n}\n");
    // What acts on a screen is not in the file itself.
    let escaped = |unit: &u16| match char::from_u32(u32::from(*unit)).filter(char::is_ascii) {
        Some(c) => c.to_string(),
        None => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().collect::<Vec<_>>().iter().map(escaped).collect()
}

struct World {
    app: App,
    now: i64,
    sent: Vec<Value>,
    updates: bool,
}

impl World {
    fn new(fixture: &Value, updates: bool) -> Self {
        let options = fixture.get("options").cloned().unwrap_or_else(|| json!({}));
        let number = |name: &str| options[name].as_u64().map(|n| usize::try_from(n).unwrap());
        let usual = Limits::USUAL;
        let limits = Limits {
            items: number("items").unwrap_or(usual.items),
            users: number("users").unwrap_or(usual.users),
            rooms: number("rooms").unwrap_or(usual.rooms),
            ..usual
        };
        // The page runs the same files, and takes no compressed frames.
        let options = Options {
            username: Some(options["name"].as_str().unwrap_or("ann").to_owned()),
            echo_own: true,
            interactive: true,
            offer: chatterbox_app::spoken().without(Capability::Zstd),
            recent: Some(200),
            all_rooms: true,
            model: Some(limits),
            reconnect: Some(ReconnectPolicy::for_at_most(Duration::from_secs(60))),
            ..Options::default()
        };
        let app = App::new(options, TimeFormatter::new(TimeZone::UTC));
        let mut world = Self { app, now: NOW, sent: Vec::new(), updates };
        let effects = world.app.start();
        world.perform(effects);
        world.sent.clear();
        world
    }

    /// Does one step. Says whether it was about the state.
    fn step(&mut self, step: &mut Value, place: &str) -> bool {
        let (key, value) = {
            let step = step.as_object().unwrap_or_else(|| panic!("{place} is no object"));
            assert_eq!(step.len(), 1, "{place}: a step has one key");
            let (key, value) = step.iter().next().unwrap();
            (key.clone(), value.clone())
        };
        let text = || value.as_str().unwrap_or_else(|| panic!("{place}: {key} is a text"));
        let target = || target(text());
        let effects = match key.as_str() {
            "frame" => return self.received(&value),
            "typed" => self.app.typed(text(), InputMode::Chat, self.now),
            "say" => self.app.typed_text(text(), InputMode::Chat, self.now),
            "open" => self.app.intend(Intent::Open(target()), self.now),
            "close" => self.app.intend(Intent::Close(target()), self.now),
            "older" => self.app.intend(Intent::Older(target()), self.now),
            "fill" => {
                let target = target();
                let one = self.model().conversation(&target).unwrap();
                let hole =
                    one.timeline.iter().rev().find(|item| matches!(item.body, Body::Hole(_)));
                let key = hole.unwrap_or_else(|| panic!("{place}: there is no hole")).key;
                self.app.intend(Intent::Fill(target, key), self.now)
            }
            "seeing" => self.app.intend(Intent::Seeing(value.as_bool().unwrap()), self.now),
            "lost" => {
                let elapsed = Duration::from_secs(u64::try_from(self.now - NOW).unwrap());
                self.app.connection_lost(text(), elapsed, 0)
            }
            "back" => self.app.reconnected(),
            "wait" => {
                self.now += value.as_i64().unwrap();
                Vec::new()
            }
            "sent" => {
                let sent = Value::Array(std::mem::take(&mut self.sent));
                settle(step, "sent", sent, place, self.updates);
                return false;
            }
            "state" => {
                let wanted = value.as_object().unwrap();
                let state = state(self.model(), if self.updates { None } else { Some(wanted) });
                settle(step, "state", state, place, self.updates);
                return true;
            }
            other => panic!("{place}: {other} is no step"),
        };
        self.perform(effects);
        false
    }

    fn model(&self) -> &Model {
        self.app.model().unwrap()
    }

    fn received(&mut self, frame: &Value) -> bool {
        let mut effects = self.app.received(&frame.to_string().into(), self.now);
        loop {
            self.perform(effects);
            if !self.app.has_more() {
                return false;
            }
            effects = self.app.more(self.now);
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Show(output) => self.app.shown(&output, self.now),
                Effect::Send(frame) => {
                    self.sent.push(serde_json::from_slice(&frame[4..]).unwrap());
                }
                _ => {}
            }
        }
    }
}

/// Compares what a step says with what there is, or writes it down.
fn settle(step: &mut Value, key: &str, found: Value, place: &str, updates: bool) {
    if updates {
        step[key] = found;
    } else {
        assert_eq!(step[key], found, "{place}: the fixture is at the left");
    }
}

fn target(text: &str) -> Target {
    Target::parse(text, true)
}

fn word(target: &Target) -> String {
    match target {
        Target::User(name) => format!("@{name}"),
        other => other.wire().to_owned(),
    }
}

/// The state, with the keys of `wanted`, or with all.
fn state(model: &Model, wanted: Option<&Map<String, Value>>) -> Value {
    let totals = model.totals();
    let named = model.mentions().map(|(target, mention)| {
        json!({"target": word(target), "from": mention.from.as_str(), "line": mention.line.as_str()})
    });
    let conversations = model.conversations().iter().enumerate().map(|(place, one)| {
        let wanted = wanted.map(|wanted| {
            wanted.get("conversations").and_then(|all| all.get(place)).and_then(Value::as_object)
        });
        let keys = wanted.map(|wanted| wanted.cloned().unwrap_or_default());
        only(conversation(one), keys.as_ref())
    });
    let all = json!({
        "front": word(model.front()),
        "totals": [totals.unread, totals.mentions],
        "next_unread": model.next_unread().map(word),
        "mentions": named.collect::<Vec<_>>(),
        "conversations": conversations.collect::<Vec<_>>(),
    });
    only(all, wanted)
}

fn only(mut all: Value, wanted: Option<&Map<String, Value>>) -> Value {
    if let (Some(wanted), Some(all)) = (wanted, all.as_object_mut()) {
        all.retain(|key, _| wanted.contains_key(key));
    }
    all
}

fn conversation(one: &Conversation) -> Value {
    let listed = |item: &&Item| !matches!(item.body, Body::Notice(..));
    let marker = one.marker.map(|marker| {
        let place = one.timeline.place(marker).map_or(0, |place| place + 1);
        one.timeline.iter().take(place).filter(listed).count()
    });
    let marker = marker.filter(|above| *above > 0);
    let mut object = json!({
        "target": word(&one.target),
        "unread": one.unread,
        "mentions": one.mentions,
        "marker": marker,
        "older": match one.older {
            Older::Unknown => "unknown",
            Older::More => "more",
            Older::Asked => "asked",
            Older::Beginning => "beginning",
        },
        "items": one.timeline.iter().filter(listed).map(item).collect::<Vec<_>>(),
    });
    if !one.topic.as_str().is_empty() {
        object["topic"] = one.topic.as_str().into();
    }
    if one.gone {
        object["gone"] = true.into();
    }
    object
}

fn item(item: &Item) -> Value {
    match &item.body {
        Body::Speech(said) => speech(item.time, said),
        Body::Moves(moves) => moved(moves),
        Body::Hole(hole) => json!({"hole": match hole {
            Hole::Open => "open",
            Hole::Asked => "asked",
            Hole::Lost => "lost",
        }}),
        Body::Notice(..) => unreachable!("notices are not compared"),
    }
}

fn speech(time: i64, said: &Speech) -> Value {
    let mut object = json!({"from": said.from.as_str(), "lines": words(&said.lines), "time": time});
    if let Some(id) = said.id {
        object["id"] = id.into();
    }
    for (key, holds) in [("own", said.own), ("mention", said.mention)] {
        if holds {
            object[key] = true.into();
        }
    }
    match &said.delivery {
        Delivery::Sent => {}
        Delivery::OnItsWay => object["delivery"] = "on its way".into(),
        Delivery::Stored => object["delivery"] = "stored".into(),
        Delivery::Refused(why) => {
            object["delivery"] = "refused".into();
            object["why"] = why.as_str().into();
        }
    }
    object
}

fn moved(moves: &Moves) -> Value {
    let mut object = json!({"joined": words(&moves.joined), "left": words(&moves.left)});
    for (key, more) in [("more_joined", moves.more_joined), ("more_left", moves.more_left)] {
        if more > 0 {
            object[key] = more.into();
        }
    }
    object
}

fn words(lines: &[ScreenText]) -> Vec<&str> {
    lines.iter().map(ScreenText::as_str).collect()
}
