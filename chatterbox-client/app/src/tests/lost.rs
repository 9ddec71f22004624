//! The connection is lost, and comes back.

use super::*;

fn options() -> Options {
    let reconnect = Some(Policy::lasting(Duration::from_secs(10)));
    Options { repeat_own: true, reconnect, ..Options::default() }
}

fn welcome_back(rest: &str) -> String {
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann", "cyd"], "CAPABILITIES": "ids/1", "RESUME": "session", {rest}}}"#
    )
}

#[test]
fn a_session_goes_on_and_nothing_is_lost_or_shown_twice() {
    let stage = Stage::negotiated(options())
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
    assert!(stage.app.is_settled() && !stage.app.is_down());
    insta::assert_snapshot!(stage.screen);
}

#[test]
fn a_session_that_can_not_go_on_joins_anew_and_sends_only_what_did_not_arrive() {
    let stage = Stage::negotiated(options())
        .types("one")
        .types("two")
        .loses(0)
        .connects()
        .gets(&welcome_back(
            r#""RESUMED": false, "MESSAGES": [["bob", "ALL", 1700000000, "old"], ["ann", "ALL", 1700000000, "one"], ["bob", "ALL", 1700000001, "new"]], "IDS": [17, 18, 19]"#,
        ));
    insta::assert_snapshot!(stage.screen);
}

#[test]
fn another_history_is_shown_as_a_whole() {
    let stage = Stage::negotiated(options()).loses(0).connects().gets(&welcome_back(
        r#""RESUMED": false, "MESSAGES": [["bob", "ALL", 5, "another"]], "IDS": [1]"#,
    ));
    insta::assert_snapshot!(stage.screen);
}

#[test]
fn what_was_asked_of_the_server_is_not_waited_for() {
    let stage = Stage::negotiated(options()).types("/register hush").types("/history").loses(0);
    assert_eq!((stage.app.wants(), stage.app.owed()), (Wants::Talk, 0));
    let stage = stage.types("/block eve").types("/history");
    insta::assert_snapshot!(stage.screen);
}

#[test]
fn it_is_given_up_when_the_time_is_over() {
    let stage = Stage::negotiated(options()).types("x").loses(100).loses(105).loses(110);
    assert!(
        stage.screen.ends_with("end| over\n") && stage.app.unanswered() == 1,
        "{}",
        stage.screen
    );
}

#[test]
fn without_numbers_or_when_it_is_not_wanted_a_lost_connection_is_the_end() {
    let base = Stage::new(options()).joined().loses(0);
    let unwanted = Stage::negotiated(Options::default()).loses(0);
    let nameless = Stage::new(options()).loses(0);
    for stage in [base, unwanted, nameless] {
        assert_eq!(stage.screen, "end| over\n");
    }
}

#[test]
fn a_name_that_is_still_taken_is_tried_again() {
    let stage = Stage::negotiated(options()).loses(0).connects().gets(
        r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is already in use.", "CODE": "taken"}"#,
    );
    assert!(
        stage.screen.contains("net| hang up: ann can't come back yet: This name"),
        "{}",
        stage.screen
    );
}

#[test]
fn a_name_that_was_registered_meanwhile_takes_its_password_and_nothing_is_lost() {
    let options = Options { ask_again: true, repeat_own: false, ..options() };
    let registered = r#"{"USERNAME_ACCEPTED": false, "INFO": "registered", "CODE": "registered"}"#;
    let stage = Stage::negotiated(options).types("one").loses(0).connects().gets(registered);
    assert_eq!(stage.app.wants(), Wants::Password);
    let stage =
        stage.types("hush").gets(&welcome_back(r#""RESUMED": true, "MESSAGES": [], "IDS": []"#));
    insta::assert_snapshot!(stage.screen);
}

#[test]
fn a_login_is_no_login_under_another_name() {
    let token = r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "done", "DATA": {"TOKEN": "t"}}}"#;
    let stage = Stage::negotiated(options())
        .types("/register hush")
        .gets(token)
        .gets(r#"{"USERS_RENAMED": {"ann": "anna"}}"#)
        .loses(0)
        .connects();
    let last = stage.screen.lines().last().unwrap();
    assert!(last.contains("\"anna\"") && !last.contains("\"TOKEN\": \"t\""), "{last}");
    let stage = stage
        .gets(&welcome_back(r#""RESUMED": true, "MESSAGES": [], "IDS": []"#))
        .gets(r#"{"USERS_RENAMED": {"anna": "ann"}}"#);
    // `rename` was not agreed this time, so the name stays.
    assert_eq!(stage.app.me(), Some("anna"));
}
