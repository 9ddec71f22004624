//! Accidents on the disk: what vanishes, what is full, what is linked, what is killed half way. Nothing that was confirmed is
//! lost without a word.
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
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chatterbox_proto::{Entry, ServerFrame, client_frame};
use chatterbox_server::accounts::Directory as _;
use chatterbox_server::store::SqliteDirectory;
use harness::process::{Running, connect, join, read_frame};
use predicates::str::contains;
use rustix::process::Signal;

fn arguments(data: &Path) -> [String; 8] {
    let data = data.display().to_string();
    let limits = "--no-limits";
    ["127.0.0.1", "-p", "0", "--plaintext", limits, "--grace=0", "--data", &data].map(str::to_owned)
}

fn start(data: &Path) -> Running {
    Running::start(&arguments(data).each_ref().map(String::as_str))
}

/// Starts the server through a line of the shell, which ends with the command.
fn start_by(shell: &str, data: &Path) -> Running {
    let program = assert_cmd::cargo::cargo_bin("chatterbox-server").display().to_string();
    let arguments = arguments(data);
    let mut line = vec!["-c", shell, program.as_str()];
    line.extend(arguments.iter().map(String::as_str));
    Running::start_program(Path::new("/bin/sh"), &line)
}

/// A run of the program that is to end by itself.
fn refused_by(shell: &str, data: &Path) -> (Option<i32>, String) {
    let output = harness::program::other("/bin/sh")
        .args(["-c", shell])
        .arg(assert_cmd::cargo::cargo_bin("chatterbox-server"))
        .args(arguments(data))
        .stdout(Stdio::null())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn program() -> assert_cmd::Command {
    harness::program::server()
}

fn contents(body: &str) -> Vec<String> {
    let (frame, _) = ServerFrame::parse(body.as_bytes()).unwrap();
    frame.messages.into_iter().flatten().map(|message| message.content.into_owned()).collect()
}

/// Says something, and waits until it is seen or refused.
fn is_stored(stream: &mut TcpStream, text: &str) -> bool {
    let entry = Entry {
        source: "ann".into(),
        destination: "ALL".into(),
        timestamp: 1,
        content: text.into(),
    };
    stream.write_all(&client_frame::say([&entry]).unwrap()).unwrap();
    loop {
        let body = read_frame(stream);
        if body.contains("\"ERROR\"") {
            return false;
        }
        if contents(&body).iter().any(|seen| seen == text) {
            return true;
        }
    }
}

fn ann(server: &Running) -> TcpStream {
    let mut stream = connect(server.address);
    join(&mut stream, "ann");
    stream
}

#[test]
fn f17_a_data_folder_that_is_moved_away_takes_no_messages_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
    let mut server = start(&data);
    let mut ann = ann(&server);
    assert!(is_stored(&mut ann, "before"));
    fs::rename(&data, &aside).unwrap();
    assert!(!is_stored(&mut ann, "meanwhile"));
    let line = server.log_line("messages refused");
    assert!(line.contains("ERROR") && line.contains("removed, moved or replaced"), "{line}");
    fs::rename(&aside, &data).unwrap();
    assert!(is_stored(&mut ann, "after"));
    let line = server.log_line("messages are stored again");
    assert!(line.contains("refused=1"), "{line}");
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
    let welcome = join(&mut connect(start(&data).address), "bob");
    assert_eq!(contents(&welcome), ["before", "after"]);
}

#[test]
fn f17_a_server_whose_data_folder_is_gone_does_not_end_as_if_all_were_well() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = start(&data);
    let mut ann = ann(&server);
    assert!(is_stored(&mut ann, "before"));
    let mut directory = SqliteDirectory::open(&data).unwrap();
    fs::remove_dir_all(&data).unwrap();
    assert!(!is_stored(&mut ann, "after"));
    // Accounts are not made in files that nobody finds again either.
    directory.set_admin_password(None).unwrap_err();
    // Another server may be started there: it has its own database, and this one sees that it is not its own.
    let second = start(&data);
    assert!(!is_stored(&mut ann, "after all"));
    drop(second);
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(74), "{log}");
    assert!(log.contains("while the server uses it") || log.contains("was replaced"), "{log}");
    assert!(log.contains("hint: "), "{log}");
}

