//! Replies and mentions, where the server agreed to what goes with messages (MT-3, MT-4).

use super::*;
use crate::model::{Body, Item};

fn agreed(options: Options) -> Scene {
    let offer = crate::spoken();
    let mut scene = Scene::new(Options { offer, ..options }).types("ann").gets(
        r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["Bob", "ann", "eve"],
            "MESSAGES": [["Bob", "ALL", 1700000000, "shall we\nmeet?"], ["eve", "ALL", 1700000000, "yes"]], "IDS": [17, 18],
            "META": [null, {"REPLY": 17}], "CAPABILITIES": "ids/1 meta/1 ping/1", "ACCOUNT": {"LEVEL": 0}}"#,
    );
    scene.screen.clear();
    scene
}

#[test]
fn a_reply_carries_the_number_and_nothing_of_what_it_answers() {
    let scene = agreed(Options { echo_own: true, ..Options::default() })
        .types("/reply @bob at five")
        .types("/reply last so do I")
        .gets(r#"{"ACKS": {"1": 19, "2": 20}}"#)
        .types("/reply 19 or six")
        .types("/reply last")
        .types("/reply none of it")
        .types("/reply @zoe hello");
    let sent: Vec<_> = scene.screen.lines().filter(|line| line.starts_with("net|")).collect();
    for (line, (text, id)) in sent.iter().zip([("at five", 17), ("so do I", 18), ("or six", 19)]) {
        assert!(line.contains(&format!(r#""{text}"]"#)), "{line}");
        assert!(line.contains(&format!(r#""META": [{{"REPLY": {id}}}]"#)), "{line}");
        assert!(!line.contains("meet"), "{line}");
    }
    assert_eq!(sent.len(), 3, "{}", scene.screen);
    assert_eq!(scene.screen.matches("/reply last TEXT").count(), 2, "{}", scene.screen);
    assert!(scene.screen.contains("what you answer is not loaded here"), "{}", scene.screen);
}

/// The words above the messages that a frame brings.
fn quoted(app: &mut App, body: &str) -> Vec<String> {
    let effects = app.received(&body.to_owned().into(), NOW);
    let quotes = effects.into_iter().filter_map(|effect| match effect {
        Effect::Show(Output::Message(message)) => message.quote.map(|quote| quote.words()),
        _ => None,
    });
    quotes.collect()
}

/// What a scene has sent beside its last message, as it stands in the frame.
fn beside(scene: &Scene) -> &str {
    let line = scene.screen.lines().rev().find(|line| line.starts_with("net| ")).unwrap();
    let metas = line.split_once(r#""META": ["#).map(|(_, metas)| metas);
    metas.and_then(|metas| metas.strip_suffix("]}")).unwrap_or_default()
}

#[test]
fn a_number_that_no_message_has_is_not_answered() {
    let scene = agreed(Options { echo_own: true, ..Options::default() })
        .types("/reply 0 hi")
        .types("/reply 9007199254740992 hi")
        .types("/reply 18446744073709551616 hi")
        .types("/reply -1 hi");
    assert!(!scene.screen.contains("net|"), "{}", scene.screen);
    assert_eq!(scene.screen.matches("/reply last TEXT").count(), 4, "{}", scene.screen);
    let scene = scene.types("/reply 9007199254740991 hi");
    assert_eq!(beside(&scene), r#"{"REPLY": 9007199254740991}"#);
}

#[test]
fn a_reply_shows_nothing_of_another_conversation() {
    let mut app = agreed(Options::default()).app;
    let said = r#"{"MESSAGES": [["Bob", "ann", 1700000000, "a secret"]], "IDS": [30]}"#;
    assert!(quoted(&mut app, said).is_empty());
    let body = r#"{"MESSAGES": [["eve", "ALL", 1700000000, "x"], ["eve", "ann", 1700000000, "x"], ["bob", "ann", 1700000000, "x"]],
            "IDS": [31, 32, 33], "META": [{"REPLY": 30}, {"REPLY": 30}, {"REPLY": 30}]}"#;
    let missing = "\u{21aa} a message that is not loaded";
    assert_eq!(quoted(&mut app, body), [missing, missing, "\u{21aa} Bob: a secret"]);
}

#[test]
fn what_was_said_under_an_earlier_name_is_quoted_under_the_new_one() {
    let offer = crate::spoken();
    let scene = Scene::new(Options { offer, ..Options::default() })
        .types("ann")
        .gets(
            r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["Bob", "ann"], "MESSAGES": [["Bob", "ann", 1700000000, "now"]], "IDS": [17],
            "CAPABILITIES": "ids/1 meta/1 rename/1"}"#,
        )
        .gets(r#"{"USERS_RENAMED": {"Bob": "rob"}}"#)
        .types("/history @rob")
        .gets(
            r#"{"HISTORY": {"WITH": "rob", "MESSAGES": [["robert", "anna", 1700000000, "older"]], "IDS": [3], "MORE": false}}"#,
        );
    let mut app = scene.app;
    let body = r#"{"MESSAGES": [["rob", "ann", 1700000000, "x"], ["rob", "ann", 1700000000, "x"]], "IDS": [18, 19],
            "META": [{"REPLY": 17}, {"REPLY": 3}]}"#;
    assert_eq!(quoted(&mut app, body), ["\u{21aa} Bob: now", "\u{21aa} robert: older"]);
}

#[test]
fn what_was_said_privately_under_an_earlier_name_is_no_one_elses() {
    let model = Some(crate::model::Limits::USUAL);
    let options = Options { interactive: true, all_rooms: true, model, ..Options::default() };
    let private = |from: &str, to: &str, id: u32| {
        format!(r#"{{"MESSAGES": [["{from}", "{to}", 1700000000, "x{id}"]], "IDS": [{id}]}}"#)
    };
    let mut scene = Scene::negotiated(options)
        .gets(r#"{"USERS_RENAMED": {"ann": "annie"}}"#)
        .gets(&private("ann", "bob", 20))
        .gets(&private("bob", "ann", 21));
    let with = |scene: &Scene, name: &str| {
        let one = scene.app.model().unwrap().conversation(&Target::User(name.to_owned()));
        let is_speech = |item: &&Item| matches!(item.body, Body::Speech(_));
        one.map(|one| (one.timeline.iter().filter(is_speech).count(), one.unread))
    };
    assert_eq!((with(&scene, "bob"), with(&scene, "ann")), (Some((2, 1)), None));
    let mut alerts = std::iter::from_fn(|| scene.app.take_alert());
    assert_eq!(alerts.next().map(|alert| alert.text.to_string()), Some("x21".to_owned()));
    assert!(alerts.next().is_none());
    // Whoever has that name now is somebody else.
    let scene = scene.gets(&private("ann", "annie", 22));
    assert_eq!(with(&scene, "ann"), Some((1, 1)));
    // On a page of what was said with bob the other one is this user, whatever the name was.
    let scene = scene.types("/history @bob");
    let mut app = scene.app;
    let page = r#"{"HISTORY": {"WITH": "bob", "MESSAGES": [["anna", "bob", 1, "x"], ["bob", "anna", 1, "x"], ["robert", "anna", 1, "x"]],
            "IDS": [1, 2, 3], "MORE": false}}"#;
    let effects = app.received(&page.into(), NOW);
    let own = effects.iter().filter_map(|effect| match effect {
        Effect::Show(Output::Message(message)) => Some(message.own),
        _ => None,
    });
    assert_eq!(own.collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn everybody_may_be_mentioned_as_soon_as_the_level_allows_it() {
    let offer = crate::spoken();
    let command = |name: &str| {
        format!(
            r#"{{"NAME": "{name}", "ALIASES": [], "ARGUMENTS": [], "HELP": "", "EXAMPLE": "", "LEVEL": 0}}"#
        )
    };
    let names = ["elevate", "perm", "set-perm", "list"].map(command).join(", ");
    let mut scene = Scene::new(Options { offer, interactive: true, ..Options::default() })
        .types("ann")
        .gets(
            r##"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [], "IDS": [], "DEFAULT": "ALL",
            "ROOMS": [{"ROOM": "#lab", "NUMBER": 12, "LEVEL": 1, "ROSTER": true, "COUNT": 2, "USERS": ["ann", "bob"], "TOPIC": "",
                "TALK": 0, "KEEP": "all", "LAST": 0}],
            "CAPABILITIES": "accounts/1 commands/1 ids/1 meta/1 rooms/1", "ACCOUNT": {"LEVEL": 1}}"##,
        )
        .gets(&format!(r#"{{"PREFIX": "/", "COMMANDS": [{names}]}}"#));
    let all = r#"{"MENTIONS": ["ALL"]}"#;
    for (place, (command, ok, data, expected)) in [
        ("list", true, r#"{"LEVEL": 5}"#, ""),
        ("elevate", false, r#"{"LEVEL": 5}"#, ""),
        ("perm", true, r#"{"NAME": "bob", "LEVEL": 5}"#, ""),
        ("set-perm", true, r##"{"NAME": "ann", "LEVEL": 4, "ROOM": "#lab"}"##, ""),
        ("elevate", true, r#"{"LEVEL": 5}"#, all),
        ("set-perm", true, r#"{"NAME": "Ann", "LEVEL": 2, "ACCOUNT": "ann"}"#, ""),
        ("perm", true, r#"{"NAME": "ann", "LEVEL": 3, "ROOM": null}"#, all),
        ("elevate", true, r#"{"LEVEL": 300}"#, all),
        ("perm", true, r#"{"NAME": "ann", "LEVEL": 1}"#, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let id = place + 1;
        let result = format!(
            r#"{{"RESULT": {{"ID": "{id}", "OK": {ok}, "CODE": "x", "INFO": "x", "ERROR": "x", "DATA": {data}}}}}"#
        );
        scene = scene.types(&format!("/{command}")).gets(&result).types("hello @ALL");
        assert_eq!(beside(&scene), expected, "{command} {data}");
    }
    // In a room it is the level there.
    for (level, expected) in [(3, all), (2, "")] {
        let told =
            format!(r##"{{"ROOMS": [{{"ROOM": "#lab", "NUMBER": 12, "LEVEL": {level}}}]}}"##);
        scene = scene.gets(&told).types("#lab hello @ALL");
        assert_eq!(beside(&scene), expected, "{level}");
        scene = scene.types("hello @ALL");
        assert_eq!(beside(&scene), "", "{level}");
    }
}

#[test]
fn what_goes_with_a_message_is_no_longer_than_the_server_takes() {
    let offer = crate::spoken();
    let name = |letter: char| format!("{}{letter}", "\u{e9}".repeat(31));
    let names: Vec<_> = ('a'..='s').map(name).chain(["bob".to_owned()]).collect();
    let users = serde_json::to_string(&names).unwrap();
    let scene = Scene::new(Options { offer, ..Options::default() }).types("ann").gets(&format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": {users}, "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1 meta/1"}}"#
    ));
    let scene = scene.types(&format!("/reply 5 @{}", names.join(" @")));
    let raw = beside(&scene);
    assert!((1800..=chatterbox_proto::limits::META).contains(&raw.len()), "{}", raw.len());
    let meta: serde_json::Value = serde_json::from_str(raw).unwrap();
    assert_eq!(meta["REPLY"], 5);
    assert_eq!(meta["MENTIONS"][0], *names[0]);
    assert_eq!(meta["MENTIONS"].as_array().unwrap().last().unwrap(), "bob");
}

#[test]
fn a_reply_is_shown_below_the_beginning_of_what_it_answers() {
    let mut app = agreed(Options::default()).app;
    let body = r#"{"MESSAGES": [["eve", "ALL", 1700000000, "sure"], ["eve", "ALL", 1700000000, "so"]], "IDS": [19, 20],
            "META": [{"REPLY": 17}, {"REPLY": 3}]}"#;
    let effects = app.received(&body.to_owned().into(), NOW);
    let shown = effects.into_iter().filter_map(|effect| match effect {
        Effect::Show(output) => Some(crate::words::whole(output.into_terminal_spans())),
        _ => None,
    });
    assert_eq!(
        shown.collect::<Vec<_>>().join("\n"),
        "        \u{21aa} Bob: shall we\n[22:13] eve: sure\n        \u{21aa} a message that is not loaded\n[22:13] eve: so"
    );
}

#[test]
fn who_is_there_is_mentioned_and_who_is_mentioned_is_told() {
    let scene = agreed(Options::default()).types("@ALL (@bob, @zoe and @EVE!) a@b");
    assert!(scene.screen.contains(r#""META": [{"MENTIONS": ["Bob", "eve"]}]"#), "{}", scene.screen);
    let mentioned = |meta: &str, text: &str| {
        let mut app = agreed(Options::default()).app;
        let body = format!(
            r#"{{"MESSAGES": [["eve", "ALL", 1700000000, "{text}"]], "IDS": [19], "META": [{meta}]}}"#
        );
        let effects = app.received(&body.into(), NOW);
        let found = effects.iter().find_map(|effect| match effect {
            Effect::Show(Output::Message(message)) => Some((message.mention, message.named)),
            _ => None,
        });
        found.unwrap()
    };
    assert_eq!(mentioned("null", "ann?"), (true, false));
    assert_eq!(mentioned(r#"{"MENTIONS": ["Ann"]}"#, "you"), (true, true));
    assert_eq!(mentioned(r#"{"MENTIONS": ["ALL"]}"#, "you"), (true, true));
    assert_eq!(mentioned(r#"{"MENTIONS": ["Bob"]}"#, "ann?"), (false, false));
    assert_eq!(mentioned("null", "you"), (false, false));
}

#[test]
fn programs_are_told_what_goes_with_a_message() {
    let mut app = agreed(Options { json: true, ..Options::default() }).app;
    let body = r#"{"MESSAGES": [["eve", "ALL", 1700000000, "sure"], ["eve", "ALL", 1700000000, "so"]], "IDS": [21, 22],
            "META": [{"REPLY": 17, "MENTIONS": ["ann", "Bob"]}, null]}"#;
    let lines = app.received(&body.to_owned().into(), NOW);
    let lines = lines.iter().filter_map(|effect| match effect {
        Effect::Show(output) => Some(output.json()),
        _ => None,
    });
    let lines: Vec<_> = lines.collect();
    assert!(lines[0].contains(r#""reply": 17"#), "{lines:?}");
    assert!(lines[0].contains(r#""mentions": ["ann", "Bob"]"#), "{lines:?}");
    assert!(!lines[1].contains("reply") && !lines[1].contains("mentions"), "{lines:?}");
}

#[test]
fn without_meta_a_reply_is_no_command_and_nothing_is_put_beside_a_text() {
    let scene = Scene::negotiated(Options::default()).types("@ALL @bob hello").types("/reply 17 x");
    assert!(!scene.screen.contains("META"), "{}", scene.screen);
}
