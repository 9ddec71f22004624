//! Stopping: at once, and in a while.

use super::*;

/// Somebody who asks for a stop, and waits until the server has gone.
fn stop_in(folder: &Folder, seconds: &'static str) -> std::thread::JoinHandle<Assert> {
    let data = folder.path("data");
    std::thread::spawn(move || {
        let mut command = harness::program::server();
        command.args(["stop", "--in", seconds]).arg("--data").arg(data).timeout(PATIENCE).assert()
    })
}

#[test]
fn stop_tells_everybody_and_waits_until_the_server_has_gone() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "3600"]);
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let waiting = stop_in(&folder, "1");
    let told = read_until(&mut ann, "shutting down in 1 s");
    assert!(told.contains("SERVER"), "{told}");
    waiting.join().unwrap().success().stdout("stopped\n").stderr(contains("1 user is told"));
    // The process has ended by now: its folder is free, and so is its socket.
    assert!(!folder.socket().exists());
    folder.run(&["status"]).code(68);
    let again = folder.start(&[]);
    assert_eq!(folder.status()["process"], again.id());
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_stop_in_a_while_lets_people_in_until_the_grace_begins_and_can_be_brought_forward() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "2"]);
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let first = stop_in(&folder, "3600");
    read_until(&mut ann, "shutting down in 3600 s");
    let mut bob = connect(server.address);
    assert!(join(&mut bob, "bob").contains("true"), "the doors are open");
    let told = read_until(&mut bob, "shutting down in 3");
    assert!(told.contains("SERVER"), "whoever comes is told what the others were: {told}");
    let stops = folder.status()["stops"].as_i64().unwrap();
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(stops.unsigned_abs().abs_diff(since_1970 + 3600) < 120, "{stops}");
    stop_in(&folder, "0").join().unwrap().success();
    first.join().unwrap().success().stdout("stopped\n");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn whoever_is_about_to_join_is_told_of_an_end_that_came_sooner() {
    let folder = Folder::new();
    let server = folder.start(&["--grace", "600"]);
    let mut ann = connect(server.address);
    join(&mut ann, "ann");
    let mut late = connect(server.address);
    let began = Instant::now();
    while folder.status()["connections"] != 2 {
        assert!(began.elapsed() < PATIENCE, "the second connection is not there");
    }
    let waiting = stop_in(&folder, "7200");
    read_until(&mut ann, "shutting down in 7200 s");
    server.signal(Signal::TERM);
    read_until(&mut ann, "shutting down in 600 s");
    join(&mut late, "late");
    let told = read_until(&mut late, "shutting down in ");
    assert!(!told.contains("in 7") && told.contains("SERVER"), "{told}");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    waiting.join().unwrap().success().stdout("stopped\n");
}

#[test]
fn a_stop_says_when_the_server_is_expected_back() {
    let folder = Folder::new();
    folder.add("ann", "user");
    let server = folder.start(&["--grace", "3600"]);
    let (mut ann, _) = log_in(&server, "ann");
    folder.run(&["stop", "--in", "0", "--back-in", "0"]).code(64).stderr(contains("1..=86400"));
    let stop = ["stop", "--in", "0", "--back-in", "120"];
    folder.run(&stop).success().stdout("stopped\n");
    let told = read_to_end(&mut ann);
    assert!(told.contains("It is expected back 2 min later."), "{told}");
    assert!(told.contains("\"CODE\": \"shutdown\"") && told.contains("\"RETRY\": 120}"), "{told}");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn whoever_waits_for_a_stop_takes_no_place_from_others() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    // As many as there are places, each interrupted while it waits.
    for _ in 0..8 {
        let mut stream = UnixStream::connect(folder.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"{\"v\": 1, \"do\": \"stop\", \"seconds\": 600}\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert!(line.contains("stopping"), "{line}");
    }
    assert_eq!(folder.status()["process"], server.id());
    folder.run(&["stop", "--in", "0"]).success().stdout("stopped\n");
}
