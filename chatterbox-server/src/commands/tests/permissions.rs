//! Every permission as one table: who may use which command, who may give which level, which frame counts when.
//!
//! What is expected stands here a second time, on purpose.

use chatterbox_hub::{Actor, Level, Permission, Target, authorise};
use chatterbox_proto::capability::commands::CommandRequest;
use chatterbox_proto::capability::{Capability, Request};
use chatterbox_proto::session::{JoinedAction, JoiningAction, JoiningSession};
use chatterbox_proto::{Capabilities, ClientFrame, Faults, Username};

use crate::commands::registry::{TABLE, find};
use crate::commands::tests::fake::{House, PASSWORD};

/// From which level on each command may be used, and arguments that make it do something.
const COMMANDS: &[(&str, u8, &[&str])] = &[
    ("help", 0, &[]),
    ("name", 0, &[]),
    ("nick", 0, &["newname"]),
    ("users", 0, &[]),
    ("user-count", 0, &[]),
    ("away", 0, &["lunch"]),
    ("back", 0, &[]),
    ("hide-last-seen", 1, &["on"]),
    ("register", 0, &[PASSWORD]),
    ("passwd", 1, &[PASSWORD, "battery staple"]),
    ("logout", 1, &[]),
    ("elevate", 1, &[PASSWORD]),
    ("e2ee-reset", 1, &[PASSWORD]),
    ("e2ee-remove", 1, &["d1", PASSWORD]),
    ("block", 0, &["bob"]),
    ("unblock", 0, &["bob"]),
    ("blocked", 0, &[]),
    ("msg", 0, &["bob", "hi"]),
    ("ping", 0, &[]),
    ("test", 0, &["x"]),
    ("input-test", 0, &[]),
    ("command-history", 0, &[]),
    // What they need in a room is in `room_permissions`.
    ("rooms", 0, &[]),
    ("list", 0, &["ALL"]),
    ("join", 0, &["#none"]),
    ("leave", 0, &["#none"]),
    ("default", 0, &["ALL"]),
    ("say", 0, &["ALL", "x"]),
    ("create-room", 1, &["#new"]),
    ("delete-room", 1, &["#none"]),
    ("topic", 1, &["#none", "x"]),
    ("set-room", 1, &["#none", "slow", "1"]),
    ("invite", 1, &["#none", "bob"]),
    ("uninvite", 1, &["#none", "bob"]),
    ("invitations", 1, &[]),
    ("kick-from", 1, &["#none", "bob"]),
    ("clear", 1, &["#none"]),
    // What they need on the server, and whom they may be used on, is in `moderation`.
    ("kick", 2, &["bob"]),
    ("mute", 1, &["bob", "10m", "#none"]),
    ("unmute", 1, &["bob", "#none"]),
    ("slow", 1, &["1", "#none"]),
    ("ban", 3, &["bob"]),
    ("ban-from", 1, &["#none", "bob"]),
    ("unban", 1, &["bob", "#none"]),
    ("banned-users", 1, &["#none"]),
    ("report", 0, &["bob"]),
    ("reports", 1, &["#none"]),
    ("close-report", 1, &["7"]),
    ("broadcast", 1, &["#none", "x"]),
    ("server-broadcast", 5, &["x"]),
    ("audit", 1, &["bob", "#none"]),
    ("guests", 4, &["off"]),
    ("reload", 5, &[]),
    ("shutdown", 5, &["60"]),
    ("perm", 0, &["bob"]),
    ("set-perm", 1, &["bob", "2", "#none"]),
    ("user-del", 5, &["bob"]),
    ("set-prefix", 5, &["!"]),
    ("disable-command", 5, &["test"]),
    ("enable-command", 5, &["test"]),
];

#[derive(Default)]
struct Counts {
    allowed: usize,
    refused: usize,
}

impl Counts {
    fn note(&mut self, allowed: bool) {
        *if allowed { &mut self.allowed } else { &mut self.refused } += 1;
    }

    fn cells(&self) -> String {
        let Self { allowed, refused } = self;
        format!("{} cells, {allowed} allowed, {refused} refused", allowed + refused)
    }
}

#[tokio::test]
async fn every_permission() {
    let mut commands = Counts::default();
    assert_eq!(COMMANDS.len(), TABLE.len(), "every command is in this table");
    for (command, least, arguments) in COMMANDS {
        for level in Level::ALL {
            let allowed = level.number() >= *least;
            one_command(command, level, arguments, allowed).await;
            commands.note(allowed);
        }
    }
    let levels = giving_levels();
    let frames = frames();
    println!("commands x levels: {}", commands.cells());
    println!("set-perm, actor x target x level: {}", levels.cells());
    println!("frames x states: {}", frames.cells());
}

