//! What was missed in rooms while the connection was lost.

use super::rooms::{person, pipes, resumed, said, welcome, with_rooms};
use super::*;

fn page(ids: std::ops::RangeInclusive<u32>, more: bool) -> String {
    let join = |each: &dyn Fn(u32) -> String| ids.clone().map(each).collect::<Vec<_>>().join(", ");
    format!(
        r##"{{"HISTORY": {{"WITH": "#lab", "MESSAGES": [{}], "IDS": [{}], "MORE": {more}}}}}"##,
        join(&|id| format!(r##"["bob", "#lab", 1700000000, "m{id}"]"##)),
        join(&|id| id.to_string()),
    )
}

/// The numbers of the messages of the room that were shown, in their order.
fn shown(scene: &Scene) -> Vec<u32> {
    let number = |line: &str| line.split("#lab <bob> m").nth(1)?.parse().ok();
    scene.screen.lines().filter_map(number).collect()
}

#[test]
fn what_was_missed_in_a_room_is_fetched_in_order_and_once() {
    let scene = with_rooms(pipes(), "#lab").loses(0).connects().gets(&resumed(90));
    assert!(scene.screen.contains(r##"{"HISTORY": {"WITH": "#lab", "AFTER": 20, "LIMIT": 500}}"##));
    let scene = scene.gets(&said("#lab", 95, "m95"));
    assert_eq!((shown(&scene), scene.shows("cyd: hi")), (vec![], 1), "{}", scene.screen);
    let scene = scene.gets(&page(30..=60, true)).gets(&said("#lab", 96, "m96"));
    assert_eq!(shown(&scene), (30..=60).collect::<Vec<_>>());
    assert!(scene.screen.contains(r#""AFTER": 60, "#), "{}", scene.screen);
    // Everything behind it has come meanwhile, and is on the last page in part.
    let scene = scene.gets(&page(61..=95, false)).gets(&said("#lab", 97, "m97"));
    assert_eq!(shown(&scene), (30..=97).collect::<Vec<_>>());
    assert_eq!(scene.shows("-- #lab: 66 messages had been missed"), 1, "{}", scene.screen);
    assert!(scene.app.is_settled());
}

#[test]
fn a_gap_outlives_the_connection_that_was_to_fill_it() {
    let scene = with_rooms(pipes(), "#lab")
        .loses(0)
        .connects()
        .gets(&resumed(90))
        .gets(&page(30..=40, true))
        .loses(1);
    assert_eq!(scene.app.pending_replies(), 0, "nobody waits for it while there is no connection");
    let mut scene = scene.connects();
    scene.screen.clear();
    let scene = scene.gets(&resumed(200));
    assert_eq!(scene.shows(r#""AFTER": 40, "#), 1, "{}", scene.screen);
    let scene = scene.gets(&page(41..=200, false));
    assert_eq!(shown(&scene), (41..=200).collect::<Vec<_>>());
    // In another history the numbers mean nothing.
    let other = welcome(
        r#""RESUMED": false, "MESSAGES": [["zoe", "ALL", 1, "new"]], "IDS": [2], "ROOMS": []"#,
    );
    let scene = with_rooms(pipes(), "#lab")
        .loses(0)
        .connects()
        .gets(&resumed(90))
        .loses(1)
        .connects()
        .gets(&other);
    assert_eq!(shown(&scene), [90], "what had come is shown: {}", scene.screen);
    assert_eq!(scene.app.pending_replies(), 0);
}

#[test]
fn a_gap_without_end_is_cut() {
    let mut scene = with_rooms(person(), "#lab").loses(0).connects().gets(&resumed(100_000));
    for first in (30..).step_by(100) {
        if scene.app.pending_replies() == 0 {
            break;
        }
        scene = scene.gets(&page(first..=first + 99, true));
    }
    assert_eq!(scene.shows("\"AFTER\": "), 11, "the session, and ten pages");
    assert_eq!(shown(&scene).len(), 1001);
    let lines: Vec<_> = scene.screen.lines().rev().take(2).collect();
    assert!(
        lines[1].contains("others are not shown") && lines[0].ends_with("m100000"),
        "{lines:?}"
    );
    // A page that brings nothing on ends it as well, and so does a room that is not there any more.
    let scene = with_rooms(person(), "#lab")
        .loses(0)
        .connects()
        .gets(&resumed(90))
        .gets(&page(3..=5, true));
    assert_eq!((shown(&scene), scene.app.pending_replies()), (vec![90], 0));
    let gone = r##"{"ROOMS_LEFT": [{"ROOM": "#lab", "NUMBER": 12, "CODE": "deleted", "BY": "prof", "INFO": ""}]}"##;
    let scene = with_rooms(person(), "#lab").loses(0).connects().gets(&resumed(90)).gets(gone);
    assert_eq!(shown(&scene), [90]);
}

#[test]
fn what_waits_for_a_gap_is_bounded() {
    let mut scene = with_rooms(pipes(), "#lab").loses(0).connects().gets(&resumed(90));
    for id in 100..3000 {
        scene = scene.gets(&said("#lab", id, &format!("m{id}")));
    }
    let scene = scene.gets(&page(30..=2000, false));
    // Those that did not find room are on the page; what is behind it is not lost.
    assert_eq!(shown(&scene), (30..=2999).collect::<Vec<_>>());
}

#[test]
fn what_one_has_said_oneself_is_not_shown_again() {
    let scene = with_rooms(pipes(), "#lab").types("mine").loses(0).connects().gets(&resumed(90));
    let page = r##"{"HISTORY": {"WITH": "#lab", "MESSAGES": [["bob", "#lab", 1, "m30"], ["ann", "#lab", 1, "mine"]], "IDS": [30, 31], "MORE": true}}"##;
    let scene = scene.gets(page);
    assert_eq!((shown(&scene), scene.shows("<ann> mine")), (vec![30], 1), "{}", scene.screen);
    assert!(scene.screen.ends_with("\"AFTER\": 31, \"LIMIT\": 500}}\n"), "{}", scene.screen);
}
