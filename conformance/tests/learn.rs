//! `conformance learn` as a student uses it: from an empty file to every MUST, a stage at a time.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "a student's folder is files")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpStream,
    ops::RangeInclusive,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use conformance_kit::identity::Identity;
use conformance_suite::learn::{CLIENT, SERVER};

const SPAWN: &str = "python3 server.py {host} -p {port}";

/// How long a step may take, on a machine that does much else.
const DEADLINE: Duration = Duration::from_secs(300);

/// Whether there is a Python; a missing one is told, and fails where services are required.
fn python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok_and(|o| o.status.success());
    if !there {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "python3 is required and not here");
        eprintln!("SKIPPED: python3 is not here, so nobody learns to write a server in it");
    }
    there
}

/// A student's folder: a certificate and an empty file.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    std::fs::write(folder.path().join("cert.pem"), &identity.pem).unwrap();
    std::fs::write(folder.path().join("key.pem"), &identity.key_pem).unwrap();
    std::fs::write(folder.path().join("server.py"), "").unwrap();
    folder
}

/// The student's server when so many stages are done.
fn write_level(folder: &Path, level: usize) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/student.py");
    let script = std::fs::read_to_string(script).unwrap();
    let script = script.replace("LEVEL = 13", &format!("LEVEL = {level}"));
    std::fs::write(folder.join("server.py"), script).unwrap();
}

fn learn(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("conformance"));
    command.current_dir(folder).env_remove("CLICOLOR_FORCE").arg("learn").args(arguments);
    command
}

