//! Who is away, as a server with `presence` tells it.

use super::*;

const WELCOME: &str = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "cyd", "ann"], "MESSAGES": [], "PRESENCE":
    {"bob": {"SINCE": 5, "AWAY": "lunch"}, "cyd": {"SINCE": 6, "AWAY": null}, "ann": {"SINCE": 7, "AWAY": null}},
    "CAPABILITIES": "presence/1"}"#;

/// As a person, or a program, sees it.
fn scene(json: bool) -> String {
    let offer = [Capability::Presence].into_iter().collect();
    Scene::new(Options { offer, json, interactive: !json, ..Options::default() })
        .types("ann")
        .gets(WELCOME)
        .gets(r#"{"PRESENCE": {"bob": {"SINCE": 5, "AWAY": "lunch, really"}}}"#)
        .gets(r#"{"PRESENCE": {"bob": {"SINCE": 5, "AWAY": null}, "cyd": {"SINCE": 6, "AWAY": ""}}}"#)
        .gets(r#"{"PRESENCE": {"ann": {"SINCE": 7, "AWAY": "x"}, "nobody": {"SINCE": 1, "AWAY": "y"}}}"#)
        .types("/users")
        .screen
}

#[test]
fn a_person_is_told_who_goes_away_and_who_is_back() {
    let screen = scene(false);
    let told: Vec<_> = screen.lines().filter(|line| line.contains("* ")).collect();
    let told = told.join("\n");
    assert!(told.contains("* here: bob (away), cyd, ann\n"), "{screen}");
    assert!(told.contains("* bob is back\n") && told.contains("* cyd is away\n"), "{screen}");
    assert!(told.ends_with("* here: bob, cyd (away), ann (away)"), "{screen}");
    // Another text of who is away is no news, and what is said of oneself neither.
    assert!(!told.contains("really") && !told.contains("ann is") && !told.contains("nobody"));
}

#[test]
fn a_program_is_told_all_of_it() {
    let screen = scene(true);
    for event in [
        "* here: bob (away), cyd, ann",
        "* cyd is back",
        "* bob is away: lunch, really",
        "* ann is away: x",
    ] {
        assert!(screen.contains(&format!("| {event}\n")), "{event} in {screen}");
    }
    assert!(!screen.contains("nobody"), "who is not here");
}
