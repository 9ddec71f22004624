//! Whose the socket is, and peers at it that are not kind.

use super::*;

#[test]
fn the_socket_is_for_its_owner_and_goes_with_a_graceful_stop() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "0"]);
    let found = fs::symlink_metadata(folder.socket()).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    assert!(!folder.socket().exists());
}

#[test]
fn without_a_server_every_command_says_so_with_a_code_of_its_own() {
    let folder = Folder::new();
    for line in [
        &["status"][..],
        &["status", "--json"],
        &["announce", "hello"],
        &["reload"],
        &["stop"],
        &["kick", "bob"],
        &["ban", "192.0.2.0/24", "--for", "2h"],
        &["unban", "7"],
    ] {
        let no_server = contains("no server runs with the data folder").and(contains("hint: "));
        folder.run(line).code(68).stderr(no_server).stdout("");
    }
    let _memory = Running::start(&["localhost", "-p", "0", "--plaintext", "--memory"]);
    folder.run(&["status"]).code(68).stderr(contains("--memory can't be controlled"));
    assert!(!folder.socket().exists());
}

#[test]
fn a_second_server_in_a_folder_leaves_the_first_its_socket() {
    let folder = Folder::new();
    let first = folder.start(&[]);
    let inode = fs::symlink_metadata(folder.socket()).unwrap().ino();
    folder.run(&["localhost", "-p", "0", "--plaintext"]).code(74).stderr(contains("in use"));
    assert_eq!(fs::symlink_metadata(folder.socket()).unwrap().ino(), inode);
    assert_eq!(folder.status()["process"], first.id());
}

#[test]
fn a_socket_of_a_killed_server_is_replaced() {
    let folder = Folder::new();
    let first = folder.start(&[]);
    first.signal(Signal::KILL);
    first.end();
    assert!(folder.socket().exists(), "nobody has removed it");
    folder.run(&["status"]).code(68).stderr(contains("no server runs"));
    let second = folder.start(&[]);
    assert_eq!(folder.status()["process"], second.id());
}

#[test]
fn a_folder_that_others_may_write_to_has_a_chat_and_no_control() {
    let folder = Folder::new();
    folder.allow(0o777);
    let mut server = folder.start(&[]);
    assert!(join(&mut connect(server.address), "ann").contains("true"));
    assert!(!folder.socket().exists());
    folder
        .run(&["status"])
        .code(68)
        .stderr(contains("others may write").and(contains("chmod go-w")));
    server.signal(Signal::TERM);
    server.log_line("stopped");
}

#[test]
fn another_user_of_the_machine_is_turned_away() {
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let folder = Folder::new();
    let server = folder.start(&[]);
    // Everybody may come near it, and the socket alone decides.
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder.allow(0o755);
    let run = |line: &[&str]| {
        let mut command = harness::program::process();
        command.args(line).arg("--data").arg(folder.path("data")).current_dir("/");
        command.env("HOME", "/").uid(NOBODY).output()
    };
    let Ok(refused) = run(&["status"]) else {
        return eprintln!("SKIPPED: only root can run programs as another user");
    };
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(77), "{told}");
    assert!(told.contains("hint: ") && refused.stdout.is_empty(), "{told}");
    // Where the rights of the file were to fail, the user of the peer is looked at.
    fs::set_permissions(folder.socket(), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = run(&["status"]).unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(75), "{told}");
    assert!(refused.stdout.is_empty(), "not a word of who is here");
    // What one may not look at is not said to be missing.
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o700)).unwrap();
    for line in [&["status"][..], &["user", "list"], &["export"], &["bans"]] {
        let refused = run(line).unwrap();
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(77), "{line:?}: {told}");
        assert!(told.contains("no permission to") && told.contains("hint: "), "{told}");
    }
    assert_eq!(folder.status()["process"], server.id());
}

/// The answer to these bytes, to its end.
fn answer_to(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // It may be closed before all is written.
    let _ = stream.write_all(bytes);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn garbage_and_floods_at_the_socket_are_refused_and_change_nothing() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let socket = folder.socket();
    for (bytes, code) in [
        (&b"\n"[..], "bad-request"),
        (b"\xff\xfe\x00\n", "bad-request"),
        (b"GET / HTTP/1.1\r\n\r\n", "bad-request"),
        (b"{\"v\": 1, \"do\": \"dance\"}\n", "bad-request"),
        (b"{\"v\": 1, \"do\": \"announce\", \"text\": \"\"}\n", "bad-request"),
        (b"{\"v\": 1, \"do\": \"accounts-changed\", \"name\": \"\\u001b\"}\n", "bad-request"),
        (b"{\"v\": 99, \"do\": \"status\"}\n", "version"),
        (&[b'['; 200_000], "bad-request"),
    ] {
        let answer = answer_to(&socket, bytes);
        // What the server had no wish to read may have cut the answer to a flood off.
        let is_flood = bytes.len() > 64 * 1024;
        assert!(answer.contains(code) || is_flood && answer.is_empty(), "{bytes:?}: {answer}");
        assert!(answer.lines().count() <= 1, "{answer}");
    }
    let answer =
        answer_to(&socket, b"{\"v\": 1, \"do\": \"status\"}\n{\"v\": 1, \"do\": \"stop\"}\n");
    assert!(answer.contains("\"status\""), "{answer}");
    assert_eq!(folder.status()["process"], server.id(), "the second line was not read");
}

#[test]
fn half_open_peers_hold_eight_places_for_seconds_and_no_longer() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let half = |_| {
        let mut stream = UnixStream::connect(folder.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"{\"v\": 1, \"do\":").unwrap();
        stream
    };
    let begin = Instant::now();
    let stuck: Vec<_> = (0..8).map(half).collect();
    let mut line = String::new();
    let ninth = half(8);
    BufReader::new(ninth).read_line(&mut line).unwrap();
    assert!(line.contains("busy"), "{line}");
    for mut stream in stuck {
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "it is closed without a word");
    }
    assert!(begin.elapsed() >= Duration::from_secs(3), "whoever is slow has some seconds");
    assert_eq!(folder.status()["process"], server.id());
}
