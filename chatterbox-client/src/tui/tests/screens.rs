//! Screens in their three sizes, each as it is seen.

use chatterbox_app::complete::{Candidate, Completion};
use chatterbox_app::{Intent, Target};

use super::super::ui::{List, ListKind, ListRow};
use super::*;

/// The sizes of the design.
const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (200, 60)];

macro_rules! shots {
    ($name:expr, $world:expr) => {
        shots!($name, $world, SIZES)
    };
    ($name:expr, $world:expr, $sizes:expr) => {
        for (width, height) in $sizes {
            insta::assert_snapshot!(
                format!("{}_{width}x{height}", $name),
                $world.screen(width, height)
            );
        }
    };
}

#[test]
fn people_rooms_and_what_is_unread() {
    let world = World::busy();
    shots!("busy", world);
    shots!("busy", world, [(60, 16), (24, 6), (20, 5), (8, 3)]);
}

#[test]
fn a_screen_of_one_cell_and_of_none() {
    let world = World::busy();
    for (width, height) in [(0, 0), (1, 1), (1, 0), (0, 1), (3, 2), (200, 1), (1, 60)] {
        world.draw(width, height);
    }
}

#[test]
fn a_room_with_its_marker_in_front() {
    let mut world = World::busy();
    world.does(Intent::Open(Target::Room("#games".to_owned())));
    world.does(Intent::Open(Target::Lobby));
    world.says("bob", "ALL", "this came while you were here");
    world.says(
        "bob",
        "#games",
        "and this while you were not: check, mate in two if I see it rightly",
    );
    world.says("bob", "#games", "ann: your move\nor do you give up?");
    world.does(Intent::Open(Target::Room("#games".to_owned())));
    world.asks(PromptKind::Chat(ScreenText::new("#games")));
    shots!("marker", world);
}

