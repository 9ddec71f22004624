//! Commands of the server: called, refused, asked back.

use super::*;

fn terminal() -> Scene {
    Scene::negotiated(Options { interactive: true, ..Options::default() })
}

fn pipes() -> Scene {
    Scene::negotiated(Options { echo_own: true, ..Options::default() })
}

fn result(id: u32, code: &str, text: &str) -> String {
    let (ok, key) = if code == "ok" { (true, "INFO") } else { (false, "ERROR") };
    format!(r#"{{"RESULT": {{"ID": "{id}", "OK": {ok}, "CODE": "{code}", "{key}": "{text}"}}}}"#)
}

const PROMPT: &str = r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#;

#[test]
fn a_command_is_called_as_the_catalogue_says_and_its_result_is_shown() {
    let scene = pipes()
        .types("/BLOCK @eve mallory")
        .gets(&result(1, "ok", "Blocked: eve, mallory."))
        .types("/ignore")
        .types("/nick annie")
        .gets(&result(2, "forbidden", "You need level 1 for that."))
        .types("/name annie")
        .types("/users --all")
        .gets(r#"{"RESULT": {"ID": "4", "OK": true, "CODE": "ok", "INFO": "2 here: ann, bob\n1 away: zoe", "DATA": {"COLUMNS": ["NAME"], "ROWS": [["ann"]]}}}"#);
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_table_is_for_people() {
    let scene = terminal().types("/users --all").gets(
        r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "2 here:\nann\nbob",
            "DATA": {"COLUMNS": ["NAME", "LEVEL"], "ROWS": [["ann", 1], ["bob\u001b[2J", null]]}}}"#,
    );
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn help_has_own_commands_first_and_explains_each() {
    let scene =
        pipes().types("/help").types("/help register").types("/help /users").types("/help qit");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn the_secret_of_a_mistyped_command_is_not_remembered() {
    let scene = Scene::negotiated(Options { interactive: true, ..Options::default() })
        .types("/regster hush")
        .types("/blok eve");
    let kept: Vec<_> = scene.screen.lines().filter(|line| line.starts_with("key| ")).collect();
    assert_eq!(kept, ["key| /regster", "key| /blok eve"]);
}

#[test]
fn rows_with_the_secret_of_a_command_are_not_said() {
    let mut scene = Scene::negotiated(Options { interactive: true, ..Options::default() })
        .types("hello\n/register hush")
        .types("/regster\nhush");
    let effects = scene.app.typed_text("/register hush\nhello", InputMode::Chat, NOW);
    scene.play(effects);
    let why = "err| -- Nothing was sent: a command with a secret is a line of its own.\n";
    assert_eq!(scene.screen, why.repeat(3));
}

/// What was asked for as a line of chat is one, whatever the server owes when it comes.
#[test]
fn what_may_be_a_secret_is_not_said_while_an_answer_is_awaited() {
    let mut scene =
        Scene::negotiated(Options { interactive: true, ..Options::default() }).types("/register");
    let start = scene.screen.len();
    assert_eq!(scene.app.input_mode(), InputMode::ResultPending);
    for text in ["hush", "/register hush\nhello"] {
        let effects = scene.app.typed(text, InputMode::Chat, NOW);
        scene.play(effects);
    }
    let effects = scene.app.typed_text("/register hush\nhello", InputMode::Chat, NOW);
    scene.play(effects);
    let told = &scene.screen[start..];
    assert_eq!(told.lines().filter(|line| line.contains("Nothing was sent")).count(), 3, "{told}");
    assert!(!told.contains("MESSAGES") && !told.contains("hush"), "{told}");
}

#[test]
fn rows_are_one_message_to_whom_the_first_names() {
    let scene = Scene::negotiated(Options { interactive: true, ..Options::default() })
        .types("@bob one\ntwo");
    assert!(scene.screen.contains(r#"["ann", "bob", 1700000000, "one\ntwo"]"#), "{}", scene.screen);
}

#[test]
fn what_is_not_known_is_told_with_what_is_near() {
    let scene = pipes()
        .types("/regsiter hush")
        .types("/usres")
        .types("/frobnicate x")
        .types("/etc/passwd is a file")
        .types("//register");
    assert!(!scene.screen.contains("hush"));
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn another_prefix_leaves_the_slash_to_this_program() {
    let scene = pipes()
        .gets(r#"{"PREFIX": "!"}"#)
        .types("!block eve")
        .gets(&result(1, "ok", "done"))
        .types("!!really")
        .types("/block eve")
        .gets(&result(2, "ok", "done"))
        .types("/name")
        .types("!nothing")
        .types("!");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn the_next_line_answers_a_question_and_is_shown_nowhere() {
    for scene in [pipes(), terminal()] {
        let scene = scene.types("/register");
        assert_eq!(scene.app.input_mode(), InputMode::ResultPending, "the question may still come");
        let scene = scene.gets(PROMPT);
        assert_eq!(scene.app.input_mode(), InputMode::Reply(1));
        assert!(scene.app.question().unwrap().secret);
        let mut scene =
            scene.gets(r#"{"MESSAGES": [["bob", "ALL", 1700000000, "hi"]], "IDS": [18]}"#);
        scene = scene.types("hush hush");
        assert_eq!(scene.app.input_mode(), InputMode::ResultPending);
        let scene = scene.gets(
            r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "ann is your name now.", "DATA": {"LEVEL": 1, "TOKEN": "t"}}}"#,
        );
        assert_eq!(scene.app.input_mode(), InputMode::Chat);
        let shown = scene.screen.lines().filter(|line| !line.starts_with("net|"));
        assert!(!shown.clone().any(|line| line.contains("hush")), "{}", scene.screen);
        if scene.options.interactive {
            insta::assert_snapshot!(scene.screen);
        }
    }
}

#[test]
fn a_line_of_the_chat_is_no_answer() {
    let question = PROMPT.replace("true", "false");
    let scene = terminal().types("/register").gets(&question);
    let scene =
        scene.types_for(InputMode::Chat, "I was going to s").types_for(InputMode::Chat, " ");
    assert_eq!(scene.app.input_mode(), InputMode::Reply(1));
    let scene = scene.cancels().gets(&result(1, "cancelled", "You did not answer."));
    assert_eq!(scene.app.input_mode(), InputMode::Chat);
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_late_answer_goes_nowhere() {
    let scene = terminal()
        .types("/register")
        .gets(PROMPT)
        .gets(&result(1, "timeout", "You did not answer in time."))
        .types_for(InputMode::Reply(1), "hush");
    assert!(!scene.screen.contains("hush"), "{}", scene.screen);
    let scene = scene.types_for(InputMode::Password, "hush");
    assert!(!scene.screen.contains("hush"), "{}", scene.screen);
}

#[test]
fn a_secret_is_not_remembered() {
    let scene =
        terminal().types("hello").types("/register hush").types("/P  hush").types("/block eve");
    let remembered: Vec<_> =
        scene.screen.lines().filter_map(|line| line.strip_prefix("key| ")).collect();
    assert_eq!(remembered, ["hello", "/register", "/p", "/block eve"]);
}

/// Otherwise a script that goes on would say the password to everybody.
#[test]
fn through_pipes_a_command_that_fails_without_asking_ends_it() {
    for line in ["/regster", "/elevate", "/etc/passwd"] {
        let scene = pipes().types(line);
        assert!(scene.screen.ends_with("end| give up: NotAsked\n"), "{}", scene.screen);
    }
    let refused = result(1, "forbidden", "You are registered already.");
    let scene = pipes().types("/register").gets(&refused);
    assert!(scene.screen.ends_with("end| give up: NotAsked\n"), "{}", scene.screen);
    for scene in [
        pipes().types("/register hush").gets(&refused),
        pipes().types("/register").gets(PROMPT).types("x").gets(&refused),
        terminal().types("/register").gets(&refused),
    ] {
        assert!(!scene.screen.contains("give up"), "{}", scene.screen);
    }
}

#[test]
fn whoever_logs_out_wanted_the_connection_to_end() {
    let scene = pipes().types("/logout").gets(&result(1, "ok", "Good bye.")).loses(0);
    assert!(scene.app.has_logged_out());
    assert!(
        scene.screen.ends_with("dir| ann: none\nout| * Good bye.\nend| over\n"),
        "{}",
        scene.screen
    );
}
