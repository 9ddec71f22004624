//! Who is away, who was ever here, what waits for who is not, and what is logged: the server as a process, over TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::fs;

use harness::accounts::{PASSWORD, password};
use harness::process::Running;
use harness::rooms::{Roomer, texts, values};
use harness::{Peer, handshake, trusting};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

const SPEAKS: &str = "accounts/1 commands/1 ids/1 notices/1 ping/1 presence/1 rename/1 rooms/1";
const NO_PRESENCE: &str = "accounts/1 commands/1 ids/1 notices/1 ping/1 rename/1 rooms/1";

/// A folder with certificates, messages and logs.
struct House(tempfile::TempDir);

impl House {
    fn new(users: &[&str]) -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        for user in users {
            harness::program::server()
                .args(["user", "add", user, "--data", &house.path("data")])
                .write_stdin(PASSWORD)
                .assert()
                .success();
        }
        house
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn start(&self, further: &[&str]) -> Running {
        let (certs, data) = (self.path("certs"), self.path("data"));
        let own = ["localhost", "-p", "0", "--grace", "0", "--certs", &certs, "--data", &data];
        Running::start(&[&own, further].concat())
    }

    async fn connect(&self, server: &Running) -> Peer {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let authority = self.0.path().join("certs").join("ca.crt");
        Peer::over(handshake(stream, &trusting(&authority)).await)
    }

    async fn join(&self, server: &Running, name: &str, speaks: &str, beside: &str) -> Roomer {
        Roomer::join_speaking(self.connect(server).await, name, speaks, beside).await
    }

    async fn user(&self, server: &Running, name: &str) -> Roomer {
        self.join(server, name, SPEAKS, &password(PASSWORD)).await
    }
}

fn stop(server: Running) -> String {
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    log
}

/// Waits until it is told what this user is like now.
async fn told_of(reader: &mut Roomer, name: &str) -> Value {
    reader.until(|frame| frame["PRESENCE"].get(name).map(|state| state["AWAY"].clone())).await
}

#[tokio::test]
async fn who_is_away_is_seen_by_who_speaks_presence_and_by_nobody_else() {
    let house = House::new(&["ann"]);
    let server = house.start(&[]);
    let mut ann = house.user(&server, "ann").await;
    let mut reader = house.join(&server, "reader", SPEAKS, "").await;
    let mut other = house.join(&server, "other", NO_PRESENCE, "").await;
    let mut base = house.connect(&server).await;
    base.ask("base").await;
    let state = &reader.welcome["PRESENCE"];
    assert_eq!((&state["ann"]["AWAY"], &state["reader"]["AWAY"]), (&Value::Null, &Value::Null));
    assert!(state["ann"]["SINCE"].as_i64().unwrap() > 1_700_000_000, "{state}");
    assert_eq!(other.welcome.get("PRESENCE"), None);

    assert_eq!(ann.ok("away", &["lunch"]).await["DATA"]["AWAY"], "lunch");
    assert_eq!(told_of(&mut reader, "ann").await, "lunch");
    let late = house.join(&server, "late", SPEAKS, "").await;
    assert_eq!(late.welcome["PRESENCE"]["ann"]["AWAY"], "lunch");
    // A session that goes on is away as before; a message ends it.
    let beside = ann.resume(0);
    let mut ann = house.join(&server, "ann", SPEAKS, &beside).await;
    assert_eq!(ann.welcome["PRESENCE"]["ann"]["AWAY"], "lunch");
    ann.say("ALL", "here I am").await.unwrap();
    assert_eq!(told_of(&mut reader, "ann").await, Value::Null);
    ann.ok("away", &[]).await;
    assert_eq!(told_of(&mut reader, "ann").await, "");
    ann.ok("back", &[]).await;
    assert_eq!(told_of(&mut reader, "ann").await, Value::Null);

    let seen = other.settle().await;
    assert_eq!(values(&seen, "PRESENCE"), [&Value::Null; 0], "who did not agree to it");
    ann.say("ALL", "the last word").await.unwrap();
    loop {
        let body = base.next_body().await;
        assert!(!body.contains("PRESENCE") && !body.contains("AWAY"), "{body}");
        if body.contains("the last word") {
            break;
        }
    }
    stop(server);
}