#[test]
fn what_becomes_of_own_messages() {
    let mut world = World::joined();
    world.types("this one is stored");
    world.gets(r#"{"ACKS": {"1": 50}}"#);
    world.types("@zoe are you there?");
    world.gets(r#"{"ERROR": "nobody by that name is here", "REFUSED": {"2": {"CODE": "no-such-user", "ERROR": "nobody by that name is here"}}}"#);
    world.does(Intent::Open(Target::Lobby));
    world.types("this one is on its way");
    shots!("delivery", world);
    world.does(Intent::Open(Target::User("zoe".to_owned())));
    shots!("refused", world);
}

#[test]
fn a_popup_for_a_command_and_for_an_argument() {
    let candidate = |shown: &str, note: &str| Candidate {
        text: format!("{shown} "),
        shown: ScreenText::new(shown),
        note: ScreenText::new(note),
    };
    let mut world = World::busy();
    world.ui.typing.composer_mut().insert("/m");
    let mut candidates = vec![
        candidate("/mute", "Lets somebody say nothing for a while."),
        candidate("/members", "Shows who is in a room."),
        candidate(
            "/message-limit",
            "Changes how long a message of a room can be, which is for owners.",
        ),
    ];
    let completion = Completion { from: 0, to: 2, candidates: candidates.clone(), about: vec![] };
    world.ui.overlay = Some(Overlay::Completion { completion, chosen: Some(1) });
    shots!("popup_command", world);
    world.ui.typing.composer_mut().set("/mute b");
    candidates = (0..20).map(|n| candidate(&format!("bob{n}"), "")).collect();
    let about = ["/mute  user [duration] [reason]", "user: who is to say nothing"];
    let about = about.map(ScreenText::new).to_vec();
    let completion = Completion { from: 6, to: 7, candidates, about };
    world.ui.overlay = Some(Overlay::Completion { completion, chosen: Some(11) });
    shots!("popup_argument", world);
}

#[test]
fn a_question_takes_the_place_of_the_prompt() {
    let mut world = World::busy();
    world.asks_for(
        "Are you sure that #games is to be deleted, with all that was said in it? (yes, no) ",
        false,
    );
    world.ui.typing.composer_mut().insert("ye");
    shots!("question", world);
    world.asks_for("Password for ann: ", true);
    world.ui.typing.composer_mut().insert("hunter2");
    let screen = world.screen(80, 24);
    assert!(!screen.contains("hunter2"));
    shots!("secret", world);
    // Not even its length can be seen.
    world.ui.typing.composer_mut().insert("hunter2 and more");
    assert_eq!(world.screen(80, 24), screen);
}

/// What is typed to a question is no message, so the user has to see that one is asked.
#[test]
fn a_question_can_not_look_like_the_prompt_of_the_chat() {
    let mut world = World::joined();
    world.asks_for("ann> ", false);
    let screen = world.screen(80, 24);
    assert!(screen.contains("|? ann> ") && !screen.contains("|ann>"), "{screen}");
}

#[test]
fn a_secret_argument_is_masked() {
    let mut world = World::joined();
    world.ui.typing.composer_mut().insert("/register hunter2");
    let screen = world.screen(80, 24);
    assert!(screen.contains("ann> /register *******") && !screen.contains("hunter2"), "{screen}");
}

#[test]
fn a_pasted_text_is_shown_in_its_lines_and_asked_about() {
    let mut world = World::busy();
    let text: Vec<_> = (1..=12).map(|n| format!("line {n} of what was pasted")).collect();
    world.ui.typing.composer_mut().paste(&text.join("\n"));
    world.ui.hint =
        Some("12 lines, 315 characters: Enter sends it as one message, Ctrl-C drops it".to_owned());
    shots!("paste", world);
}

#[test]
fn a_lost_connection() {
    let mut world = World::busy();
    let effects = world.app.connection_lost("the server closed the connection", Duration::ZERO, 0);
    world.take(effects);
    world.types("said while it was lost");
    let next = world.instant + Duration::from_millis(3500);
    world.link.lost = Some(("the server closed the connection".to_owned(), Some(next)));
    shots!("lost", world);
    shots!("lost", world, [(24, 6)]);
}

#[test]
fn nothing_protects_this_connection() {
    for (security, words) in
        [(Security::Plaintext, "PLAINTEXT"), (Security::Unverified, "TLS unverified")]
    {
        let mut world = World::busy();
        world.link.security = security;
        for (width, height) in SIZES.into_iter().chain([(24, 8)]) {
            let screen = world.screen(width, height);
            assert!(screen.contains(words), "{width}\n{screen}");
        }
    }
}

#[test]
fn lists() {
    let mut world = World::busy();
    let row = |n: usize| ListRow {
        text: ScreenText::new(&format!("bob: line {n}, in which something was found")),
        note: ScreenText::new("#games 22:13"),
    };
    let list = List {
        kind: ListKind::Search,
        title: "Search",
        query: "something".to_owned(),
        rows: (0..100).map(row).collect(),
        chosen: 40,
    };
    world.ui.overlay = Some(Overlay::List(list.clone()));
    shots!("search", world);
    world.ui.overlay = Some(Overlay::List(List { rows: Vec::new(), chosen: 0, ..list }));
    shots!("search_nothing", world, [(40, 12)]);
}

#[test]
fn help() {
    let mut world = World::busy();
    world.ui.overlay = Some(Overlay::Help { scroll: 0 });
    shots!("help", world);
    world.ui.overlay = Some(Overlay::Help { scroll: 10_000 });
    shots!("help_end", world, [(40, 12)]);
}

/// The help would lie to whoever has other keys.
#[test]
fn the_help_has_the_keys_of_the_user() {
    let keys = ["ctrl-t".to_owned()];
    let keymap = Keymap::changed([("help", keys.as_slice())]).unwrap();
    let mut world = World::busy();
    world.ui.typing = Typing::new(keymap);
    assert!(world.screen(80, 24).contains("Ctrl-T help"));
    world.ui.overlay = Some(Overlay::Help { scroll: 0 });
    let screen = world.screen(200, 60);
    assert!(screen.contains(" Ctrl-T      ") && !screen.contains("F1 "), "{screen}");
}

#[test]
fn panes_and_times_that_are_asked_for() {
    let mut world = World::busy();
    world.ui.people = Some(true);
    world.ui.conversations = Some(false);
    shots!("panes_other", world, [(80, 24), (200, 60)]);
    world.ui.conversations = Some(true);
    world.ui.times = Some(true);
    shots!("panes_all", world, [(40, 12), (60, 16)]);
}

#[test]
fn of_many_conversations_that_in_front_is_seen() {
    let mut world = World::joined();
    for n in 0..40 {
        world.says(&format!("user{n}"), "ann", "psst");
    }
    for place in [0, 5, 20, 42] {
        let target = world.app.model().unwrap().conversations()[place].target.clone();
        world.does(Intent::Open(target));
        let (buffer, drawn, _) = world.draw(80, 24);
        assert_eq!(drawn.conversations.len(), 21);
        let (row, _) = drawn.conversations.iter().find(|(_, at)| *at == place).unwrap();
        assert!(rows(&buffer)[usize::from(row.y)].contains(&format!("{} ", place + 1)));
    }
    insta::assert_snapshot!(world.screen(80, 24));
}

#[test]
fn a_crowd_is_counted_and_only_its_first_are_named() {
    let mut world = World::joined();
    let crowd: Vec<_> = (0..10_000).map(|n| format!("user{n}")).collect();
    world.gets(&serde_json::json!({ "USERS_JOINED": crowd }).to_string());
    world.gets(r#"{"PRESENCE": {"bob": {"SINCE": 5, "AWAY": "lunch"}}}"#);
    let screen = world.screen(120, 20);
    assert!(screen.contains("10003 here") && screen.contains("and 9988 more"), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn what_is_typed_elsewhere_has_a_sign_and_what_is_unread_beyond_the_edges_is_told() {
    let mut world = World::busy();
    for user in ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"] {
        world.says(user, "ann", "psst");
    }
    world.ui.typing = std::mem::replace(&mut world.ui.typing, ui().typing).with_drafts();
    let lobby = world.app.model().unwrap().in_front().unwrap().serial();
    world.ui.typing.arrive(lobby, false);
    world.ui.typing.composer_mut().set("half a line");
    world.does(Intent::Open(Target::User("u3".to_owned())));
    world.asks(PromptKind::Chat(ScreenText::new("@u3")));
    let front = world.app.model().unwrap().in_front().unwrap().serial();
    world.ui.typing.arrive(front, true);
    world.ui.typing.settle();
    shots!("drafts", world, [(80, 24), (80, 10)]);
}