async fn one_command(command: &str, level: Level, arguments: &[&str], allowed: bool) {
    let cell = format!("{command} at level {level}");
    let house = House::new().await;
    let _bob = house.user("bob", Level::USER).await;
    let mut ann = house.user("ann", level).await;
    let catalogue = ann.next_with("COMMANDS").await;
    let listed = catalogue["COMMANDS"].as_array().unwrap().iter().any(|c| c["NAME"] == command);
    assert_eq!(listed, allowed, "{cell}: in the catalogue");
    let stored = async || {
        (
            house.account("ann").await,
            house.account("bob").await,
            house.state.prefix(),
            house.state.accounts.settings().await.unwrap(),
            house.rooms.lock().unwrap().clone(),
        )
    };
    let (before, told, ignored) = (stored().await, ann.everything().len(), ann.filter());
    let id = ann.begin(command, arguments);
    if allowed && command == "input-test" {
        ann.next_with("PROMPT").await;
        ann.answer(&id, Some("x")).unwrap();
    }
    let result = ann.result(&id).await;
    assert_eq!(result["CODE"] != "forbidden", allowed, "{cell}: {result}");
    if !allowed {
        assert_eq!(stored().await, before, "{cell}: it changes nothing");
        assert_eq!(
            (ann.everything().len(), ann.filter()),
            (told + 1, ignored),
            "{cell}: it only answers"
        );
    }
}

/// Only admins give levels; to whom is below them, and nothing above their own.
fn giving_levels() -> Counts {
    let mut counts = Counts::default();
    for actor in Level::ALL {
        for target in Level::ALL {
            for given in &Level::ALL[1..] {
                let allowed = actor.number() == 5 && target.number() < 5 && given.number() <= 5;
                for registered in [true, false] {
                    let somebody = Actor { level: actor, registered };
                    let permission = Permission::GiveLevel(*given);
                    let found = authorise(somebody, permission, Target::User(target)).is_ok();
                    assert_eq!(found, allowed && registered, "{actor} gives {target} {given}");
                    counts.note(found);
                    let [its, giver, given_number] = [target, actor, *given].map(Level::number);
                    let in_room = giver >= 4 && its < giver && given_number <= giver;
                    let permission = Permission::GiveRoomLevel(*given);
                    let found = authorise(somebody, permission, Target::User(target)).is_ok();
                    assert_eq!(
                        found,
                        in_room && registered,
                        "{actor} gives {target} {given} there"
                    );
                    counts.note(found);
                }
            }
        }
        let oneself = Actor { level: actor, registered: true };
        assert!(authorise(oneself, Permission::GiveLevel(Level::USER), Target::Oneself).is_err());
        let removes = authorise(oneself, Permission::RemoveAccount, Target::Oneself).is_ok();
        assert_eq!(removes, actor.number() == 5);
        let give = Permission::GiveRoomLevel(Level::USER);
        for permission in [give, Permission::RemoveFromRoom] {
            assert!(authorise(oneself, permission, Target::Oneself).is_err());
        }
        for target in Level::ALL {
            let removed = authorise(oneself, Permission::RemoveFromRoom, Target::User(target));
            assert_eq!(removed.is_ok(), actor.number() >= 2 && target < actor);
            let target_is_below = target.number() < 5;
            let removes = authorise(oneself, Permission::RemoveAccount, Target::User(target));
            assert_eq!(removes.is_ok(), actor.number() == 5 && target_is_below);
        }
        let hears = authorise(oneself, Permission::HearBlockers, Target::Oneself).is_ok();
        assert_eq!(hears, actor.number() >= 2);
        let lists = authorise(oneself, Permission::ListAccounts, Target::Oneself).is_ok();
        assert_eq!(lists, actor.number() >= 1);
        let stays_on = find("enable-command").unwrap().spec.stays_on;
        let switch_off = Permission::SwitchOff { stays_on };
        assert!(authorise(oneself, switch_off, Target::Oneself).is_err());
    }
    counts
}

