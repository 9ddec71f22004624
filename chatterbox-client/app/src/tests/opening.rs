//! Which conversation comes to the front, and that lines go where the screen says.

use super::rooms::{person, said, with_rooms};
use super::*;
use crate::model::Limits;

fn screen() -> Options {
    let model = Some(Limits::USUAL);
    Options { model, all_rooms: true, full_screen: true, echo_own: true, ..person() }
}

/// The target that the screen shows; lines go there as well.
fn front(scene: &Scene) -> String {
    let shown = scene.app.model().unwrap().front();
    let prompt = scene.app.prompt().to_string();
    match shown {
        Target::Lobby => assert_eq!(prompt, "ann"),
        Target::Room(name) => assert_eq!(prompt, *name),
        Target::User(name) => assert_eq!(prompt, format!("@{name}")),
    }
    shown.wire().to_owned()
}

fn opens(mut scene: Scene, target: Target) -> Scene {
    let effects = scene.app.intend(Intent::Open(target), NOW);
    scene.play(effects);
    scene
}

/// The conversations are 1 ALL, 2 #lab, 3 #talk, 4 bob.
fn four() -> Scene {
    with_rooms(screen(), "ALL").gets(&said("ann", 21, "psst"))
}

#[test]
fn a_number_without_the_sign_is_that_of_a_conversation() {
    for (typed, shown) in [("/room 4", "bob"), ("/room 2", "#lab"), ("/room 1", "ALL")] {
        assert_eq!(front(&four().types("/room ALL").types(typed)), shown, "{typed}");
    }
    // With the sign it is a room: nobody's private conversation comes in its place.
    let scene = four().types("/room #4");
    assert_eq!(front(&scene), "ALL");
    assert!(scene.screen.contains(r##""join", "ARGS": ["#4"]"##), "{}", scene.screen);
}

/// The room in front is the fourth conversation, and has the number as its name.
#[test]
fn a_room_that_is_gone_and_named_like_its_number_ends_nothing() {
    let room = r##"{"ROOMS": [{"ROOM": "#4", "NUMBER": 44, "LAST": 0, "COUNT": 1, "ROSTER": true, "USERS": ["ann"]}]}"##;
    let gone = r##"{"ROOMS_LEFT": [{"ROOM": "#4", "NUMBER": 44, "CODE": "kicked", "BY": "prof", "INFO": ""}]}"##;
    for typed in ["/room 4", "/room #4"] {
        let scene = with_rooms(screen(), "ALL").gets(room).types("/room #4").gets(gone);
        let asked = scene.types(typed);
        assert!(asked.screen.contains(r##""join", "ARGS": ["#4"]"##), "{}", asked.screen);
    }
    let scene = with_rooms(screen(), "ALL").gets(room).types("/room #4").gets(gone);
    let scene = opens(scene, Target::Room("#4".to_owned()));
    assert!(scene.screen.contains(r##""join", "ARGS": ["#4"]"##), "{}", scene.screen);
}

/// A server may allow names that nobody could type.
#[test]
fn a_conversation_with_any_name_can_be_opened_and_read() {
    let scene = with_rooms(screen(), "ALL").gets(
        r#"{"MESSAGES": [["a b", "ann", 1700000000, "psst"]], "IDS": [21], "TIMES": [1700000000]}"#,
    );
    assert_eq!(scene.app.model().unwrap().totals().unread, 1);
    let scene = opens(scene, Target::User("a b".to_owned()));
    assert_eq!(front(&scene), "a b");
    assert_eq!(scene.app.model().unwrap().totals().unread, 0);
}

/// Whoever takes the old name would get what is meant for the one who had it.
#[test]
fn a_conversation_that_was_opened_in_other_letters_follows_a_renamed_user() {
    let scene = with_rooms(screen(), "ALL").types("/room @BOB");
    let scene = scene.gets(r#"{"USERS_RENAMED": {"bob": "rob"}}"#);
    assert_eq!(front(&scene), "rob");
    let scene = scene.types("hello");
    assert!(scene.screen.contains(r#"["ann", "rob", 1700000000, "hello"]"#), "{}", scene.screen);
}

/// Somebody who makes the user a member later must not take the screen, and what is half typed with it.
#[test]
fn a_wish_for_a_room_ends_with_its_connection() {
    let new = r##"{"ROOMS": [{"ROOM": "#new", "NUMBER": 40, "LAST": 0, "COUNT": 1, "ROSTER": true, "USERS": ["ann"]}]}"##;
    let resumed = r#"{"USERNAME_ACCEPTED": true, "RESUMED": true, "USER_LIST": ["ann"], "CAPABILITIES": "commands/1 ids/1 rooms/1", "MESSAGES": [], "IDS": []}"#;
    let scene = with_rooms(screen(), "ALL").types("/join new").loses(0).connects().gets(resumed);
    assert_eq!(front(&scene.gets(new)), "ALL");
}

/// A server may have a command of the same name, as ours has: it leaves rooms, and closes no conversation.
#[test]
fn conversations_with_users_are_closed_by_this_program() {
    let close = r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "leave", "ALIASES": ["close"], "ARGUMENTS": [
        {"NAME": "room", "TYPE": "room", "OPTIONAL": true, "REST": false}], "HELP": "Leaves a room.", "EXAMPLE": "leave", "LEVEL": 0}]}"#;
    let is_open = |scene: &Scene| {
        let bob = Target::User("bob".to_owned());
        scene.app.model().unwrap().conversation(&bob).is_some()
    };
    for typed in [&["/close @bob"][..], &["/room @bob", "/close"]] {
        let scene = four().gets(close);
        assert!(is_open(&scene));
        let scene = typed.iter().fold(scene, |scene, line| scene.types(line));
        assert!(!is_open(&scene) && !scene.screen.contains("COMMAND"), "{}", scene.screen);
        assert_eq!(front(&scene), "ALL");
    }
    let scene = four().gets(close).types("/room #lab").types("/close");
    assert!(scene.screen.contains(r##""NAME": "leave", "ARGS": ["#lab"]"##), "{}", scene.screen);
}

#[test]
fn what_a_full_screen_does_not_show_by_itself_is_said() {
    let scene = four().types("/users").types("@bob psst").types("#lab hi").types("hello");
    assert_eq!(scene.shows("here: "), 1, "{}", scene.screen);
    assert_eq!(scene.shows("Said to bob: psst"), 1, "{}", scene.screen);
    assert_eq!(scene.shows("Said to #lab: hi"), 1, "{}", scene.screen);
    assert_eq!(scene.shows("Said to everybody"), 0, "{}", scene.screen);
}

/// Who joins the lobby is told how it is, not that it has changed.
#[test]
fn a_room_that_is_told_as_a_whole_has_not_changed() {
    let lobby = r#"{"ROOMS": [{"ROOM": "ALL", "TOPIC": "", "TALK": 0, "SLOW": 0, "FLOOR": 0}]}"#;
    let scene = with_rooms(person(), "ALL").gets(lobby);
    assert_eq!(scene.shows("the lobby"), 0, "{}", scene.screen);
    let topic = r#"{"ROOMS": [{"ROOM": "ALL", "TOPIC": "new"}]}"#;
    assert_eq!(scene.gets(topic).shows("another topic: new"), 1);
    assert_eq!(front(&four().types("/room #lab").types("/room lobby")), "ALL");
}

#[test]
fn who_is_named_elsewhere_is_told_so() {
    let scene = with_rooms(person(), "ALL").gets(&said("#lab", 21, "ann: here?"));
    assert_eq!(scene.shows("* unread: #lab 1 (1 names you) (/room #lab)"), 1, "{}", scene.screen);
}
