//! How far the user has read: told to the server, and heard of other devices (MK-1, MK-2).

use super::rooms::{lab, person};
use super::*;
use crate::model::Limits;

const AGREED: &str = "accounts/1 commands/1 devices/1 ids/1 marks/1 rename/1 rooms/1";

/// A person with an account who reads line by line, or on a full screen.
fn reader(full_screen: bool, level: u8) -> Scene {
    let offer = crate::spoken();
    let model = Some(Limits::USUAL);
    let options =
        Options { offer, model, full_screen, all_rooms: full_screen, echo_own: true, ..person() };
    let room = lab(20, "");
    let welcome = format!(
        r##"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "CAPABILITIES": "{AGREED}", "RESUME": "session",
            "ACCOUNT": {{"LEVEL": {level}}}, "DEFAULT": "ALL", "ROOMS": [{room}],
            "MESSAGES": [["bob", "ann", 1700000000, "old"], ["bob", "ann", 1700000000, "new"], ["cyd", "ALL", 1700000000, "hi"]],
            "IDS": [5, 7, 8], "READ": {{"ALL": 2, "#lab": 3, "bob": 5, "dan": 4}},
            "UNREAD": {{"ALL": 1, "#lab": 100, "bob": 1, "dan": 0, "eve": 3}}}}"##
    );
    let mut scene = Scene::new(options).types("ann").gets(&welcome).gets(COMMANDS);
    scene.screen.clear();
    scene
}