#[test]
fn a_limit_on_the_size_of_files_refuses_messages_and_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start_by("ulimit -f 1000; exec \"$0\" \"$@\"", folder.path());
    let mut ann = ann(&server);
    let long = "x".repeat(20_000);
    let mut kept = Vec::new();
    loop {
        let text = format!("{} {long}", kept.len());
        if !is_stored(&mut ann, &text) {
            break;
        }
        kept.push(text);
        assert!(kept.len() < 1000, "there is no limit");
    }
    let line = server.log_line("messages refused");
    assert!(line.contains("ERROR") && line.contains("ulimit -f"), "{line}");
    // A log may be on the same disk, so it does not grow with each of them.
    for _ in 1..20 {
        assert!(!is_stored(&mut ann, &long));
    }
    // It goes on, for others too.
    join(&mut connect(server.address), "bob");
    server.signal(Signal::TERM);
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("messages refused").count(), 4, "at 2, 4, 8 and 16: {log}");
    assert!(log.contains("count=16"), "{log}");
    let again = start(folder.path());
    assert_eq!(contents(&join(&mut connect(again.address), "cyd")), kept, "exactly what was seen");
}

#[test]
fn a_limit_below_an_empty_database_is_a_refusal_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = refused_by("ulimit -f 1; exec \"$0\" \"$@\"", &folder.path().join("data"));
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("a limit on the size of files") && said.contains("hint: "), "{said}");
    // What it left behind does not keep the next one away.
    start(&folder.path().join("data"));
}

#[test]
fn a_full_disk_is_a_refusal_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().display();
    let mount = |size: &str| format!("mount -t tmpfs -o size={size} tmpfs {disk}");
    let try_out = Command::new("unshare").args(["-rm", "sh", "-c", &mount("16k")]).output();
    if !try_out.is_ok_and(|output| output.status.success()) {
        // No package makes this possible, so it is not required anywhere.
        eprintln!("SKIPPED: no file system can be mounted here");
        return;
    }
    let shell =
        format!("exec unshare -rm sh -c '{}; exec \"$0\" \"$@\"' \"$0\" \"$@\"", mount("16k"));
    let (code, said) = refused_by(&shell, &folder.path().join("data"));
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("chatterbox.db: the disk is full\nhint: make room"), "{said}");
}

#[test]
fn a_second_folder_with_a_link_to_the_same_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = ["a", "b", "c"].map(|name| folder.path().join(name));
    for other in [&second, &third] {
        fs::create_dir(other).unwrap();
    }
    let server = start(&first);
    let database = first.join("chatterbox.db");
    std::os::unix::fs::symlink(&database, second.join("chatterbox.db")).unwrap();
    let (code, said) = refused_by("exec \"$0\" \"$@\"", &second);
    assert_eq!(code, Some(74));
    assert!(said.contains("is in use by another server"), "{said}");
    assert!(is_stored(&mut ann(&server), "still fine"));
    drop(server);
    // Alone it may be used by its link.
    let linked = start(&second);
    assert_eq!(contents(&join(&mut connect(linked.address), "bob")), ["still fine"]);
    drop(linked);
    // A hard link has no name that would be the one: SQLite would keep a write-ahead log for each.
    fs::hard_link(&database, third.join("chatterbox.db")).unwrap();
    for data in [&first, &third] {
        let (code, said) = refused_by("exec \"$0\" \"$@\"", data);
        assert_eq!(code, Some(74));
        assert!(said.contains("is a hard link") && said.contains("hint: "), "{said}");
    }
}

#[test]
fn a_second_server_with_the_same_folder_of_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, files] = ["a", "b", "files"].map(|name| folder.path().join(name));
    let shell = format!("exec \"$0\" \"$@\" --files '{}'", files.display());
    let server = start_by(&shell, &first);
    // Whoever does not know the bytes of the other one would remove them.
    let (code, said) = refused_by(&shell, &second);
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("files is in use by another server"), "{said}");
    assert!(said.contains("hint: give another folder with --files DIR"), "{said}");
    drop(server);
    drop(start_by(&shell, &second));
}

#[test]
fn a_folder_that_cannot_be_written_is_a_refusal_that_nobody_need_try_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    for flag in ["--files", "--activity-log"] {
        let shell = format!("exec \"$0\" \"$@\" {flag} '{}'", file.join("below").display());
        let (code, said) = refused_by(&shell, &folder.path().join("data"));
        assert_eq!(code, Some(74), "{flag}: {said}");
        assert!(said.contains("file/below: ") && said.contains("ReadWritePaths="), "{said}");
    }
    // The hint names the flag that was given.
    program()
        .args(["user", "add", "ann", "--state"])
        .arg(file.join("below"))
        .write_stdin("a good long password\n")
        .assert()
        .code(74)
        .stderr(contains("hint: give a folder that can be written with --state DIR"));
}