#[tokio::test]
async fn everybody_ever_seen_is_known_after_a_restart_and_hides_it_still() {
    let house = House::new(&["ann", "bob"]);
    let server = house.start(&[]);
    let mut bob = house.user(&server, "bob").await;
    let _visitor = house.join(&server, "Visitor", SPEAKS, "").await;
    let mut base = house.connect(&server).await;
    base.ask("basil").await;
    bob.ok("hide-last-seen", &["on"]).await;
    stop(server);

    let server = house.start(&[]);
    let mut ann = house.user(&server, "ann").await;
    let rows = ann.ok("users", &["--all"]).await["DATA"]["ROWS"].clone();
    let row = |name: &str| {
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name} in {rows:?}"))
    };
    assert_eq!(row("ann")[1], true);
    for guest in ["Visitor", "basil"] {
        let since = row(guest)[2].as_i64().unwrap();
        assert!(row(guest)[1] == false && since > 1_700_000_000 && since % 3_600 == 0, "{rows}");
    }
    assert_eq!(*row("bob"), json!(["bob", false, null]), "bob hides it");
    stop(server);
    let server = house.start(&["--last-seen", "no"]);
    let mut ann = house.user(&server, "ann").await;
    let rows = ann.ok("users", &["--all"]).await["DATA"]["ROWS"].clone();
    let nobody = rows.as_array().unwrap().iter().all(|row| row[1] == true || row[2].is_null());
    assert!(nobody, "{rows}");
    stop(server);
}

#[tokio::test]
async fn what_is_said_to_who_is_away_is_told_them_after_a_restart() {
    let house = House::new(&["ann", "bob"]);
    let server = house.start(&[]);
    let mut ann = house.user(&server, "ann").await;
    let id = ann.say("BOB", "see you at five").await.unwrap();
    ann.ok("msg", &["bob", "or at six"]).await;
    assert_eq!(ann.say("nobody", "x").await, Err("no-such-user".to_owned()));
    let mut guest = house.join(&server, "guest", SPEAKS, "").await;
    assert_eq!(guest.say("bob", "spam").await, Err("no-such-user".to_owned()), "as ever");
    let page = ann.history("bob").await;
    assert_eq!(page["IDS"][0], json!(id), "{page}");
    // The order of what one says stays, whoever it is for.
    let tags: Vec<_> = (0..4).map(|number| format!("t{number}")).collect();
    let messages: Vec<_> = ["bob", "ALL", "bob", "ALL"]
        .iter()
        .zip(1..)
        .map(|(to, number)| json!(["ann", to, 1, format!("m{number}")]))
        .collect();
    ann.send(&json!({"MESSAGES": messages, "TAGS": tags})).await;
    let seen = ann.settle().await;
    let ack = |tag: &String| seen.iter().find_map(|frame| frame["ACKS"][tag].as_u64());
    let ids: Vec<u64> = tags.iter().filter_map(ack).collect();
    assert!(ids.len() == 4 && ids.is_sorted(), "{ids:?}");
    stop(server);

    let server = house.start(&[]);
    let mut bob = house.user(&server, "bob").await;
    let welcome = [bob.welcome.clone()];
    let told = texts(&welcome);
    assert_eq!(told, ["see you at five", "or at six", "m1", "m2", "m3", "m4"]);
    assert_eq!(bob.welcome["MESSAGES"][0][1], "bob", "in the spelling of the account");
    let page = bob.history("ann").await;
    assert_eq!(page["MESSAGES"].as_array().unwrap().len(), 4, "{page}");
    // A session that missed it gets it when it goes on.
    let beside = bob.resume(bob.welcome["IDS"][5].as_u64().unwrap());
    let mut ann = house.user(&server, "ann").await;
    drop(bob);
    ann.until(|frame| (frame["USERS_LEFT"] == json!(["bob"])).then_some(())).await;
    ann.say("bob", "missed").await.unwrap();
    let bob = house.join(&server, "bob", SPEAKS, &beside).await;
    assert_eq!(bob.welcome["RESUMED"], true);
    assert_eq!(texts(std::slice::from_ref(&bob.welcome)), ["missed"]);
    stop(server);
}

