//! Commands without sockets, over a port that records what it is told.

mod fake;
mod fake_port;
mod fake_rooms;
mod moderation;
mod moderation_limits;
mod permissions;
mod presence;
mod prompts;
mod room_permissions;
mod rooms_changes;
mod rooms_doors;
mod rooms_people;

use chatterbox_proto::capability::commands::{ArgumentType, Call};
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::legacy;
use crate::commands::reference::markdown;
use crate::commands::registry::specs;
use crate::commands::state::CommandState;
use crate::commands::tests::fake::House;
use chatterbox_hub::Level;
use chatterbox_hub::guard::pace::RENAMES;

#[tokio::test]
async fn names_and_aliases_are_matched_without_case_and_arguments_are_left_alone() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    assert_eq!(ann.call("TEST", &["Two  Words", "x"]).await["DATA"]["X"], "Two  Words x");
    assert_eq!(ann.call("WhoAmI", &[]).await["DATA"]["NAME"], "ann");
    let unknown = ann.call("no\u{1b}such", &[]).await;
    assert_eq!(unknown["CODE"], "no-such-command");
    assert_eq!(unknown["ERROR"], "There is no command no\\u{1b}such.");
    for (name, arguments) in
        [("name", &["x"][..]), ("block", &[]), ("msg", &["bob"]), ("command-history", &["x"])]
    {
        let refused = ann.call(name, arguments).await;
        assert_eq!(refused["CODE"], "bad-arguments", "{name}");
        assert!(refused["ERROR"].as_str().unwrap().contains("Usage: "), "{refused}");
    }
}

#[tokio::test]
async fn the_catalogue_is_what_one_may_use_now_and_comes_again_when_it_changes() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let mut root = house.user("root", Level::ADMIN).await;
    let has = |catalogue: &Value, name: &str| {
        catalogue["COMMANDS"].as_array().unwrap().iter().any(|command| command["NAME"] == name)
    };
    let first = ann.next_with("COMMANDS").await;
    assert_eq!(first["PREFIX"], "/");
    assert!(has(&first, "nick") && !has(&first, "set-prefix"));
    let all = root.next_with("COMMANDS").await;
    assert!(has(&all, "set-prefix"));
    let commands = all["COMMANDS"].as_array().unwrap().iter();
    let demos: Vec<_> =
        commands.filter(|command| command["DEMO"] == true).map(|one| &one["NAME"]).collect();
    assert_eq!(demos, ["ping", "test", "input-test"]);

    assert_eq!(root.call("disable-command", &["NICK"]).await["CODE"], "ok");
    assert!(!has(&ann.next_with("COMMANDS").await, "nick"));
    assert_eq!(ann.call("nick", &["x"]).await["CODE"], "disabled");
    assert_eq!(root.call("disable-command", &["enable-command"]).await["CODE"], "forbidden");
    assert_eq!(root.call("enable-command", &["nick"]).await["CODE"], "ok");
    assert!(has(&ann.next_with("COMMANDS").await, "nick"));

    assert_eq!(root.call("set-prefix", &["//"]).await["CODE"], "ok");
    assert_eq!(ann.next_with("COMMANDS").await["PREFIX"], "//");
    for bad in ["", "a", "/ ", "\\", "/////////", "\u{e9}"] {
        assert_eq!(root.call("set-prefix", &[bad]).await["CODE"], "bad-arguments", "{bad:?}");
    }
    assert_eq!(root.call("set-perm", &["ann", "5"]).await["CODE"], "ok");
    assert!(has(&ann.next_with("COMMANDS").await, "set-prefix"));
    let again = CommandState::open(
        std::sync::Arc::clone(&house.state.accounts),
        std::sync::Arc::clone(&house.state.moderation),
        house.config(),
    )
    .await;
    assert_eq!(again.unwrap().prefix(), "//", "over restarts");
}