/// What becomes of each key: of a stranger, of somebody who joined by the base protocol, and of somebody who agreed to all.
const FRAMES: &[(&str, [&str; 3])] = &[
    (r#""USERNAME": "ann""#, ["claim", "already-joined", "already-joined"]),
    (r#""MESSAGES": [["ann", "ALL", 1, "x"]]"#, ["not-joined", "post", "post"]),
    (r#""CAPABILITIES": "ids/1""#, ["offer-not-now", "offer-not-now", "offer-not-now"]),
    (r#""PASSWORD": "x""#, ["no-known-key"; 3]),
    (r#""TOKEN": "x""#, ["no-known-key"; 3]),
    (r#""RESUME": {"TOKEN": "x", "AFTER": 1}"#, ["no-known-key"; 3]),
    (r#""TAGS": []"#, ["no-known-key", "no-known-key", "bad-tags"]),
    (r#""META": []"#, ["no-known-key", "no-known-key", "bad-meta"]),
    (r#""READ": {"WITH": "ALL", "UPTO": 1}"#, ["no-known-key", "no-known-key", "read"]),
    (r#""DEVICE": "d1""#, ["no-known-key"; 3]),
    (r#""KEYS_GET": {"ID": "k1", "NAMES": ["ann"]}"#, ["no-known-key", "no-known-key", "keys"]),
    (
        r#""KEYS_CLAIM": {"ID": "k1", "DEVICES": [["ann", "d1"]]}"#,
        ["no-known-key", "no-known-key", "keys"],
    ),
    (r#""KEYS_DONE": {"UPTO": 1}"#, ["no-known-key", "no-known-key", "keys"]),
    (r#""KEYS_PUT": {"ID": "k1"}"#, ["no-known-key", "no-known-key", "bad-keys"]),
    (r#""HISTORY": {"WITH": "ALL"}"#, ["no-known-key", "no-known-key", "history"]),
    (
        r#""FILE_GET": {"ID": "1", "FILE": "x", "AT": 0, "CREDIT": 0}"#,
        ["no-known-key", "no-known-key", "file"],
    ),
    (r#""FILE_STOP": {"FILE": "x"}"#, ["no-known-key", "no-known-key", "file"]),
    (
        r#""COMMAND": {"ID": "1", "NAME": "name", "ARGS": []}"#,
        ["no-known-key", "no-known-key", "call"],
    ),
    (r#""ANSWER": {"ID": "1", "TEXT": "x"}"#, ["no-known-key", "no-known-key", "answer"]),
    (r#""PING": 1"#, ["no-known-key", "no-known-key", "ping"]),
    (r#""PONG": 1"#, ["no-known-key", "no-known-key", "pong"]),
    (r#""X": 1"#, ["no-known-key"; 3]),
];

fn frames() -> Counts {
    let mut counts = Counts::default();
    let everything: Capabilities = Capability::EVERY.iter().copied().collect();
    for (key, expected) in FRAMES {
        for (state, expected) in expected.iter().enumerate() {
            let mut session = JoiningSession::new(32, everything);
            let offer = format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "{everything}"}}"#);
            let joining = match state {
                0 => None,
                1 => Some(r#"{"USERNAME": "ann"}"#),
                _ => Some(offer.as_str()),
            };
            let body = format!("{{{key}}}");
            let found: Vec<_> = if let Some(joining) = joining {
                session.receive(ClientFrame::parse(joining.as_bytes()));
                let (mut session, _) = session.accepted(Username::parse("ann").unwrap(), None);
                let frame = ClientFrame::parse_as(body.as_bytes(), session.known());
                session.receive(frame).iter().map(joined_word).collect()
            } else {
                session.receive(ClientFrame::parse(body.as_bytes())).iter().map(word).collect()
            };
            assert_eq!(found, [*expected], "{key} in state {state}");
            counts.note(WORDS.contains(expected));
        }
    }
    counts
}

/// What a frame can lead to that is no error.
const WORDS: &[&str] =
    &["claim", "post", "history", "read", "file", "keys", "call", "answer", "ping", "pong"];

fn word(action: &JoiningAction<'_>) -> &'static str {
    match action {
        JoiningAction::Claim(_) => "claim",
        JoiningAction::Refuse(_) => "refuse",
        JoiningAction::Error(faults) => code_of(faults),
        JoiningAction::Close => "close",
    }
}

fn joined_word(action: &JoinedAction<'_>) -> &'static str {
    match action {
        JoinedAction::Post(_) | JoinedAction::ReadOn(_) => "post",
        JoinedAction::Error(faults) => code_of(faults),
        JoinedAction::Request(request) => match request {
            Request::History(_) => "history",
            Request::Read(_) => "read",
            Request::Keys(_) => "keys",
            Request::Command(CommandRequest::Call(_)) => "call",
            Request::Command(CommandRequest::Answer(_)) => "answer",
            Request::File(_) => "file",
            Request::Ping(_) => "ping",
            Request::Pong(_) => "pong",
        },
    }
}

fn code_of(faults: &Faults) -> &'static str {
    faults.listed()[0].code.word()
}