#[tokio::test]
async fn a_tenth_of_two_hundred_waits_of_one_sender_and_the_rest_is_busy() {
    let house = House::new(&["ann", "bob"]);
    let server = house.start(&[]);
    let mut ann = house.user(&server, "ann").await;
    let mut stored = 0;
    for number in 0..25 {
        match ann.say("bob", &format!("m{number}")).await {
            Ok(_) => stored += 1,
            Err(code) => assert_eq!(code, "busy", "{number}"),
        }
    }
    assert_eq!(stored, 20);
    assert_eq!(ann.code("msg", &["bob", "more"]).await, "busy");
    let bob = house.user(&server, "bob").await;
    assert_eq!(bob.welcome["MESSAGES"].as_array().unwrap().len(), 20);
    ann.say("bob", "who is here gets it").await.unwrap();
    drop(bob);
    ann.until(|frame| (frame["USERS_LEFT"] == json!(["bob"])).then_some(())).await;
    ann.say("bob", "and nothing waits any more").await.unwrap();
    stop(server);
}

#[tokio::test]
async fn what_happens_is_logged_without_private_text_and_people_are_told() {
    let house = House::new(&["ann", "bob"]);
    let folder = house.path("log");
    let server = house.start(&["--activity-log", &folder, "--banner", "Be kind."]);
    let mut ann = house.user(&server, "ann").await;
    let banner = ann.welcome["SERVER"]["BANNER"].as_str().unwrap();
    assert!(banner.starts_with("Be kind.\nKept here: ") && banner.contains("log: on"), "{banner}");
    let mut base = house.connect(&server).await;
    let welcome = base.ask("Basil").await;
    assert!(welcome.info.unwrap().as_wire().contains("is logged here"), "a base client is told");
    ann.ok("create-room", &["#quiet"]).await;
    ann.ok("set-room", &["#quiet", "keep", "off"]).await;
    ann.ok("create-room", &["#loud"]).await;
    for (to, text) in [
        ("ALL", "to-everybody"),
        ("Basil", "to-one-only"),
        ("bob", "to-who-is-away"),
        ("#quiet", "kept-nowhere"),
        ("#loud", "in-a-room"),
    ] {
        ann.say(to, text).await.unwrap();
    }
    ann.ok("nick", &["annie"]).await;
    let log = stop(server);
    assert!(!log.contains("to-everybody"), "the log of the program has nothing that was said");
    let read = |name: &str| fs::read_to_string(house.0.path().join("log").join(name)).unwrap();
    let all = read("activity.log");
    let lines: Vec<Value> =
        all.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let did = |what: &str| lines.iter().filter(|line| line["what"] == what).collect::<Vec<_>>();
    assert_eq!((did("joined").len(), did("left").len(), did("renamed").len()), (2, 2, 1), "{all}");
    let said: Vec<_> = did("said").iter().map(|line| line["message"][3].clone()).collect();
    assert_eq!(said, ["to-everybody", "in-a-room"]);
    assert_eq!(did("active").len(), 2, "{all}");
    for secret in ["to-one-only", "to-who-is-away", "kept-nowhere", PASSWORD] {
        let mut files = fs::read_dir(&folder).unwrap();
        let has =
            files.any(|file| fs::read_to_string(file.unwrap().path()).unwrap().contains(secret));
        assert!(!has, "{secret}");
    }
    let of_ann = read("user-ann.log");
    assert!(of_ann.contains("in-a-room") && of_ann.contains(r#""new": "annie""#), "{of_ann}");
    assert!(!of_ann.contains("Basil") && read("user-basil.log").lines().count() == 2);
    assert!(read("user-annie.log").contains("\"left\""));
}
