//! Completion with what a session knows.

use serde_json::json;

use super::*;

/// A person with a model, among these users; the last of them has just said something.
fn among(users: &[String]) -> App {
    let options = Options {
        interactive: true,
        model: Some(crate::model::Limits::USUAL),
        offer: crate::spoken(),
        ..Options::default()
    };
    let mut app = App::new(options, TimeFormatter::new(TimeZone::UTC));
    app.start();
    app.typed("ann", InputMode::Name, NOW);
    let last = users.last().unwrap();
    for frame in [
        json!({"USERNAME_ACCEPTED": true, "USER_LIST": users, "MESSAGES": [], "CAPABILITIES": "commands/1 utf8/1"}).to_string(),
        COMMANDS.to_owned(),
        json!({"MESSAGES": [[last, "ALL", NOW, "hi"]]}).to_string(),
    ] {
        let mut effects = app.received(&frame.into(), NOW);
        loop {
            for effect in effects {
                if let Effect::Show(output) = effect {
                    app.shown(&output, NOW);
                }
            }
            if !app.has_more() {
                break;
            }
            effects = app.more(NOW);
        }
    }
    app
}

fn texts(app: &App, line: &str) -> Vec<String> {
    let found = app.complete(line, line.len()).candidates;
    found.into_iter().map(|candidate| candidate.text).collect()
}

#[test]
fn who_spoke_last_comes_first_and_oneself_never() {
    let users = ["ann", "Bea", "adam", "zoe"].map(str::to_owned);
    let app = among(&users);
    assert_eq!(texts(&app, "hi @"), ["@zoe ", "@adam ", "@Bea "]);
    assert_eq!(texts(&app, "/ig"), ["/block "]);
    assert_eq!(texts(&app, "/block "), ["zoe ", "adam ", "Bea "]);
    assert_eq!(texts(&app, "b"), ["Bea: "]);
    assert!(app.offer("b", 1).is_empty() && !app.offer("@b", 2).is_empty());
}

#[test]
fn everybody_in_a_crowd_can_be_named() {
    let users: Vec<_> = ["ann".to_owned()]
        .into_iter()
        .chain((0..10_000).rev().map(|n| format!("u{n:05}")))
        .collect();
    let app = among(&users);
    assert_eq!(texts(&app, "@u09999"), ["@u09999 "]);
    let found = texts(&app, "@u");
    assert_eq!(
        (found.len(), &found[..2]),
        (50, &["@u00000 ".to_owned(), "@u00001 ".to_owned()][..])
    );
}