#[tokio::test]
async fn an_account_is_made_changed_and_left() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    assert_eq!(ann.call("register", &["short"]).await["CODE"], "bad-arguments");
    let made = ann.call("register", &["correct horse"]).await;
    assert_eq!((&made["OK"], &made["DATA"]["LEVEL"]), (&json!(true), &json!(1)));
    assert_eq!(made["DATA"]["TOKEN"].as_str().unwrap().len(), 43);
    assert_eq!(ann.call("register", &["correct horse"]).await["CODE"], "registered");
    assert_eq!(ann.call("passwd", &["wrong", "battery staple"]).await["CODE"], "wrong-password");
    assert_eq!(ann.call("passwd", &["correct horse", "short"]).await["CODE"], "bad-arguments");
    assert_eq!(ann.call("passwd", &["correct horse", "battery staple"]).await["CODE"], "ok");
    let mut bob = house.guest("bob").await;
    assert_eq!(
        bob.call("passwd", &["x", "y"]).await["CODE"],
        "forbidden",
        "a guest has no account"
    );
    bob.call("register", &["correct horse"]).await;
    assert_eq!(bob.call("nick", &["Ann"]).await["CODE"], "registered");
    assert_eq!(bob.call("nick", &["a b"]).await["CODE"], "bad-name");
    assert_eq!(bob.call("nick", &["bobby"]).await["CODE"], "ok");
    assert_eq!(
        bob.call("name", &[]).await["DATA"],
        json!({"NAME": "bobby", "ACCOUNT": "bob", "LEVEL": 1})
    );
    let mut guest = house.guest("carl").await;
    assert_eq!(guest.call("msg", &["bob", "x"]).await["CODE"], "no-such-user", "b2: not bobby");
    assert_eq!(
        bob.call("nick", &["bob"]).await["CODE"],
        "ok",
        "one's own name is free for oneself"
    );
    assert_eq!(ann.call("logout", &["x"]).await["CODE"], "bad-arguments");
    assert_eq!(ann.call("logout", &[]).await["CODE"], "ok");
    assert!(ann.has_ended().await);
}

#[tokio::test]
async fn a_block_is_seen_by_both_and_each_list_is_its_owners() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let mut bob = house.guest("bob").await;
    let eve = house.guest("eve").await;
    assert_eq!(ann.call("block", &["ann"]).await["CODE"], "bad-arguments");
    assert_eq!(ann.call("block", &["nobody-here"]).await["CODE"], "no-such-user");
    assert_eq!(ann.call("block", &["eve", "Bob"]).await["DATA"]["ROWS"], json!([["eve"], ["bob"]]));
    assert_eq!(ann.filter(), ("bob eve".into(), "bob eve".into()));
    assert_eq!(eve.filter(), ("ann".into(), "ann".into()));
    assert_eq!(bob.call("block", &["eve"]).await["CODE"], "ok");
    assert_eq!(eve.filter(), ("ann bob".into(), "ann bob".into()));
    assert_eq!(ann.call("unblock", &["EVE"]).await["DATA"]["ROWS"], json!([["bob"]]));
    assert_eq!(bob.call("blocked", &[]).await["DATA"]["ROWS"], json!([["eve"]]), "b9");
    assert_eq!(eve.filter(), ("bob".into(), "bob".into()));
    assert_eq!(ann.call("unblock", &["eve"]).await["CODE"], "no-such-user");
    bob.leave();
    assert_eq!(
        eve.filter(),
        (String::new(), String::new()),
        "a guest's blocks end with the session"
    );
    ann.call("block", &["eve"]).await;
    ann.leave();
    assert_eq!(eve.filter(), ("ann".into(), "ann".into()), "an account's do not");
    let mut late = house.guest("eve2").await;
    assert_eq!(late.call("blocked", &[]).await["INFO"], "You block nobody.");
    assert_eq!(late.filter(), (String::new(), String::new()), "b2");
}

#[tokio::test]
async fn whoever_takes_the_nick_of_a_blocked_user_is_not_blocked() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let mut eve = house.user("eve", Level::USER).await;
    eve.call("nick", &["evelyn"]).await;
    ann.call("block", &["eve"]).await;
    assert_eq!(ann.filter().0, "eve evelyn");
    eve.leave();
    assert_eq!(ann.filter().0, "eve");
    let innocent = house.guest("evelyn").await;
    assert_eq!(ann.filter().0, "eve");
    assert_eq!(innocent.filter(), (String::new(), String::new()));
}

