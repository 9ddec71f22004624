//! Several devices of a user, and how far they have read: the server as a process, over TLS, and over restarts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use harness::accounts::{PASSWORD, password};
use harness::process::Running;
use harness::rooms::{Roomer, texts};
use harness::{Peer, handshake, trusting};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

const DEVICE: &str =
    "accounts/1 commands/1 devices/1 ids/1 marks/1 notices/1 ping/1 rename/1 rooms/1";

struct House(tempfile::TempDir);

impl House {
    fn new(users: &[&str]) -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        for user in users {
            house.command(&["user", "add", user]).write_stdin(PASSWORD).assert().success();
        }
        house
    }

    fn command(&self, words: &[&str]) -> assert_cmd::Command {
        let mut command = harness::program::server();
        command.args([words, &["--data", &self.path("data")]].concat());
        command
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn start(&self) -> Running {
        let (certs, data) = (self.path("certs"), self.path("data"));
        Running::start(&[
            "localhost",
            "-p",
            "0",
            "--grace",
            "0",
            "--certs",
            &certs,
            "--data",
            &data,
        ])
    }

    async fn device(&self, server: &Running, name: &str) -> Roomer {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let authority = self.0.path().join("certs").join("ca.crt");
        let peer = Peer::over(handshake(stream, &trusting(&authority)).await);
        Roomer::join_speaking(peer, name, DEVICE, &password(PASSWORD)).await
    }
}

fn stop(server: Running) {
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn a_device_that_was_cut_off_comes_back_to_its_user_under_a_nick() {
    let house = House::new(&["ann", "bob"]);
    let server = house.start();
    let mut bob = house.device(&server, "bob").await;
    let mut laptop = house.device(&server, "ann").await;
    let phone = house.device(&server, "ann").await;
    let session = phone.welcome["RESUME"].clone();
    drop(phone);
    bob.settle().await;
    laptop.ok("nick", &["annie"]).await;
    laptop.called("annie");
    let stream = TcpStream::connect(server.address).await.unwrap();
    let authority = house.0.path().join("certs").join("ca.crt");
    let peer = Peer::over(handshake(stream, &trusting(&authority)).await);
    let resume = format!(r#", "RESUME": {{"TOKEN": {session}, "AFTER": 0}}"#);
    let mut phone = Roomer::join_speaking(peer, "ann", DEVICE, &resume).await;
    assert_eq!(phone.welcome["USER_LIST"], json!(["bob", "annie"]));
    let called = phone.until(|frame| frame["USERS_RENAMED"].get("ann").cloned()).await;
    assert_eq!(called, "annie");
    // It may have said something before it has read that.
    phone.say("bob", "under the old name").await.unwrap();
    phone.called("annie");
    phone.say("bob", "under the new name").await.unwrap();
    for text in ["under the old name", "under the new name"] {
        assert_eq!(bob.message(text).await[0], "annie");
        assert_eq!(laptop.message(text).await[0], "annie");
    }
    let seen = bob.settle().await;
    assert!(seen.iter().all(|frame| frame.get("USERS_JOINED").is_none()), "{seen:?}");
    drop((phone, laptop, bob));
    stop(server);
}

/// Waits until a device is told of a mark.
async fn told(device: &mut Roomer, with: &str) -> Value {
    device.until(|frame| frame["READ"].get(with).cloned()).await
}

#[tokio::test]
async fn a_browser_beside_a_terminal_is_one_user() {
    let house = House::new(&["ann", "bob"]);
    let server = house.start();
    let mut bob = house.device(&server, "bob").await;
    let mut one = house.device(&server, "ann").await;
    let mut two = house.device(&server, "ann").await;
    assert_eq!(two.welcome["USER_LIST"], json!(["bob", "ann"]));
    // A nick of one holds for the other, which may use it at once.
    one.ok("nick", &["annie"]).await;
    two.until(|frame| frame["USERS_RENAMED"].get("ann").cloned()).await;
    two.called("annie");
    two.say("bob", "from the other one").await.unwrap();
    let seen = bob.message("from the other one").await;
    assert_eq!(seen[0], "annie");
    let copy = one.message("from the other one").await;
    assert_eq!((&copy[0], &copy[1]), (&json!("annie"), &json!("bob")));
    // So do a room and a block.
    one.called("annie");
    one.ok("create-room", &["#lab"]).await;
    two.until(|frame| frame["ROOMS"].as_array().map(|_| Value::Null)).await;
    two.ok("block", &["bob"]).await;
    assert_eq!(one.ok("blocked", &[]).await["DATA"]["ROWS"], json!([["bob"]]));
    drop(one);
    two.say("#lab", "still here").await.unwrap();
    let seen = bob.settle().await;
    assert!(seen.iter().all(|frame| frame.get("USERS_LEFT").is_none()), "{seen:?}");
    drop(two);
    bob.until(|frame| frame.get("USERS_LEFT").cloned()).await;
    stop(server);
}

#[tokio::test]
async fn marks_and_what_is_unread_outlive_a_restart_and_end_with_the_account() {
    let house = House::new(&["ann", "bob"]);
    let server = house.start();
    let mut bob = house.device(&server, "bob").await;
    bob.ok("create-room", &["#lab"]).await;
    let mut one = house.device(&server, "ann").await;
    let mut two = house.device(&server, "ann").await;
    one.ok("join", &["#lab"]).await;
    for text in ["a", "b", "c"] {
        for to in ["ALL", "#lab", "ann"] {
            bob.say(to, text).await.unwrap();
        }
    }
    let mut ids = Vec::new();
    while ids.len() < 9 {
        let frame = one.until(|frame| frame.get("IDS").cloned()).await;
        ids.extend(frame.as_array().unwrap().iter().filter_map(Value::as_u64));
    }
    ids.sort_unstable();
    // The first of each three is read.
    for (with, upto) in [("ALL", ids[0]), ("#lab", ids[1]), ("bob", ids[2])] {
        one.send(&json!({"READ": {"WITH": with, "UPTO": upto}})).await;
        assert_eq!(told(&mut two, with).await, upto);
    }
    let three = house.device(&server, "ann").await;
    let read = json!({"ALL": ids[0], "#lab": ids[1], "bob": ids[2]});
    let unread = json!({"ALL": 2, "#lab": 2, "bob": 2});
    assert_eq!((&three.welcome["READ"], &three.welcome["UNREAD"]), (&read, &unread));
    drop((one, two, three, bob));
    stop(server);
    let server = house.start();
    let again = house.device(&server, "ann").await;
    assert_eq!((&again.welcome["READ"], &again.welcome["UNREAD"]), (&read, &unread));
    // What is clamped is clamped to what there is.
    let mut again = again;
    let mut other = house.device(&server, "ann").await;
    again.send(&json!({"READ": {"WITH": "ALL", "UPTO": 9_000_000_000_000_u64}})).await;
    assert_eq!(told(&mut other, "ALL").await, ids[6]);
    again.send(&json!({"READ": {"WITH": "ALL", "UPTO": -1}})).await;
    again.until(|frame| frame.get("ERROR").cloned()).await;
    drop((again, other));
    stop(server);
    house.command(&["user", "del", "ann"]).assert().success();
    house.command(&["user", "add", "ann"]).write_stdin(PASSWORD).assert().success();
    let server = house.start();
    let anew = house.device(&server, "ann").await;
    assert_eq!(anew.welcome["READ"]["ALL"], 0, "somebody else has read nothing");
    assert_eq!(texts(std::slice::from_ref(&anew.welcome)), ["a", "b", "c"]);
    stop(server);
}
