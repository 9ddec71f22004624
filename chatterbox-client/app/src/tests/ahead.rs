//! What was typed ahead of an answer that turns out otherwise: a secret is not said, nor what was meant for another room.

use super::rooms::{person, said, with_rooms};
use super::*;

fn terminal() -> Scene {
    Scene::negotiated(Options { interactive: true, ..Options::default() })
}

fn is_said(scene: &Scene, text: &str) -> bool {
    scene.screen.contains(&format!("\"{text}\"]"))
}

/// A server may be busy, or the connection may be lost, before the command has asked.
#[test]
fn a_secret_is_not_said_when_the_command_ends_without_asking() {
    let throttled =
        r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "throttled", "ERROR": "later"}}"#;
    let ended = |scene: Scene| {
        let scene = scene.types("hunter2");
        assert!(!scene.screen.contains("hunter2"), "{}", scene.screen);
        assert!(is_said(&scene.types("hello"), "hello"), "the user was told, and goes on");
    };
    ended(terminal().types("/register").gets(throttled));
    // A command is no answer, and the secret may still come.
    ended(
        terminal()
            .types("/register")
            .gets(throttled)
            .types("/block eve")
            .gets(r#"{"RESULT": {"ID": "2", "OK": true, "CODE": "ok", "INFO": "blocked"}}"#),
    );
    let welcome = r#"{"USERNAME_ACCEPTED": true, "RESUMED": true, "USER_LIST": ["ann"], "CAPABILITIES": "commands/1 ids/1", "MESSAGES": [], "IDS": []}"#;
    let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(60)));
    let options = Options { interactive: true, reconnect, ..Options::default() };
    let scene = Scene::negotiated(options).types("/register").loses(0).connects().gets(welcome);
    ended(scene.gets(r#"{"PREFIX": "/", "COMMANDS": []}"#));
    // A room without a password is entered without asking.
    let joined = r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "You are in #new."}}"#;
    let with_password = r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "join", "ALIASES": [], "ARGUMENTS": [
        {"NAME": "room", "TYPE": "room", "OPTIONAL": false, "REST": false},
        {"NAME": "password", "TYPE": "secret", "OPTIONAL": true, "REST": false}], "HELP": "", "EXAMPLE": "", "LEVEL": 0}]}"#;
    for result in [joined, &throttled.replace("throttled", "no-such-room")] {
        let scene = with_rooms(person(), "ALL").gets(with_password).types("/join new").gets(result);
        assert!(is_said(&scene.types("hello"), "hello"), "{result}");
    }
    // Who is asked, and answers, may say what they like.
    let asks = r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#;
    let scene = terminal().types("/register").gets(asks).types("hush").gets(throttled);
    assert!(is_said(&scene.types("hello"), "hello"));
}

/// Behind a blank the editor masks it all the same.
#[test]
fn a_command_with_a_secret_behind_a_blank_is_not_said() {
    for typed in [" /register hunter2", "\u{a0}/register hunter2", "\t/p a hunter2"] {
        let scene = terminal().types(typed);
        assert_eq!(scene.shows("Nothing was sent: a command begins the line"), 1, "{typed}");
        assert!(!scene.screen.contains("hunter2"), "{}", scene.screen);
    }
    for typed in [" /shrug", " hello /register x", "//register is a command"] {
        assert_eq!(terminal().types(typed).shows("Nothing was sent"), 0, "{typed}");
    }
}

#[test]
fn what_was_typed_for_a_room_that_does_not_come_is_not_said_where_one_is() {
    let refused = r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "no-such-room", "ERROR": "no"}}"#;
    let scene = with_rooms(person(), "ALL").types("/room #new").gets(refused);
    let scene = scene.types("for the room only");
    assert!(!is_said(&scene, "for the room only"), "{}", scene.screen);
    assert!(is_said(&scene.types("hello"), "hello"));
    // Without an answer lines are taken again, and a room that comes late stays behind.
    let mut scene = with_rooms(person(), "ALL").types("/room #new");
    scene.app.stop_waiting(NOW);
    let scene = scene.types("for the room only");
    assert!(!is_said(&scene, "for the room only"), "{}", scene.screen);
    let new = r##"{"ROOMS": [{"ROOM": "#new", "NUMBER": 50, "LAST": 0, "COUNT": 1, "ROSTER": true, "USERS": ["ann"]}]}"##;
    assert_eq!(scene.gets(new).app.prompt().as_str(), "ann");
}

/// A server could say something in rooms without end.
#[test]
fn what_is_said_in_a_room_of_others_is_not_kept_for_later() {
    let scene = with_rooms(person(), "ALL").gets(&said("#else", 21, "x"));
    assert_eq!(scene.shows("#else <bob> x"), 1, "{}", scene.screen);
    assert_eq!(scene.types("/room").shows("* unread"), 0);
}

/// A catalogue could fill a frame of a hundred megabytes.
#[test]
fn of_a_catalogue_without_end_the_first_commands_are_kept() {
    let help = "x".repeat(64 * 1024);
    let command = |number: usize| {
        format!(
            r#"{{"NAME": "c{number}", "ALIASES": [], "ARGUMENTS": [], "HELP": "{help}", "EXAMPLE": "", "LEVEL": 0}}"#
        )
    };
    let commands: Vec<_> = (0..200).map(command).collect();
    let catalogue = format!(r#"{{"PREFIX": "/", "COMMANDS": [{}]}}"#, commands.join(", "));
    let scene = terminal().gets(&catalogue);
    assert!(scene.app.complete("/c0", 3).candidates.iter().any(|one| one.text.trim() == "/c0"));
    assert!(scene.app.complete("/c199", 5).candidates.is_empty());
}

/// Sixteen questions are kept, and each could fill a frame of a hundred megabytes.
#[test]
fn of_a_question_its_beginning_is_kept() {
    let asks = format!(
        r#"{{"PROMPT": {{"ID": "1", "TEXT": "{}", "SECRET": false}}}}"#,
        "x".repeat(1024 * 1024)
    );
    let scene = terminal().types("/register").gets(&asks);
    assert!(scene.screen.len() < 128 * 1024, "{}", scene.screen.len());
}

/// Several rows that were pasted are as much said as one.
#[test]
fn a_pasted_text_is_not_said_either_behind_a_secret_that_was_not_asked_for() {
    let mut scene = Scene::negotiated(Options { interactive: true, ..Options::default() })
        .types("/register")
        .gets(r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "no", "INFO": "No.", "DATA": {}}}"#);
    for said in [false, true] {
        let start = scene.screen.len();
        let effects = scene.app.typed_text("hu\nsh", InputMode::Chat, NOW);
        scene.play(effects);
        assert_eq!(scene.screen[start..].contains("MESSAGES"), said, "{}", scene.screen);
    }
}
