//! Names, passwords, numbers and changes of name, with a server that speaks them.

use bytes::Bytes;

use super::*;

fn terminal() -> Options {
    Options { interactive: true, ..Options::default() }
}

fn offering(options: Options) -> Scene {
    Scene::new(Options { offer: crate::spoken(), ..options })
}

#[test]
fn the_offer_goes_with_the_name_and_a_base_server_changes_nothing() {
    let scene = offering(Options { echo_own: true, ..Options::default() })
        .types("ann")
        .gets(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": []}"#)
        .types("hello")
        .types("/history")
        .types("/register");
    insta::assert_snapshot!(scene.screen);
    assert_eq!(scene.app.input_mode(), InputMode::Chat);
    assert!(!scene.app.is_acknowledged());
}

#[test]
fn a_registered_name_takes_its_password() {
    let scene = offering(terminal()).types("ann").gets(
        r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is registered.", "CODE": "registered"}"#,
    );
    assert_eq!(scene.app.input_mode(), InputMode::Password);
    let question = scene.app.question().unwrap();
    assert_eq!((question.text.as_str(), question.secret), ("password of ann: ", true));
    let scene = scene
        .types("wrong")
        .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "The password is wrong.", "CODE": "wrong-password"}"#)
        .types("right")
        .gets(
            r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "CAPABILITIES": "accounts/1",
                "ACCOUNT": {"LEVEL": 1, "TOKEN": "for next time"}}"#,
        );
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn whoever_does_not_know_the_password_takes_another_name() {
    let registered = r#"{"USERNAME_ACCEPTED": false, "CODE": "registered"}"#;
    for scene in [
        offering(terminal()).types("ann").gets(registered).types(""),
        offering(terminal()).types("ann").gets(registered).cancels(),
    ] {
        assert_eq!(scene.app.input_mode(), InputMode::Name);
        let scene = scene.types("zoe");
        assert!(!scene.screen.contains("PASSWORD"), "{}", scene.screen);
    }
}

#[test]
fn a_password_that_was_given_goes_with_the_name_and_is_tried_once() {
    let password = Some(Secret::new("given"));
    let username = Some("ann".to_owned());
    let scene = offering(Options { username, password, ..Options::default() })
        .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "no", "CODE": "wrong-password"}"#);
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_kept_token_goes_with_its_name_and_is_forgotten_when_it_is_old() {
    let tokens = BTreeMap::from([("ann".to_owned(), Secret::new("kept"))]);
    let scene = offering(Options { tokens, ..terminal() })
        .types("zoe")
        .gets(r#"{"USERNAME_ACCEPTED": false, "CODE": "taken"}"#)
        .types("ann")
        .gets(r#"{"USERNAME_ACCEPTED": false, "CODE": "wrong-token"}"#)
        .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "registered", "CODE": "registered"}"#);
    insta::assert_snapshot!(scene.screen);
    assert_eq!(scene.app.input_mode(), InputMode::Password);
}

#[test]
fn through_pipes_a_registered_name_is_said_and_the_next_line_is_a_name() {
    let scene = offering(Options::default())
        .types("ann")
        .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "registered", "CODE": "registered"}"#);
    assert_eq!(scene.app.input_mode(), InputMode::Name);
    assert!(scene.screen.contains("--password-file"), "{}", scene.screen);
    let username = Some("ann".to_owned());
    let scene = offering(Options { username, ..Options::default() })
        .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "registered", "CODE": "registered"}"#);
    assert!(scene.screen.ends_with("end| give up: PasswordNeeded\n"), "{}", scene.screen);
}

