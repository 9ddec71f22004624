//! Who is away, and who was ever here: `away`, `back`, `users`, `hide-last-seen`.

use chatterbox_hub::{Identity, Level};
use serde_json::{Value, json};

use crate::commands::tests::fake::{House, Somebody, name};
use crate::config::Config;
use crate::ops::clock::unix_now;

#[tokio::test]
async fn away_has_words_of_one_line_and_back_ends_it() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    assert_eq!(ann.call("back", &[]).await["CODE"], "already");
    assert_eq!(
        ann.call("away", &["back", "at  two"]).await["DATA"],
        json!({"AWAY": "back at  two"})
    );
    let mut bob = house.guest("bob").await;
    let shown = bob.call("users", &[]).await;
    assert_eq!(shown["INFO"], "2 here: ann (away: back at  two), bob");
    assert_eq!(
        shown["DATA"],
        json!({"COLUMNS": ["NAME", "ONLINE", "LEVEL", "AWAY"],
            "ROWS": [["ann", true, 0, "back at  two"], ["bob", true, 0, null]]})
    );
    for (text, code) in [
        ("x".repeat(200), "ok"),
        ("\u{1f634}".repeat(200), "ok"),
        ("x".repeat(201), "too-long"),
        ("a\nb".to_owned(), "bad-arguments"),
        ("\u{1b}[2J".to_owned(), "bad-arguments"),
        ("\u{202e}".to_owned(), "bad-arguments"),
    ] {
        assert_eq!(ann.call("away", &[&text]).await["CODE"], code, "{text:?}");
    }
    assert_eq!(ann.call("away", &[]).await["DATA"], json!({"AWAY": ""}));
    assert_eq!(bob.call("users", &[]).await["INFO"], "2 here: ann (away), bob");
    assert_eq!(ann.call("back", &[]).await["DATA"], json!({"AWAY": null}));
    assert_eq!(bob.call("users", &[]).await["INFO"], "2 here: ann, bob");
}

/// Notes that somebody was here some seconds ago, as a guest or with an account.
async fn was_here(house: &House, text: &str, login: bool, ago: i64) {
    let mut seen = crate::accounts::Seen {
        name: name(text),
        account: None,
        at: unix_now() - ago,
        is_new: true,
    };
    if login {
        seen.account = Some(house.account_ref(text).await.id);
    }
    house.state.accounts.note_seen(vec![seen]).await.unwrap();
}

fn row<'a>(result: &'a Value, name: &str) -> &'a Value {
    let rows = result["DATA"]["ROWS"].as_array().unwrap();
    rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name}: {result}"))
}

#[tokio::test]
async fn everybody_ever_seen_is_listed_by_the_hour_and_may_hide_it() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    house.away("zoe", Level::USER).await;
    house.away("never", Level::USER).await;
    was_here(&house, "zoe", true, 100_000).await;
    was_here(&house, "Visitor", false, 200_000).await;
    was_here(&house, "longago", false, 40 * 24 * 3_600).await;
    let all = ann.call("users", &["--all"]).await;
    assert_eq!(all["DATA"]["COLUMNS"], json!(["NAME", "ONLINE", "SINCE"]));
    assert_eq!(all["DATA"]["MORE"], false);
    let names: Vec<_> =
        all["DATA"]["ROWS"].as_array().unwrap().iter().map(|row| row[0].clone()).collect();
    assert_eq!(names, ["ann", "never", "Visitor", "zoe"], "{all}");
    assert_eq!(row(&all, "ann")[1], true);
    assert_eq!(row(&all, "never").as_array().unwrap()[1..], [json!(false), Value::Null]);
    let since = row(&all, "zoe")[2].as_i64().unwrap();
    let exact = house.state.accounts.last_seen(house.account_ref("zoe").await.id).await.unwrap();
    let exact = exact.unwrap();
    assert!(since % 3_600 == 0 && (0..3_600).contains(&(exact - since)), "{since} {exact}");
    assert_eq!(row(&all, "Visitor")[2].as_i64().unwrap() % 3_600, 0);
    let mut moderator = house.user("mod", Level::MODERATOR).await;
    assert_eq!(row(&moderator.call("users", &["--all"]).await, "zoe")[2], exact);

    // Zoe hides it, while she is here; who has another name is listed under that.
    let mut zoe = house.enter_again("zoe", "zoey").await;
    let all = ann.call("users", &["--all"]).await;
    assert_eq!(row(&all, "zoey")[1], true);
    assert!(!all.to_string().contains("\"zoe\""), "{all}");
    assert_eq!(zoe.call("hide-last-seen", &["on"]).await["DATA"], json!({"HIDDEN": true}));
    assert_eq!(zoe.call("hide-last-seen", &["maybe"]).await["CODE"], "bad-arguments");
    zoe.leave();
    assert_eq!(row(&ann.call("users", &["--all"]).await, "zoe")[2], Value::Null);
    assert_eq!(row(&moderator.call("users", &["--all"]).await, "zoe")[2], exact);
    let mut guest = house.guest("guest").await;
    assert_eq!(guest.call("users", &["--all"]).await["CODE"], "forbidden");
    assert_eq!(guest.call("users", &["--none"]).await["CODE"], "bad-arguments");
}

#[tokio::test]
async fn the_table_has_pages_and_a_server_may_tell_nobody() {
    let house = House::with(Config { last_seen: false, ..Config::default() }).await;
    let mut ann = house.user("ann", Level::ADMIN).await;
    let _people: Vec<Somebody> =
        vec![house.guest("zz").await, house.guest("g0500x").await, house.guest("aa").await];
    for number in 0..2_100 {
        let who = Identity::guest(name(&format!("g{number:04}")));
        let address = Some(std::net::IpAddr::from([192, 0, (number % 200) as u8, 1]));
        house.state.accounts.note_visit(&Identity { address, ..who }, true);
    }
    let mut names: Vec<String> = Vec::new();
    let mut arguments = vec!["--all".to_owned()];
    let mut pages = 0;
    loop {
        let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let page = ann.call("users", &given).await;
        let rows = page["DATA"]["ROWS"].as_array().unwrap();
        assert!(rows.len() <= 1_000);
        for row in rows {
            names.push(row[0].as_str().unwrap().to_owned());
            assert!(row[1] == true || row[2] == Value::Null, "--last-seen no: {row}");
        }
        pages += 1;
        if page["DATA"]["MORE"] == false {
            break;
        }
        arguments = vec!["--all".to_owned(), names.last().unwrap().clone()];
    }
    assert_eq!((pages, names.len()), (3, 2_104), "everybody once");
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(names, sorted);
}