/// So many messages of 200 kB are less than what one user has of the history.
const LARGE: usize = 30;

/// A database of some megabytes, without a server.
fn large(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    let server = start(&data);
    let mut ann = ann(&server);
    let long = "x".repeat(200_000);
    for number in 0..LARGE {
        assert!(is_stored(&mut ann, &format!("{number} {long}")));
    }
    data
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn f24_a_backup_that_is_killed_leaves_nothing_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = large(folder.path());
    let copies = tempfile::tempdir().unwrap();
    let (file, part) = (copies.path().join("copy.db"), copies.path().join("copy.db.part"));
    let backup = || {
        let mut command = harness::program::process();
        command.arg("backup").arg(&file).arg("--data").arg(&data).stderr(Stdio::null());
        command
    };
    let mut caught = 0;
    for _ in 0..10 {
        let mut child = backup().spawn().unwrap();
        // It is killed while it writes; a fast one may have ended.
        while fs::metadata(&part).map_or(0, |found| found.len()) < 1_000_000
            && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            fs::remove_file(&file).unwrap();
            continue;
        }
        // Killed behind its last step, it is whole.
        if !file.exists() {
            assert!(part.exists());
            caught += 1;
            break;
        }
        fs::remove_file(&file).unwrap();
    }
    if caught == 0 {
        eprintln!("SKIPPED: every backup was faster than its kill");
    }
    fs::write(copies.path().join("copy.db.part-journal"), "left over").unwrap();
    // The next one goes over what is left, and leaves one file.
    assert!(backup().status().unwrap().success());
    assert_eq!(names(copies.path()), ["copy.db"]);
    let restored = copies.path().join("restored");
    fs::create_dir(&restored).unwrap();
    fs::rename(&file, restored.join("chatterbox.db")).unwrap();
    let welcome = join(&mut connect(start(&restored).address), "bob");
    assert_eq!(contents(&welcome).len(), LARGE);
}

#[test]
fn f24_a_backup_without_room_leaves_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = large(folder.path());
    let copies = tempfile::tempdir().unwrap();
    let output = harness::program::other("/bin/sh")
        .args(["-c", "ulimit -f 1000; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin("chatterbox-server"))
        .arg("backup")
        .arg(copies.path().join("copy.db"))
        .arg("--data")
        .arg(&data)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("copy.db: the disk takes no more") && said.contains("hint: "), "{said}");
    assert!(names(copies.path()).is_empty());
}

#[test]
fn a_mistyped_data_folder_is_told_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let typo = folder.path().join("dta");
    for line in [
        &["user", "list"][..],
        &["user", "level", "ann", "5"],
        &["user", "del", "ann"],
        &["user", "passwd", "ann"],
        &["admin-password", "--remove"],
        &["export"],
        &["backup", "/dev/null/copy.db"],
    ] {
        let done = program().args(line).arg("--data").arg(&typo).assert().code(74);
        done.stderr(contains(typo.display().to_string()))
            .stderr(contains("hint: give the server's folder with --data DIR"));
        assert!(!typo.exists(), "{line:?}");
    }
    // A first account may come before the first start; that a folder is made for it is said.
    program()
        .args(["user", "add", "ann", "--data"])
        .arg(&typo)
        .write_stdin("a good long password\n")
        .assert()
        .success()
        .stderr(contains("made a new database in"));
}

#[test]
fn a_server_says_that_it_made_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("dta");
    let said = format!("made a new database in {}", data.display());
    assert!(start(&data).printed().contains(&said));
    assert!(!start(&data).printed().contains("made a new"));
}

#[test]
fn an_account_that_the_disk_does_not_take_is_told_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    // The log of the database is longer than the limit allows, for as long as the server runs.
    let server = start(folder.path());
    let (mut ann, long) = (ann(&server), "x".repeat(200_000));
    assert!(is_stored(&mut ann, &long));
    let mut child = harness::program::other("/bin/sh")
        .args(["-c", "ulimit -f 200; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin("chatterbox-server"))
        .args(["user", "add", "bob", "--data"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a good long password\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("can't be read or written: the disk takes no more"), "{said}");
    assert!(said.contains("hint: look at `ulimit -f`"), "{said}");
}

#[test]
fn what_is_exported_to_a_full_disk_is_told() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: there is no /dev/full here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    assert!(is_stored(&mut ann(&start(folder.path())), "something"));
    let output = harness::program::process()
        .args(["export", "--data"])
        .arg(folder.path())
        .stdout(full)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("can't write all of it") && said.contains("hint: make room"), "{said}");
}
