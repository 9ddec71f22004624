//! Replies and mentions, where the server agreed to what goes with messages (MT-3, MT-4).

use super::*;

fn agreed(options: Options) -> Scene {
    let offer = Capability::EVERY.iter().copied().collect();
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
