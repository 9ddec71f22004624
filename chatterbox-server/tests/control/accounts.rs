//! What is changed of accounts and people from the command line counts at once.

use super::*;

#[test]
fn a_new_password_counts_at_once() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    folder
        .run_with(&["user", "passwd", "ann"], "battery staple correct\n")
        .success()
        .stderr(contains("logged out everywhere: "));
    // It was told before the command had ended.
    assert_eq!(folder.status()["user_count"], 0);
    assert!(read_to_end(&mut ann).contains("AN-1"));
}

#[test]
fn a_removed_account_has_gone_at_once() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    folder.run(&["user", "del", "ann"]).success().stderr(contains("the account ann is removed"));
    assert_eq!(folder.status()["user_count"], 0);
    assert!(read_to_end(&mut ann).contains("removed"));
    folder.add("bob", "user");
    folder.run(&["user", "level", "bob", "2"]).success().stderr(contains("nobody is logged in"));
}

#[test]
fn another_level_counts_at_once_for_who_is_here() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, welcome) = log_in(&server, "ann");
    assert!(!welcome.contains("set-prefix"));
    folder
        .run(&["user", "level", "ann", "admin"])
        .success()
        .stderr(contains("ann has level 5 (admin) now: ").and(contains("1 connection")));
    assert_eq!(folder.status()["users"][0]["level"], 5, "before the command had ended");
    // The notice and the catalogue come in either order.
    let (mut told, mut listed) = (false, false);
    while !(told && listed) {
        let frame = read_frame(&mut ann);
        told |= frame.contains("You have level 5 (admin) now.");
        listed |= frame.contains("set-prefix");
    }
    folder.run(&["user", "level", "ann", "1"]).success().stderr(contains("1 connection"));
    folder.run(&["user", "level", "ann", "1"]).success().stderr(contains("nothing changes"));
    assert_eq!(folder.status()["users"][0]["level"], 1);
}

#[test]
fn a_lower_level_takes_what_the_admin_password_has_given() {
    let folder = Folder::new();
    folder.add("ann", "moderator");
    folder.run_with(&["admin-password"], &format!("{PASSWORD}\n")).success();
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    let call =
        format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "elevate", "ARGS": ["{PASSWORD}"]}}}}"#);
    ann.write_all(&chatterbox_proto::frame::encode(call.as_bytes()).unwrap()).unwrap();
    read_until(&mut ann, "RESULT");
    assert_eq!(folder.status()["users"][0]["level"], 5);
    folder.run(&["user", "level", "ann", "operator"]).success();
    assert_eq!(folder.status()["users"][0]["level"], 5, "it has not fallen");
    folder.run(&["user", "level", "ann", "user"]).success().stderr(contains("1 connection"));
    assert_eq!(folder.status()["users"][0]["level"], 1);
}

#[test]
fn without_a_socket_a_level_is_noticed_within_seconds() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&[]);
    let (mut ann, _) = log_in(&server, "ann");
    fs::rename(folder.socket(), folder.path("data/aside.sock")).unwrap();
    folder
        .run(&["user", "level", "ann", "admin"])
        .success()
        .stderr(contains("a server that runs notices within seconds"));
    read_until(&mut ann, "set-prefix");
    fs::rename(folder.path("data/aside.sock"), folder.socket()).unwrap();
    waits_until("ann is an admin", || folder.status()["users"][0]["level"] == 5);
}

#[test]
fn a_kick_and_a_ban_from_the_shell_are_told_and_hold() {
    let folder = Folder::new();
    folder.add("root", "admin");
    let server = folder.start(&[]);
    let mut witness = connect(server.address);
    join(&mut witness, "witness");
    let mut bob = connect(server.address);
    join(&mut bob, "bob");
    folder.run(&["kick", "nobody"]).code(67).stderr(contains("nobody"));
    folder.add("away", "user");
    folder.run(&["kick", "away"]).success().stdout(contains("away is not here, and may not come"));
    folder.run(&["kick", "bob", "too", "loud"]).success().stdout(contains("bob had to go"));
    assert!(read_to_end(&mut bob).contains("too loud"));
    read_until(&mut witness, "USERS_LEFT");
    assert!(!join(&mut connect(server.address), "bob").contains("ACCEPTED\": true"));

    // An admin is not above whoever runs the server.
    let (mut root, _) = log_in(&server, "root");
    let banned = folder.run(&["ban", "root", "--for", "2h", "--json", "enough"]).success();
    let done: Value = serde_json::from_slice(&banned.get_output().stdout).unwrap();
    assert_eq!((&done["about"], &done["ended"]), (&"root".into(), &1.into()), "{done}");
    assert!(done["until"].as_i64().is_some());
    assert!(read_to_end(&mut root).contains("enough"));
    folder.run(&["unban", "root"]).success().stdout("root may come in again.\n");
    log_in(&server, "root");
    folder.run(&["unban", "root"]).code(67).stderr(contains("there is no ban"));

    // It would hit others: it asks first.
    let mut other = connect(server.address);
    join(&mut other, "other");
    folder.run(&["ban", "127.0.0.0/8"]).code(75).stderr(contains("give --yes"));
    assert_eq!(folder.status()["user_count"].as_u64().map(|count| count >= 2), Some(true));
    folder.run(&["ban", "127.0.0.0/8", "--yes"]).success().stdout(contains("connections ended"));
    assert_eq!(folder.status()["user_count"], 0);
    folder.run(&["unban", "127.0.0.0/8"]).success();
    assert!(join(&mut connect(server.address), "other").contains("ACCEPTED\": true"));
}
