//! What the server says of itself, and that it reads its settings again.

use super::*;

#[test]
fn status_says_who_is_here_and_what_the_server_has() {
    let folder = Folder::new();
    folder.add("ann", "moderator");
    let file = folder.path("server.toml");
    let rooms = "[rooms.\"#lab\"]\nowner = \"ann\"\n[rooms.\"#den\"]\nhidden = true\n";
    fs::write(&file, rooms).unwrap();
    let activity = folder.path("activity").display().to_string();
    let file = file.display().to_string();
    let gateways = ["--web", "127.0.0.1:0", "--telnet", "127.0.0.1:0"];
    let settings = ["--config", &file, "--activity-log", &activity];
    let server = folder.start(&[&settings[..], &gateways].concat());
    let (_ann, _) = log_in(&server, "ann");
    let mut bob = connect(server.address);
    assert!(join(&mut bob, "bob").contains("true"));
    let message = client_frame::say([&chatterbox_proto::Entry {
        source: "bob".into(),
        destination: "ALL".into(),
        timestamp: 1,
        content: "hello".into(),
    }]);
    bob.write_all(&message.unwrap()).unwrap();
    bob.write_all(&chatterbox_proto::frame::encode(b"{}").unwrap()).unwrap();
    read_until(&mut bob, "ERROR");
    assert!(!join(&mut connect(server.address), "bob").contains("true"), "the name is taken");

    folder
        .run(&["status"])
        .success()
        .stdout(contains(format!("process {}", server.id())))
        .stdout(contains(format!("listens on    {} (no TLS)", server.address)))
        .stdout(
            predicates::str::is_match("(?m)^ann +ann +3 \\(moderator\\) +127.0.0.1 +20").unwrap(),
        )
        .stdout(predicates::str::is_match("(?m)^bob +- +0 \\(guest\\) +127.0.0.1 +20").unwrap());
    folder.run(&["status"]).success().stdout(
        contains("2 rooms beside the lobby")
            .and(predicates::str::is_match("(?m)^#den +- +0 +0 +hidden$").unwrap()),
    );
    let status = folder.status();
    assert_eq!(status["log"]["activity"], activity);
    for (key, line) in [("web", "browsers at   "), ("telnet", "telnet at     ")] {
        let address = status[key][0].as_str().unwrap();
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        folder.run(&["status"]).success().stdout(contains(format!("{line}{address}")));
    }
    assert_eq!(status["room_count"], 2);
    let lab = status["rooms"].as_array().unwrap().iter().find(|room| room["name"] == "#lab");
    assert_eq!(lab.unwrap()["owner"], "ann");
    assert_eq!(status["user_count"], 2);
    assert_eq!(status["users"][0]["name"], "ann");
    assert_eq!(status["users"][1]["account"], Value::Null);
    assert_eq!(status["addresses"][0], server.address.to_string());
    let minute = &status["minute"];
    assert_eq!((&minute["messages"], &minute["joins"]), (&1.into(), &2.into()), "{minute}");
    assert_eq!(minute["refused_joins"], 1, "{minute}");
    assert_eq!(minute["refused_frames"], 1, "{minute}");
    assert_eq!(status["stored"]["messages"], 1);
    assert!(status["stored"]["bytes"].as_u64().unwrap() > 4096);
    assert_eq!(status["memory"]["waiting_limit"], 64 * 1024 * 1024);
    assert!(status["connections"].as_u64().unwrap() >= 2);
}

#[test]
fn everybody_hears_an_announcement_over_tls() {
    let folder = Folder::new();
    let (data, certs) = (folder.path("data"), folder.path("certs"));
    let (data, certs) = (data.display().to_string(), certs.display().to_string());
    let server = Running::start(&["localhost", "-p", "0", "--data", &data, "--certs", &certs]);
    let mut base = connect_tls(server.address, &folder.path("certs/ca.crt"));
    join(&mut base, "base");
    let mut modern = connect_tls(server.address, &folder.path("certs/ca.crt"));
    let hello = br#"{"USERNAME": "modern", "CAPABILITIES": "notices/1"}"#;
    modern.write_all(&chatterbox_proto::frame::encode(hello).unwrap()).unwrap();
    read_frame(&mut modern);
    folder.run(&["announce", "we close", "at noon"]).success().stdout("told 2 users\n");
    let heard = read_until(&mut base, "we close at noon");
    assert!(heard.contains("\"SERVER\", \"ALL\"") || heard.contains("SERVER"), "{heard}");
    let heard = read_until(&mut modern, "we close at noon");
    assert!(heard.contains("announcement") && heard.contains("NOTICES"), "{heard}");
    // Who comes later does not.
    let welcome = join(&mut connect_tls(server.address, &folder.path("certs/ca.crt")), "late");
    assert!(!welcome.contains("noon"), "{welcome}");
    let output = folder.run(&["announce", "--json", "again"]).success().get_output().stdout.clone();
    let told: Value = serde_json::from_slice(&output).unwrap();
    assert!(told["users"].as_u64().unwrap() >= 2, "{told}");
    folder.run(&["announce", &"x".repeat(4001)]).code(65).stderr(contains("4000"));
    let days = folder.status()["certificate_days"].as_i64().unwrap();
    assert!((300..=400).contains(&days), "{days}");
}

#[test]
fn reload_says_what_has_changed_and_what_waits() {
    let folder = Folder::new();
    let file = folder.path("server.toml");
    let write = |text: &str| fs::write(&file, text).unwrap();
    write("max-name = 5\nlog = \"info\"\n");
    let path = file.display().to_string();
    let server = folder.start(&["--config", &path]);
    let accepted = || join(&mut connect(server.address), "longer").contains("ACCEPTED\": true");
    assert!(!accepted());
    folder.run(&["reload"]).success().stdout(contains("no setting has changed"));
    write("max-name = 8\nlog = \"debug\"\n");
    folder
        .run(&["reload"])
        .success()
        .stdout("changed: max-name = 8 (was 5)\nwaits for a restart: log = debug (was info)\n");
    assert!(accepted());
    let output = folder.run(&["reload", "--json"]).success().get_output().stdout.clone();
    let reloaded: Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(reloaded["waiting"][0]["setting"], "log");
    assert_eq!(reloaded["changed"], Value::Array(Vec::new()));
    write("max-nam = 8\n");
    folder
        .run(&["reload"])
        .code(78)
        .stdout(contains("not read: ").and(contains("did you mean \"max-name\"?")))
        .stderr(contains("what could not stays as it was"));
    assert!(accepted());
}