#[test]
fn messages_are_tagged_and_everything_is_settled_when_it_is_answered() {
    let scene = Scene::negotiated(Options { echo_own: true, ..Options::default() });
    assert!(scene.app.is_settled());
    let scene = scene.types("one").types("@zoe two").types("three");
    assert_eq!(scene.app.pending_replies(), 3);
    let scene = scene
        .gets(r#"{"MESSAGES": [["ann", "ALL", 1700000000, "one"]], "IDS": [18], "ACKS": {"1": 18}}"#)
        .gets(r#"{"ERROR": "MESSAGES[0]: nobody by that name is here: zoe (DE-2)", "REFUSED": {"2": {"CODE": "no-such-user", "ERROR": "nobody by that name is here"}}}"#);
    assert!(!scene.app.is_settled());
    let scene = scene.gets(r#"{"ACKS": {"3": 19}}"#).gets(
        r#"{"MESSAGES": [["bob", "ALL", 1700000000, "hi"], ["SERVER", "ALL", 1700000000, "maintenance"]], "IDS": [20, null]}"#,
    );
    assert!(scene.app.is_settled());
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_refusal_without_an_error_beside_it_is_told() {
    let scene = Scene::negotiated(Options::default())
        .types("@zoe x")
        .gets(r#"{"REFUSED": {"1": {"CODE": "blocked", "ERROR": "they blocked you"}}}"#);
    assert_eq!(scene.screen.matches("they blocked you").count(), 1, "{}", scene.screen);
}

#[test]
fn when_the_server_owes_many_answers_lines_wait() {
    for (options, window) in [(Options::default(), WINDOW_OF_PIPES), (terminal(), WINDOW)] {
        let mut scene = Scene::negotiated(options);
        for number in 0..window {
            assert_eq!(scene.app.input_mode(), InputMode::Chat);
            scene = scene.types(&number.to_string());
        }
        assert_eq!(scene.app.input_mode(), InputMode::WindowFull);
        let scene = scene.gets(r#"{"ACKS": {"1": 18}}"#);
        assert_eq!(scene.app.input_mode(), InputMode::Chat);
    }
}

#[test]
fn names_change_on_the_screen_and_for_the_server() {
    let scene = Scene::negotiated(Options::default())
        .gets(r#"{"USERS_RENAMED": {"bob": "robert"}}"#)
        .gets(r#"{"USERS_RENAMED": {"ann": "anna"}, "MESSAGES": [["robert", "anna", 1700000000, "nice"]], "IDS": [18]}"#)
        .types("/users")
        .types("hello");
    assert_eq!(scene.app.me(), Some("anna"));
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_ping_is_answered() {
    let scene = Scene::negotiated(Options::default()).gets(r#"{"PING": -7}"#);
    assert_eq!(scene.screen, "net| {\"PONG\": -7}\n");
}

#[test]
fn history_goes_back_page_by_page() {
    let page = |first: u32, more: bool| {
        format!(
            r#"{{"HISTORY": {{"WITH": "ALL", "MESSAGES": [["bob", "ALL", 1600000000, "m{first}"], ["zoe", "ALL", 1600000001, "m{}"]],
                "IDS": [{first}, {}], "MORE": {more}}}}}"#,
            first + 1,
            first + 1
        )
    };
    let scene = Scene::negotiated(Options::default())
        .types("/history 2")
        .gets(&page(7, true))
        .types("/history 2")
        .gets(&page(5, false))
        .types("/history")
        .types("hello")
        .types("/history")
        .types("/history bob")
        .types("/history @123 5")
        .types("/history bob 501")
        .types("/history 1 2");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn for_programs_every_line_is_an_object_of_ascii() {
    let json = |scene: &Scene, text: &str, gets: &[&str]| {
        let mut app = App::new(
            Options { json: true, echo_own: true, ..scene.options.clone() },
            TimeFormatter::new(TimeZone::UTC),
        );
        let mut effects = app.typed("ann", InputMode::Name, NOW);
        for body in gets {
            effects.extend(all_of(&mut app, body.as_bytes()));
        }
        effects.extend(app.typed(text, app.input_mode(), NOW));
        effects.extend(all_of(&mut app, br#"{"ACKS": {"1": 18}, "MESSAGES": [["b\u00f6b\u202e", "ann", 1, "x\u001b"]], "IDS": [19], "USERS_LEFT": ["bob"], "ERROR": "e", "INFO": "i"}"#));
        effects.extend(all_of(&mut app, br#"{"USERS_RENAMED": {"x": "y"}, "PROMPT": {"ID": "1", "TEXT": "t?", "SECRET": true}}"#));
        effects.extend(all_of(&mut app, br#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "done", "DATA": {"LEVEL": 1, "TOKEN": "hush"}}}"#));
        effects.extend(all_of(
            &mut app,
            br#"{"HISTORY": {"WITH": "bob", "MESSAGES": [], "IDS": [], "MORE": false}}"#,
        ));
        effects.extend(app.typed("@zoe hm", app.input_mode(), NOW));
        effects.extend(all_of(
            &mut app,
            br#"{"ERROR": "e", "REFUSED": {"2": {"CODE": "no-such-user", "ERROR": "e"}}}"#,
        ));
        effects.extend(app.connection_lost("gone", Duration::ZERO, 0));
        effects.extend(app.reconnected());
        effects.extend(all_of(&mut app, br#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1", "RESUME": "session", "RESUMED": true}"#));
        let mut lines = String::new();
        for effect in effects {
            if let Effect::Show(line) = effect {
                lines += &line.json();
                lines.push('\n');
            }
        }
        lines
    };
    let offer = crate::spoken();
    let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(60)));
    let scene = Scene::new(Options { offer, reconnect, ..Options::default() });
    let refused = r#"{"USERNAME_ACCEPTED": false, "INFO": "no", "CODE": "taken"}"#;
    let lines = json(&scene, "zoe", &[refused])
        + &json(
            &scene,
            "hello",
            &[
                r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob"], "MESSAGES": [["bob", "ALL", 1, "old"]], "IDS": [17],
                    "CAPABILITIES": "commands/1 ids/1 rename/1 accounts/1", "ACCOUNT": {"LEVEL": 1}, "RESUME": "session"}"#,
                COMMANDS,
            ],
        );
    for line in lines.lines() {
        assert!(line.is_ascii() && !line.contains(char::is_control), "{line}");
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value.get("event").is_some_and(serde_json::Value::is_string), "{line}");
    }
    assert!(!lines.contains("hush"));
    insta::assert_snapshot!(lines);
}

/// All effects of a frame.
fn all_of(app: &mut App, body: &[u8]) -> Vec<Effect> {
    let mut effects = app.received(&bytes::Bytes::copy_from_slice(body), NOW);
    while app.has_more() {
        effects.extend(app.more(NOW));
    }
    effects
}

#[test]
fn a_pipe_says_again_what_the_server_takes_later_and_a_person_decides() {
    for interactive in [false, true] {
        let scene = offering(Options { interactive, ..Options::default() }).types("ann").gets(
            r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1"}"#,
        );
        let mut app = scene.app;
        let typed = |app: &mut App, text: &str| app.typed(text, InputMode::Chat, 100);
        for text in ["a", "b", "c"] {
            typed(&mut app, text);
        }
        let refused = br#"{"ERROR": "too much", "REFUSED": {"2": {"CODE": "flood", "ERROR": "too much", "WAIT": 3}, "3": {"CODE": "flood", "ERROR": "too much", "WAIT": 3}}, "ACKS": {"1": 7}}"#;
        let effects = app.received(&Bytes::from_static(refused), 100);
        if interactive {
            assert_eq!((app.again_at(), app.unanswered()), (None, 0));
            continue;
        }
        assert_eq!((app.again_at(), app.unanswered()), (Some(104), 2));
        // What comes behind waits in its turn, and what is no message waits for all before it.
        assert_eq!(app.input_mode(), InputMode::Chat);
        assert_eq!(typed(&mut app, "behind"), []);
        assert_eq!((typed(&mut app, "/name"), app.input_mode()), (vec![], InputMode::WindowFull));
        assert!(!format!("{effects:?}").contains("Error("), "it is no failure: {effects:?}");
        assert_eq!(app.failures(), 0);
        assert_eq!(app.say_again(103), []);
        let again = app.say_again(104);
        let [Effect::Send(frame)] = &again[..] else { panic!("{again:?}") };
        let text = String::from_utf8_lossy(&frame[4..]).into_owned();
        assert!(text.contains(r#""TAGS": ["2", "3", "4"]"#), "{text}");
        assert_eq!((app.again_at(), app.input_mode()), (None, InputMode::WindowFull));
        let acks = br#"{"ACKS": {"2": 8, "3": 9, "4": 10}}"#;
        let effects = app.received(&Bytes::from_static(acks), 104);
        assert!(format!("{effects:?}").contains("You are ann."), "{effects:?}");
        assert_eq!((app.unanswered(), app.input_mode()), (0, InputMode::Chat));
        // For a while one frame in some seconds is all, so that a long input is no flood that mutes.
        assert_eq!((typed(&mut app, "paced"), app.again_at()), (vec![], Some(110)));
        assert_eq!((app.say_again(109), app.say_again(110).len()), (vec![], 1));
        app.received(&Bytes::from_static(br#"{"ACKS": {"5": 11}}"#), 110);
        assert_eq!(app.typed("soon", InputMode::Chat, 160).len(), 1);
        app.received(&Bytes::from_static(br#"{"ACKS": {"6": 12}}"#), 160);
        // What is no matter of time is refused for good.
        app.typed("d", InputMode::Chat, 170);
        let refused =
            br#"{"ERROR": "no", "REFUSED": {"7": {"CODE": "muted", "ERROR": "no", "UNTIL": 999}}}"#;
        app.received(&Bytes::from_static(refused), 105);
        assert_eq!((app.again_at(), app.unanswered(), app.failures()), (None, 0, 1));
    }
}

#[test]
fn a_compressed_frame_may_come_as_a_welcome_where_that_is_offered_and_later_where_it_is_agreed() {
    let may = |scene: &Scene| (scene.app.takes_zstd(), scene.app.agrees_to_zstd());
    for (agreed, does) in [("ids/1 zstd/1", true), ("ids/1", false)] {
        let scene = offering(terminal()).types("ann");
        assert_eq!(may(&scene), (true, false));
        let welcome = format!(
            r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "CAPABILITIES": "{agreed}"}}"#
        );
        let scene = scene.gets(&welcome);
        assert_eq!(may(&scene), (does, does));
        // Another connection begins with another welcome.
        assert_eq!(may(&scene.loses(0).connects()), (true, false));
    }
    assert_eq!(may(&Scene::new(terminal()).types("ann")), (false, false));
}