#[tokio::test]
async fn a_block_on_a_nick_is_one_on_the_account() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let mut eve = house.user("eve", Level::USER).await;
    eve.call("nick", &["evelyn"]).await;
    assert_eq!(eve.call("block", &["eve"]).await["CODE"], "bad-arguments");
    assert_eq!(ann.call("block", &["evelyn"]).await["DATA"]["ROWS"], json!([["eve"]]));
    eve.call("nick", &["mallory"]).await;
    assert_eq!(ann.filter().0, "eve mallory");
    assert_eq!(eve.filter().0, "ann");
    assert_eq!(ann.call("unblock", &["mallory"]).await["DATA"]["ROWS"], json!([]));
    assert_eq!((ann.filter().0, eve.filter().0), (String::new(), String::new()));
}

#[tokio::test]
async fn block_lists_of_guests_and_names_of_one_command_are_bounded() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let names: Vec<_> = (0..60).map(|number| format!("user{number}")).collect();
    let mut crowd = Vec::new();
    for name in &names {
        crowd.push(house.guest(name).await);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(ann.call("block", &names[..21]).await["CODE"], "bad-arguments");
    assert_eq!(ann.call("block", &names[..20]).await["CODE"], "ok");
    assert_eq!(ann.call("block", &names[20..40]).await["CODE"], "ok");
    assert_eq!(ann.call("block", &names[40..60]).await["CODE"], "failed");
    let rows = ann.call("blocked", &[]).await["DATA"]["ROWS"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 50, "those that fit are blocked");
    assert_eq!(crowd[49].filter().0, "ann");
    assert_eq!(crowd[50].filter().0, "");
    assert_eq!(ann.call("unblock", &names[..20]).await["CODE"], "ok");
    assert_eq!((crowd[0].filter().0.as_str(), crowd[20].filter().0.as_str()), ("", "ann"));
}

#[tokio::test]
async fn staff_hears_everybody_and_a_level_that_changes_counts_at_once() {
    let house = House::new().await;
    let mut root = house.user("root", Level::ADMIN).await;
    let mut ann = house.user("ann", Level::USER).await;
    let bob = house.user("bob", Level::USER).await;
    ann.call("block", &["bob"]).await;
    assert_eq!(bob.filter(), ("ann".into(), "ann".into()));
    root.call("set-perm", &["bob", "helper"]).await;
    assert_eq!(bob.filter(), (String::new(), "ann".into()));
    root.call("set-perm", &["bob", "1"]).await;
    assert_eq!(bob.filter(), ("ann".into(), "ann".into()));
}

#[tokio::test]
async fn secrets_are_not_remembered() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    ann.call("registr", &["correct horse"]).await;
    ann.call("register", &["correct horse"]).await;
    ann.call("elevate", &["correct horse", "x"]).await;
    ann.call("test", &["x"]).await;
    let rows = ann.call("command-history", &["5"]).await["DATA"]["ROWS"].clone();
    assert_eq!(
        rows,
        json!([
            ["registr"],
            ["register ***"],
            ["elevate *** ***"],
            ["test x"],
            ["command-history 5"]
        ])
    );
    let call = Call { id: "1".into(), name: "register".into(), arguments: vec!["hunter22".into()] };
    assert!(!format!("{call:?}").contains("hunter22"));
}

#[tokio::test]
async fn what_is_remembered_is_bounded_in_bytes() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    for _ in 0..20 {
        ann.call("test", &["x".repeat(199).as_str(); 30]).await;
        ann.call("register", &[""; 5_000]).await;
    }
    let rows = ann.call("command-history", &["100"]).await["DATA"]["ROWS"].clone();
    let lines: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    let bytes: usize = lines.iter().map(|line| line.len()).sum();
    assert!(lines.len() >= 5 && bytes <= 8 * 1024, "{} lines, {bytes} bytes", lines.len());
    assert_eq!(lines.last(), Some(&"command-history 100"));
}

#[tokio::test]
async fn a_prompt_of_a_base_client_is_refused_and_its_results_are_messages() {
    let house = House::new().await;
    let mut ann = house.base("ann");
    ann.type_line("/register");
    assert!(ann.next_with("ERROR").await["ERROR"].as_str().unwrap().contains("as an argument"));
    ann.type_line("/register correct-horse");
    assert!(ann.next_with("BASE").await["BASE"].as_str().unwrap().contains("your name now"));
    ann.type_line("/nick annie");
    assert!(ann.next_with("ERROR").await["ERROR"].as_str().unwrap().contains("speaks rename"));
    let kinds = ann.everything();
    assert!(
        kinds.iter().all(|told| told.get("RESULT").is_none() && told.get("COMMANDS").is_none())
    );
}

