//! The connection is lost, and comes back.

use super::*;

fn options() -> Options {
    let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(10)));
    Options { echo_own: true, reconnect, ..Options::default() }
}

fn welcome_back(rest: &str) -> String {
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann", "cyd"], "CAPABILITIES": "ids/1", "RESUME": "session", {rest}}}"#
    )
}

#[test]
fn a_session_goes_on_and_nothing_is_lost_or_shown_twice() {
    let scene = Scene::negotiated(options())
        .types("one")
        .types("two")
        .gets(r#"{"MESSAGES": [["ann", "ALL", 1700000000, "one"]], "IDS": [18], "ACKS": {"1": 18}}"#)
        .loses(0)
        .types("@bob three")
        .loses(1)
        .connects()
        // "two" had arrived; its answer was lost.
        .gets(&welcome_back(
            r#""RESUMED": true, "MESSAGES": [["ann", "ALL", 1700000000, "two"], ["cyd", "ALL", 1700000001, "hi"]], "IDS": [19, 20]"#,
        ))
        .gets(r#"{"ACKS": {"2": 19}}"#)
        .gets(r#"{"MESSAGES": [["cyd", "ALL", 1700000001, "hi"]], "IDS": [20], "ACKS": {"3": 21}}"#);
    assert!(scene.app.is_settled() && !scene.app.is_down());
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_session_that_can_not_go_on_joins_anew_and_sends_only_what_did_not_arrive() {
    let scene = Scene::negotiated(options())
        .types("one")
        .types("two")
        .loses(0)
        .connects()
        .gets(&welcome_back(
            r#""RESUMED": false, "MESSAGES": [["bob", "ALL", 1700000000, "old"], ["ann", "ALL", 1700000000, "one"], ["bob", "ALL", 1700000001, "new"]], "IDS": [17, 18, 19]"#,
        ));
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn another_history_is_shown_as_a_whole() {
    let scene = Scene::negotiated(options()).loses(0).connects().gets(&welcome_back(
        r#""RESUMED": false, "MESSAGES": [["bob", "ALL", 5, "another"]], "IDS": [1]"#,
    ));
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn what_was_asked_of_the_server_is_not_waited_for() {
    let scene = Scene::negotiated(options()).types("/register hush").types("/history").loses(0);
    assert_eq!((scene.app.input_mode(), scene.app.pending_replies()), (InputMode::Chat, 0));
    let scene = scene.types("/block eve").types("/history");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn it_is_given_up_when_the_time_is_over() {
    let scene = Scene::negotiated(options()).types("x").loses(100).loses(105).loses(110);
    assert!(
        scene.screen.ends_with("end| over\n") && scene.app.unanswered() == 1,
        "{}",
        scene.screen
    );
}

#[test]
fn without_numbers_or_when_it_is_not_wanted_a_lost_connection_is_the_end() {
    let base = Scene::new(options()).joined().loses(0);
    let unwanted = Scene::negotiated(Options::default()).loses(0);
    let nameless = Scene::new(options()).loses(0);
    for scene in [base, unwanted, nameless] {
        assert_eq!(scene.screen, "end| over\n");
    }
}

#[test]
fn a_name_that_is_still_taken_is_tried_again() {
    let scene = Scene::negotiated(options()).loses(0).connects().gets(
        r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is already in use.", "CODE": "taken"}"#,
    );
    assert!(
        scene.screen.contains("net| hang up: ann can't come back yet: This name"),
        "{}",
        scene.screen
    );
}

/// No device goes by itself, so nothing is tried again without the user, who is told why.
#[test]
fn whoever_is_here_on_too_many_devices_decides_when_it_is_tried_again() {
    let full = r#"{"USERNAME_ACCEPTED": false, "INFO": "Too many of your devices are here already.", "CODE": "too-many"}"#;
    let end = "end| give up: TooManyDevices\n";
    let scene = Scene::negotiated(options()).loses(0).connects().gets(full);
    assert!(scene.screen.ends_with(end), "{}", scene.screen);
    assert!(scene.screen.contains("ann: Too many of your devices"), "{}", scene.screen);
    // Whoever has given the name beforehand is not told that another one would help.
    let offer = Capability::EVERY.iter().copied().collect();
    let options = Options { offer, username: Some("ann".to_owned()), ..options() };
    let scene = Scene::new(options.clone()).gets(full);
    assert!(scene.screen.ends_with(end), "{}", scene.screen);
    // A person is asked for a name again: that one or another.
    let options = Options { interactive: true, username: None, ..options };
    let scene = Scene::new(options).types("ann").gets(full);
    assert_eq!(scene.app.input_mode(), InputMode::Name);
    let told = scene.screen.contains("five devices") && !scene.screen.contains("end|");
    assert!(told, "{}", scene.screen);
}

#[test]
fn a_name_that_was_registered_meanwhile_takes_its_password_and_nothing_is_lost() {
    let options = Options { interactive: true, echo_own: false, ..options() };
    let registered = r#"{"USERNAME_ACCEPTED": false, "INFO": "registered", "CODE": "registered"}"#;
    let scene =
        Scene::negotiated(options.clone()).types("one").loses(0).connects().gets(registered);
    assert_eq!(scene.app.input_mode(), InputMode::Password);
    // Nothing is asked for before the answer, which may be the same question again.
    let wrong = r#"{"USERNAME_ACCEPTED": false, "CODE": "wrong-password"}"#;
    let asked = |scene: Scene| {
        let scene = scene.types("wrong");
        assert_eq!(scene.app.input_mode(), InputMode::LoginPending);
        scene
    };
    let again = asked(Scene::negotiated(options).loses(0).connects().gets(registered));
    let again = again.gets(r#"{"ERROR": "slow down"}"#);
    assert_eq!(again.app.input_mode(), InputMode::LoginPending);
    let again = asked(again.gets(wrong)).loses(1);
    assert_eq!(again.app.input_mode(), InputMode::Chat, "while there is no connection");
    let scene =
        scene.types("hush").gets(&welcome_back(r#""RESUMED": true, "MESSAGES": [], "IDS": []"#));
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn whoever_comes_back_without_the_account_is_told_once() {
    let token = r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "done", "DATA": {"LEVEL": 1, "TOKEN": "t"}}}"#;
    let back = |scene: Scene| {
        scene.loses(0).connects().gets(
            r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "accounts/1 ids/1",
                "RESUME": "session", "RESUMED": false, "ACCOUNT": {"LEVEL": 0}}"#,
        )
    };
    let guest = "-- You are a guest now: ann is nobody's account any more.";
    let scene = back(Scene::negotiated(options()).types("/register hush").gets(token));
    assert_eq!(scene.screen.matches(guest).count(), 1, "{}", scene.screen);
    assert_eq!(back(scene).screen.matches(guest).count(), 1);
    assert!(
        !back(Scene::negotiated(options())).screen.contains("guest"),
        "who was one all the time"
    );
}

#[test]
fn a_login_is_no_login_under_another_name() {
    let token = r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "done", "DATA": {"TOKEN": "t"}}}"#;
    let scene = Scene::negotiated(options())
        .types("/register hush")
        .gets(token)
        .gets(r#"{"USERS_RENAMED": {"ann": "anna"}}"#)
        .loses(0)
        .connects();
    let last = scene.screen.lines().last().unwrap();
    assert!(last.contains("\"anna\"") && !last.contains("\"TOKEN\": \"t\""), "{last}");
    let scene = scene
        .gets(&welcome_back(r#""RESUMED": true, "MESSAGES": [], "IDS": []"#))
        .gets(r#"{"USERS_RENAMED": {"anna": "ann"}}"#);
    // `rename` was not agreed this time, so the name stays.
    assert_eq!(scene.app.me(), Some("anna"));
}
