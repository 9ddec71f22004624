//! What a person at a terminal reads.

use chatterbox_proto::WireText;

use super::*;
use crate::words::{Role, whole};

fn person() -> Options {
    Options { interactive: true, echo_own: true, ..Options::default() }
}

/// What a terminal shows of the messages of a frame, for ann.
fn shown(frame: &str) -> String {
    let mut scene = Scene::negotiated(person());
    let effects = scene.app.received(&frame.to_owned().into(), NOW);
    let outputs = effects.into_iter().filter_map(|effect| match effect {
        Effect::Show(output) => Some(whole(output.into_terminal_spans())),
        _ => None,
    });
    outputs.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_meant_for_the_user_is_marked_where_nobody_else_can_write() {
    let said = |from: &str, to: &str, text: &str| {
        shown(&format!(
            r#"{{"MESSAGES": [["{from}", "{to}", 1700000000, "{text}"]], "IDS": [18]}}"#
        ))
    };
    let table = [
        (said("bob", "ALL", "hi"), "[22:13] bob: hi"),
        (said("bob", "ALL", "hi Ann!"), "[22:13 *] bob: hi Ann!"),
        (said("bob", "ALL", "annoying"), "[22:13] bob: annoying"),
        (said("bob", "ann", "psst"), "[22:13 *] bob -> ann: psst"),
        (said("ann", "bob", "I am ann"), "[22:13] ann -> bob: I am ann"),
        (said("*", "ALL", "hi"), "[22:13] *: hi"),
        (said("SERVER", "ALL", "hi"), "[22:13] SERVER: hi"),
    ];
    for (line, expected) in table {
        assert_eq!(line, expected);
    }
}

#[test]
fn the_mark_is_no_part_of_what_goes_through_pipes() {
    let body = r#"{"MESSAGES": [["bob", "ann", 1700000000, "one\ntwo"]], "IDS": [18]}"#;
    let mut scene = Scene::negotiated(Options::default());
    let effects = scene.app.received(&body.to_owned().into(), NOW);
    let [Effect::Show(output)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(output.text(), r"[22:13] bob -> ann: one\ntwo");
    assert!(!output.json().contains("mention"), "{}", output.json());
    let spans = output.clone().into_terminal_spans();
    assert_eq!(spans.iter().filter(|span| span.role == Role::Mention).count(), 1);
}

#[test]
fn several_lines_are_lines_and_none_of_them_can_be_taken_for_another_one() {
    let shown = shown(
        r#"{"MESSAGES": [["bob", "ALL", 1700000000, "one\n[22:13] cyd: two\r\n\n* you are out\u001b[2J\n"]], "IDS": [18]}"#,
    );
    assert_eq!(
        shown,
        "[22:13] bob: one\n        | [22:13] cyd: two\n        | \n        | * you are out\\u{1b}[2J"
    );
}

#[test]
fn a_message_of_very_many_lines_is_cut() {
    let lines = "x\\n".repeat(170);
    let text = format!(r#"{{"MESSAGES": [["bob", "ALL", 1700000000, "{lines}"]], "IDS": [18]}}"#);
    let shown = shown(&text);
    assert_eq!(shown.lines().count(), 51);
    assert!(shown.ends_with("\n        | x\n        | … 120 more lines"), "{shown}");
}

#[test]
fn what_was_said_before_is_set_apart_for_people_only() {
    let welcome = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [["bob", "ALL", 1700000000, "a"], ["bob", "ALL", 1700000000, "b"]]}"#;
    let line = |options: Options, welcome: &str| {
        let scene = Scene::new(options).types("ann").gets(welcome);
        let line = scene.screen.lines().find(|line| line.contains("from before"));
        line.map(str::to_owned)
    };
    let expected = "err| -- 2 messages from before; what follows is new";
    assert_eq!(line(person(), welcome).as_deref(), Some(expected));
    assert_eq!(line(Options { interactive: false, ..person() }, welcome), None);
    assert_eq!(line(Options { json: true, ..person() }, welcome), None);
    assert_eq!(
        line(person(), r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": []}"#),
        None
    );
}

#[test]
fn own_messages_are_shown_once_whatever_comes_back() {
    let count = |scene: &Scene, text: &str| scene.screen.matches(text).count();
    // A server of the base protocol sends what was said back, private or not, with a time of its own.
    let scene = Scene::new(person()).joined().types("hello").types("@bob psst").gets(
        r#"{"MESSAGES": [["ann", "ALL", 1700000001, "hello"], ["ann", "bob", 1700000001, "psst"]]}"#,
    );
    assert_eq!(count(&scene, "] ann: hello"), 1, "{}", scene.screen);
    assert_eq!(count(&scene, "] ann -> bob: psst"), 1, "{}", scene.screen);
    // Said twice is shown twice.
    let scene = Scene::new(person())
        .joined()
        .types("hello")
        .types("hello")
        .gets(r#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#)
        .gets(r#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#);
    assert_eq!(count(&scene, "] ann: hello"), 2, "{}", scene.screen);
    // To oneself.
    let scene = Scene::new(person())
        .joined()
        .types("@ann note")
        .gets(r#"{"MESSAGES": [["ann", "ann", 1, "note"]]}"#);
    assert_eq!(count(&scene, "note"), 3, "the key, the frame and one line: {}", scene.screen);
    // With numbers, and what was said elsewhere under the same name.
    let scene = Scene::negotiated(person())
        .types("hello")
        .gets(r#"{"ACKS": {"1": 18}, "MESSAGES": [["ann", "ALL", 1700000000, "hello"]], "IDS": [18]}"#)
        .gets(r#"{"MESSAGES": [["ann", "ALL", 1700000000, "from elsewhere"]], "IDS": [19]}"#);
    assert_eq!(count(&scene, "] ann: hello"), 1, "{}", scene.screen);
    assert_eq!(count(&scene, "] ann: from elsewhere"), 1, "{}", scene.screen);
}

#[test]
fn a_login_under_a_registered_name_begins_with_the_password() {
    let refused =
        r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is registered.", "CODE": "registered"}"#;
    let offer = crate::spoken();
    let scene = |options: Options| {
        let username = Some("ann".to_owned());
        Scene::new(Options { username, offer, ..options }).gets(refused)
    };
    let person = scene(person());
    assert!(
        person.screen.ends_with("\nerr| -- ann is registered. An empty line takes another name.\n"),
        "{}",
        person.screen
    );
    assert_eq!(person.app.input_mode(), InputMode::Password);
    assert_eq!(person.app.question().unwrap().text.as_str(), "password of ann: ");
    // One question, one password, and a wrong one is a refusal.
    let person = person.types("wrong").gets(
        r#"{"USERNAME_ACCEPTED": false, "INFO": "The password is wrong.", "CODE": "wrong-password"}"#,
    );
    assert!(person.screen.ends_with("refused the name ann: The password is wrong.\n"));
    assert_eq!(person.app.input_mode(), InputMode::Password);
    let person = person.types("");
    assert_eq!(person.app.input_mode(), InputMode::Name);
    let pipes = scene(Options::default()).screen;
    assert!(pipes.contains("out| ! the server refused the name ann: This name is registered.\n"));
}

#[test]
fn the_refusals_of_the_server_are_without_clauses_and_messages_keep_theirs() {
    let scene = Scene::negotiated(person())
        .types("@zoe hi")
        .gets(r#"{"ERROR": "MESSAGES[0]: nobody by that name is here: zoe (DE-2)"}"#)
        .gets(
            r#"{"MESSAGES": [["bob", "ALL", 1700000000, "MESSAGES[0]: see (DE-2)"]], "IDS": [18]}"#,
        );
    assert!(scene.screen.contains("out| ! server: nobody by that name is here: zoe\n"));
    assert!(scene.screen.ends_with("bob: MESSAGES[0]: see (DE-2)\n"), "{}", scene.screen);
    let error = Output::Error(WireText::new("no (DE-2)"));
    assert_eq!(error.json(), r#"{"event": "error", "text": "no (DE-2)"}"#);
}

#[test]
fn the_connection_is_described_in_words() {
    let scene = Scene::negotiated(person()).types("hi").types("/connection");
    let told = scene.screen.split_once("key| /connection\n").unwrap().1;
    assert_eq!(
        told,
        "err| -- (the link)\nerr| -- You are ann.\n\
        err| -- The server has registered names, commands, confirmed messages and pages of history, a heartbeat, \
        other names while you are here.\nerr| -- 1 message is not confirmed yet.\n"
    );
}