fn said(to: &str, id: u32) -> String {
    format!(r#"{{"MESSAGES": [["bob", "{to}", 1700000000, "m{id}"]], "IDS": [{id}]}}"#)
}

/// What the server is told now.
fn told(scene: &mut Scene, now: i64) -> Vec<String> {
    scene.screen.clear();
    let effects = scene.app.tell_marks(now);
    scene.play(effects);
    let frames = scene.screen.lines().filter_map(|line| line.strip_prefix(r#"net| {"READ": "#));
    frames.map(str::to_owned).collect()
}

fn unread(scene: &Scene) -> Vec<(String, usize)> {
    let all = scene.app.model().unwrap().conversations().iter();
    let unread = all.filter(|one| one.unread > 0);
    unread.map(|one| (one.target.wire().to_owned(), one.unread)).collect()
}

fn opens(mut scene: Scene, target: Target) -> Scene {
    let effects = scene.app.intend(Intent::Open(target), NOW);
    scene.play(effects);
    scene
}

#[test]
fn a_screen_begins_with_what_is_unread_and_tells_what_is_in_front() {
    let mut scene = reader(true, 1);
    let of = |name: &str, count| (name.to_owned(), count);
    assert_eq!(unread(&scene), [of("#lab", 100), of("bob", 1), of("eve", 3)]);
    // The lobby is in front, and its end is seen.
    assert_eq!(scene.app.marks_at(), Some(0));
    assert_eq!(told(&mut scene, NOW), [r#"{"WITH": "ALL", "UPTO": 8}}"#]);
    assert_eq!(scene.app.marks_at(), None);
    let scene = opens(scene, Target::User("bob".to_owned()));
    let bob = scene.app.model().unwrap().in_front().unwrap();
    let marker = bob.marker.and_then(|key| bob.timeline.place(key)).unwrap();
    assert_eq!(marker, 0, "what is new begins behind the first");
    let mut scene = scene.gets(&said("ALL", 9)).gets(&said("ann", 11));
    assert_eq!(told(&mut scene, NOW), [""; 0], "not twice in a second");
    assert_eq!(scene.app.marks_at(), Some(NOW + 1));
    assert_eq!(told(&mut scene, NOW + 1), [r#"{"WITH": "bob", "UPTO": 11}}"#]);
    assert_eq!(unread(&scene), [of("ALL", 1), of("#lab", 100), of("eve", 3)]);
    // What another device has read is read.
    let scene = scene.gets(r##"{"READ": {"ALL": 8, "#lab": 500}}"##);
    assert_eq!(unread(&scene), [of("ALL", 1), of("eve", 3)]);
    let mut scene = scene.gets(r#"{"READ": {"ALL": 9, "EVE": 30, "zoe": 3}}"#);
    assert_eq!(unread(&scene), []);
    assert_eq!(told(&mut scene, NOW + 2), [""; 0], "the server knows it");
}

#[test]
fn who_reads_line_by_line_has_read_what_was_printed() {
    let mut scene = reader(false, 1);
    assert_eq!(
        told(&mut scene, NOW),
        [r#"{"WITH": "ALL", "UPTO": 8}}"#, r#"{"WITH": "bob", "UPTO": 7}}"#]
    );
    let scene = scene.gets(&said("#lab", 21)).types("/room");
    assert!(scene.screen.contains("#lab 101"), "{}", scene.screen);
    let mut scene = scene.gets(r##"{"READ": {"#lab": 21}}"##);
    scene.screen.clear();
    let mut scene = scene.types("/room");
    assert!(!scene.screen.contains("#lab 1"), "{}", scene.screen);
    assert_eq!(told(&mut scene, NOW + 1), [""; 0]);
    let mut scene = scene.gets(&said("#lab", 22));
    assert_eq!(told(&mut scene, NOW + 2), [""; 0], "it is only counted");
    let mut scene = opens(scene, Target::Room("#lab".to_owned()));
    assert_eq!(told(&mut scene, NOW + 3), [r##"{"WITH": "#lab", "UPTO": 22}}"##]);
}

#[test]
fn a_guest_tells_nothing() {
    let mut scene = reader(true, 0);
    assert_eq!((scene.app.marks_at(), told(&mut scene, NOW)), (None, Vec::new()));
}

#[test]
fn what_another_device_says_stands_where_it_was_said() {
    let scene = reader(true, 1)
        .gets(r#"{"MESSAGES": [["ann", "bob", 1700000000, "from the other one"]], "IDS": [12]}"#);
    let bob = scene.app.model().unwrap().conversation(&Target::User("bob".to_owned())).unwrap();
    assert_eq!((bob.timeline.len(), bob.unread), (3, 1), "and it is not unread");
}

#[test]
fn whoever_reads_line_by_line_is_not_told_of_what_they_said_themselves_elsewhere() {
    let own = |id: u32| {
        format!(r##"{{"MESSAGES": [["ann", "#lab", 1700000000, "mine"]], "IDS": [{id}]}}"##)
    };
    let mut scene = reader(false, 1).gets(&said("#lab", 21));
    scene.screen.clear();
    let mut scene = scene.gets(&own(22)).types("/room");
    assert!(!scene.screen.contains("unread"), "{}", scene.screen);
    scene.screen.clear();
    let scene = scene.gets(&said("#lab", 23)).types("/room");
    assert!(scene.screen.contains("#lab 1"), "{}", scene.screen);
}

#[test]
fn what_the_server_only_counts_is_read_on_another_device() {
    let mut scene = reader(false, 1).types("/room");
    assert!(scene.screen.contains("#lab 100"), "{}", scene.screen);
    scene.screen.clear();
    let scene = scene.gets(r##"{"READ": {"#lab": 20}}"##).types("/room");
    assert!(!scene.screen.contains("#lab 100"), "{}", scene.screen);
}

/// What the server has counted for the welcome, of which nothing was sent, is read with the newest of it and not before.
#[test]
fn what_the_server_only_counts_stays_until_the_newest_of_it_is_read() {
    let counts = |scene: &Scene, name: &str| {
        let found = unread(scene).into_iter().find(|(one, _)| one == name);
        found.map_or(0, |(_, count)| count)
    };
    let of_lab = |full_screen: bool, read: u32| {
        let frame = format!(r##"{{"READ": {{"#lab": {read}}}}}"##);
        reader(full_screen, 1).gets(&frame)
    };
    // The room had message 20 as its newest one.
    assert_eq!(counts(&of_lab(true, 5), "#lab"), 100);
    let scene = of_lab(true, 19).gets(&said("#lab", 21));
    assert_eq!(counts(&scene, "#lab"), 101);
    let scene = scene.gets(r##"{"READ": {"#lab": 20}}"##);
    assert_eq!(counts(&scene, "#lab"), 1);
    // Of eve the welcome had nothing, and it said of nobody which message is newest.
    let scene = scene.gets(r#"{"READ": {"eve": 6}}"#);
    assert_eq!(counts(&scene, "eve"), 0);
    // The floor of a room goes the same way.
    let floor = |floor: u32| {
        format!(r##"{{"ROOMS": [{{"ROOM": "#lab", "NUMBER": 12, "FLOOR": {floor}}}]}}"##)
    };
    let scene = reader(true, 1).gets(&said("#lab", 21)).gets(&floor(19));
    assert_eq!(counts(&scene, "#lab"), 101);
    assert_eq!(counts(&scene.gets(&floor(20)), "#lab"), 1);
    // And line by line.
    let scene = of_lab(false, 5).types("/room");
    assert!(scene.screen.contains("#lab 100"), "{}", scene.screen);
    let mut scene = scene.gets(&said("#lab", 21)).gets(r##"{"READ": {"#lab": 20}}"##);
    scene.screen.clear();
    let scene = scene.types("/room");
    assert!(scene.screen.contains("#lab 1 ("), "{}", scene.screen);
}
