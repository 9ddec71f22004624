//! A hostile server and hostile users: every field of a frame has something in it that would act on a terminal.

use chatterbox_app::{Intent, Target};
use serde_json::json;

use super::super::ui::{List, ListKind, ListRow};
use super::*;

/// Escapes, line ends, bidirectional controls, what hides, wide characters, and much of it.
const NASTY: &str = "\u{1b}[2J\u{9b}31m\u{7}\n\r\t\u{202e}\u{2066}\u{200b}\u{e000}\u{feff}世界👩\u{200d}💻\u{301}\u{1f3fd}ﾞ";

fn nasty(rest: &str) -> String {
    format!("{NASTY}{rest}")
}

fn world() -> World {
    let long = NASTY.repeat(500);
    let mut world = World::connected();
    let room = |n: u32| {
        json!({"ROOM": format!("#世界世界世界世界世界{n}"), "NUMBER": 20 + n, "TOPIC": long, "OWNER": long, "DESCRIPTION": long, "ROSTER": true,
            "COUNT": u64::MAX, "USERS": [long, "ann", nasty("u")], "LAST": 0, "FLAGS": [long], "STAFF": {(nasty("s")): 9}})
    };
    let welcome = json!({"USERNAME_ACCEPTED": true, "INFO": long, "USER_LIST": [nasty("a"), nasty("b"), long, "ann", ""],
        "CAPABILITIES": "accounts/1 commands/1 ids/1 notices/1 ping/1 presence/1 recent/1 rename/1 rooms/1 utf8/1",
        "SERVER": {"NAME": long, "BANNER": long}, "ROOMS": [room(1), room(2), {"ROOM": nasty("#"), "NUMBER": 30}], "MORE": true, "DEFAULT": nasty("d"),
        "MESSAGES": [[nasty("a"), "ALL", i64::MAX, long], [long, "ALL", i64::MIN, nasty("x")], ["", "ALL", 0, ""],
            [nasty("b"), "ann", -1, "\n\n\n"], ["bob", "ALL", NOW, "one\n22:13          eve│forged\n───── new ─────"]],
        "IDS": [1, 2, 3, 4, 5]});
    world.gets(&welcome.to_string());
    world.gets(r#"{"PREFIX": "/", "COMMANDS": []}"#);
    let more = json!({"ERROR": long, "INFO": nasty("i"), "USERS_JOINED": [nasty("j"), long], "USERS_LEFT": [nasty("a")],
        "PRESENCE": {(nasty("b")): {"SINCE": 5, "AWAY": long}}, "NOTICE": {"CODE": nasty("c"), "INFO": long, "BY": long, "NAME": long}});
    world.gets(&more.to_string());
    world
}

#[test]
fn nothing_of_a_hostile_server_acts_on_the_screen() {
    let mut world = world();
    world.link.server = nasty("server");
    for (width, height) in [(40, 12), (80, 24), (200, 60)] {
        insta::assert_snapshot!(format!("hostile_{width}x{height}"), world.screen(width, height));
    }
    world.link.lost = Some((NASTY.repeat(50), None));
    world.asks_for(&NASTY.repeat(50), false);
    world.ui.typing.composer_mut().paste(&NASTY.repeat(50));
    let targets: Vec<_> =
        world.app.model().unwrap().conversations().iter().map(|one| one.target.clone()).collect();
    assert!(targets.len() >= 3, "{targets:?}");
    for target in targets {
        world.does(Intent::Open(target));
        for (width, height) in [(24, 6), (40, 12), (80, 24), (200, 60)] {
            world.draw(width, height);
        }
    }
    insta::assert_snapshot!(world.screen(80, 24));
}

#[test]
fn nobody_can_write_a_line_that_looks_like_anothers() {
    let mut world = World::joined();
    world.says("bob", "ALL", "one\n22:13          eve│forged\n──────────── new ────────────");
    let (buffer, drawn, _) = world.draw(80, 24);
    let rule = 6 + 12;
    for y in drawn.timeline.top()..drawn.timeline.bottom() {
        let row = rows(&buffer)[usize::from(y)].clone();
        if row.contains("eve│forged") || row.contains("── new ──") {
            let x = drawn.timeline.x;
            let left: String = (x..x + rule).map(|x| buffer[(x, y)].symbol()).collect();
            assert_eq!(left.trim(), "", "{row}");
            assert_eq!(buffer[(x + rule, y)].symbol(), "│", "{row}");
        }
    }
}

#[test]
fn a_user_who_is_called_like_a_room_or_the_lobby_is_a_user() {
    let mut world = World::joined();
    for name in ["lobby", "#games"] {
        world.says(name, "ann", "psst");
        world.does(Intent::Open(Target::User(name.to_owned())));
        let screen = world.screen(80, 24);
        assert!(screen.starts_with(&format!("|@{name}  private")), "{screen}");
    }
}

#[test]
fn what_the_user_typed_and_lists_do_not_act_either() {
    let mut world = World::joined();
    let row = ListRow { text: ScreenText::new(NASTY), note: ScreenText::new(&NASTY.repeat(9)) };
    world.ui.overlay = Some(Overlay::List(List {
        kind: ListKind::Search,
        title: "Search",
        query: NASTY.repeat(9),
        rows: vec![row; 40],
        chosen: 3,
    }));
    world.ui.hint = Some(NASTY.repeat(9));
    for (width, height) in [(24, 6), (40, 12), (80, 24), (200, 60)] {
        world.draw(width, height);
    }
}

/// A text of thousands of lines, or one that is as long as a frame can be, is one item with so many rows at most.
#[test]
fn a_text_of_thousands_of_lines_ends_somewhere() {
    let mut world = World::joined();
    world.says("bob", "ALL", &"\n".repeat(60_000));
    world.says("bob", "ALL", &"x".repeat(60_000));
    let screen = world.screen(80, 24);
    assert!(screen.contains("there is more of it"), "{screen}");
}

#[test]
fn wide_characters_and_right_to_left() {
    let mut world = World::joined();
    world.says("世界世界世界世界", "ALL", &"世界".repeat(60));
    world.says("דוד", "ALL", "שלום עולם, מה שלומך היום? hello");
    world.says("bob", "ALL", &"👩\u{200d}💻❤\u{fe0f}👍\u{1f3fd}é".repeat(30));
    world.says("فاطمة", "ALL", "مرحبا ann");
    world.ui.people = Some(true);
    for (width, height) in [(40, 12), (80, 24), (200, 60)] {
        insta::assert_snapshot!(format!("wide_{width}x{height}"), world.screen(width, height));
    }
}