#[tokio::test]
async fn the_ping_command_measures_or_answers() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    assert_eq!(ann.call("ping", &[]).await["DATA"]["MILLISECONDS"], 12.5);
    let mut silent = house.guest("silent").await;
    assert_eq!(silent.call("ping", &[]).await["CODE"], "timeout");
}

#[tokio::test]
async fn b1_what_is_shown_acts_on_no_screen() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let shown = ann.call("test", &["\u{1b}[2J\u{202e}"]).await;
    assert_eq!(shown["INFO"], "It works: \\u{1b}[2J\\u{202e}");
    assert_eq!(shown["DATA"]["X"], "\u{1b}[2J\u{202e}", "for programs it is what it was");
    for (name, argument) in [("msg", "\u{1b}"), ("perm", "\u{1b}"), ("help", "\u{1b}")] {
        let refused = ann.call(name, &[argument, "x"]).await;
        assert!(!refused["ERROR"].as_str().unwrap().contains('\u{1b}'), "{refused}");
    }
}

#[test]
fn the_reference_page_is_the_table() {
    let page = include_str!("../../../docs/reference/commands.md");
    assert!(
        page == markdown(),
        "docs/reference/commands.md is old: cargo run -p chatterbox-server -- commands --markdown > docs/reference/commands.md"
    );
}

#[test]
fn the_table_is_sound() {
    let mut names = Vec::new();
    for spec in specs() {
        for name in std::iter::once(&spec.name).chain(spec.aliases) {
            assert!(!names.contains(name), "{name} stands twice");
            names.push(name);
        }
        assert!(spec.example.starts_with(spec.name), "{}", spec.name);
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(spec.name.bytes().all(|byte| is_letter(byte) || byte == b'-'), "{}", spec.name);
        let call = legacy::call(&format!("/{}", spec.example), "/").unwrap();
        assert!(Arguments::parse(spec, call.arguments, specs()).is_ok(), "{}", spec.example);
        // A room is told by its sign, so it may be left out before something else.
        let leading = spec.parameters.iter().take(1).filter(|one| one.kind == ArgumentType::Room);
        let others = spec.parameters.iter().skip(leading.count());
        let optional = others.skip_while(|parameter| !parameter.optional);
        assert!(optional.clone().all(|parameter| parameter.optional), "{}", spec.name);
        for parameter in spec.parameters {
            assert!(!parameter.help.is_empty(), "{} of {}", parameter.name, spec.name);
        }
        let rest = spec.parameters.iter().rev().skip(1).any(|parameter| parameter.rest);
        assert!(!rest, "only the last takes the rest: {}", spec.name);
    }
}

#[tokio::test]
async fn whoever_is_here_is_known_base_clients_included_and_under_every_name_at_once() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let _bob = house.base("bob");
    let found = ann.call("perm", &["bob"]).await;
    assert_eq!(found["DATA"], json!({"NAME": "bob", "LEVEL": 0, "ACCOUNT": null}));
    let rows = ann.call("users", &[]).await["DATA"]["ROWS"].clone();
    assert_eq!(rows, json!([["ann", true, 1, null], ["bob", true, 0, null]]));
    assert_eq!(ann.call("nick", &["annie"]).await["CODE"], "ok");
    let nicked = json!({"NAME": "annie", "LEVEL": 1, "ACCOUNT": "ann"});
    assert_eq!(ann.call("perm", &["Annie"]).await["DATA"], nicked);
    assert_eq!(ann.call("perm", &["ann"]).await["DATA"]["NAME"], "ann", "the account");
}

#[tokio::test]
async fn a_storm_of_changes_of_name_is_slowed_down() {
    let house = House::new().await;
    let (mut eve, mut ann) = (house.guest("eve").await, house.guest("ann").await);
    let mut changed = 0;
    for number in 0..50 {
        let result = eve.call("nick", &[&format!("eve{number}")]).await;
        match result["CODE"].as_str() {
            Some("ok") => changed += 1,
            code => assert_eq!(code, Some("throttled"), "{result}"),
        }
    }
    assert!(changed == RENAMES.burst, "{changed}");
    assert_eq!(ann.call("nick", &["annie"]).await["CODE"], "ok", "others are not held up");
}