fn output(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = learn(folder, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// `learn --watch`, and what it prints.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(folder: &Path) -> Self {
        let arguments = ["--watch", "--timeout-scale", "0.4", "--spawn", SPAWN];
        let mut child = learn(folder, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// All that is printed until it waits for the next change.
    fn screen(&self) -> String {
        let mut screen = String::new();
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            assert!(line.is_ok(), "{line:?} after\n{screen}");
            let line = line.unwrap();
            screen.push_str(&line);
            screen.push('\n');
            if line.starts_with("Watching ") {
                return screen;
            }
        }
    }

    /// Ends it as Ctrl-C does, and gives the exit code.
    fn interrupt(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_empty_file_is_the_first_stage() {
    if !python() {
        return;
    }
    let folder = folder();
    let (code, stdout, stderr) = output(folder.path(), &["--spawn", SPAWN]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("Stage 1 of 13, connect:") && stdout.contains("it has ended"));
    assert!(stdout.contains("0 of 13 stages done.") && !stdout.contains('\u{1b}'), "{stdout}");
    // So is one that does not compile; the student sees why.
    std::fs::write(folder.path().join("server.py"), "imprt ssl\n").unwrap();
    let (code, stdout, _) = output(folder.path(), &["--spawn", SPAWN]);
    assert_eq!(code, 1);
    assert!(stdout.contains("    | SyntaxError: "), "{stdout}");
    // And a program that is not there.
    let (code, stdout, _) = output(folder.path(), &["--spawn", "./no-such-program {port}"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("no-such-program: not found"), "{stdout}");
}

/// Rewrites the server level after level, and looks which stage is shown each time.
fn climb(folder: &Path, watching: &Watching, levels: RangeInclusive<usize>) {
    for level in levels.clone() {
        // The first one is there already.
        if level > *levels.start() {
            write_level(folder, level);
        }
        let screen = watching.screen();
        let changed = screen.starts_with("-- changed: server.py");
        assert_eq!(level > *levels.start(), changed, "{screen}");
        let next = SERVER.stages.get(level).map_or_else(
            || "Congratulations: all stages are done.".to_owned(),
            |stage| format!("Stage {} of 13, {}: {}", level + 1, stage.id, stage.title),
        );
        assert!(screen.contains(&next), "with {level} stages done: {next} is missing in\n{screen}");
        assert!(screen.contains(&format!("{level} of 13 stages done.")), "{screen}");
    }
}

#[test]
fn a_student_begins_while_the_files_are_watched() {
    if !python() {
        return;
    }
    let folder = folder();
    let watching = Watching::start(folder.path());
    climb(folder.path(), &watching, 0..=7);
    // What was done stays watched.
    write_level(folder.path(), 2);
    let screen = watching.screen();
    assert!(screen.contains("Stage 3 of 13 was done, and is broken again"), "{screen}");
    assert_eq!(watching.interrupt(), 130);
}

#[test]
fn a_student_goes_on_to_the_end() {
    if !python() {
        return;
    }
    let folder = folder();
    write_level(folder.path(), 8);
    let watching = Watching::start(folder.path());
    climb(folder.path(), &watching, 8..=SERVER.stages.len());
    assert_eq!(watching.interrupt(), 130);
}

#[test]
fn what_was_started_ends_with_the_watching() {
    if !python() {
        return;
    }
    let folder = folder();
    // It does not listen where it should, and would live for minutes.
    let script = "import socket, time\n\
                  listener = socket.create_server(('127.0.0.1', 0))\n\
                  print(listener.getsockname()[1], file=open('port.txt', 'w'), flush=True)\n\
                  time.sleep(600)\n";
    std::fs::write(folder.path().join("server.py"), script).unwrap();
    let watching = Watching::start(folder.path());
    let file = folder.path().join("port.txt");
    let port = (0..3_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        std::fs::read_to_string(&file).ok()?.strip_suffix('\n')?.parse::<u16>().ok()
    });
    // A process that has ended has no listener, even if nobody has asked for its exit code yet.
    let runs = || TcpStream::connect(("127.0.0.1", port.unwrap())).is_ok();
    assert!(runs());
    assert_eq!(watching.interrupt(), 130);
    // The signal was sent before the program ended; the process goes a moment later.
    assert!((0..3_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !runs()
    }));
}

#[test]
fn an_empty_client_is_the_first_stage() {
    if !python() {
        return;
    }
    let folder = folder();
    std::fs::write(folder.path().join("client.py"), "print('\\033[31mhello')\n").unwrap();
    let command = ["client", "--", "python3", "client.py", "{host}", "-p", "{port}", "-ca", "{ca}"];
    let (code, stdout, stderr) = output(folder.path(), &command);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("Stage 1 of 9, connect:"), "{stdout}");
    assert!(stdout.contains("Not yet: c.tls.connect") && !stdout.contains('\u{1b}'), "{stdout}");
    assert!(stdout.contains("client --only c.tls.connect -- python3 client.py"), "{stdout}");
    let (code, stdout, _) = output(folder.path(), &["client", "--", "./no-such-client", "{port}"]);
    assert_eq!(code, 69, "{stdout}");
}

#[test]
fn a_server_that_is_not_there_is_69() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, _) = output(folder.path(), &["--target", "127.0.0.1:1"]);
    assert_eq!(code, 69);
    assert!(stdout.contains("Stage 1 of 13") && stdout.contains("127.0.0.1:1"), "{stdout}");
}

#[test]
fn wrong_usage_is_64() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &[][..],
        &["--spawn", "x {port}", "--target", "localhost:1"],
        &["--spawn", "python3 server.py"],
        // Nobody would start the changed server.
        &["--target", "localhost:1", "--watch"],
        &["--target", "localhost:1", "--ca", "/no/such/file"],
        &["client"],
        &["client", "--", "./client"],
    ] {
        let (code, stdout, stderr) = output(folder.path(), arguments);
        assert_eq!(code, 64, "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_way_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    for (path, arguments) in [(&SERVER, &["--list"][..]), (&CLIENT, &["client", "--list"])] {
        let (code, stdout, _) = output(folder.path(), arguments);
        assert_eq!(code, 0);
        assert!(path.stages.iter().all(|stage| stdout.contains(stage.title)), "{stdout}");
    }
    let (_, help, _) = output(folder.path(), &["--help"]);
    assert!(help.contains("self-signed") && help.contains("--watch"), "{help}");
}
