//! How servers begin, die and end.

use super::*;

#[test]
fn a_server_is_started_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (code, report, printed) =
        grade(folder.path(), &["--spawn", &command, "--only", "join.taken"]);
    assert_eq!(code, 0, "{printed}");
    assert!(report.unwrap().output.contains("listening on 127.0.0.1"));
}

#[test]
fn one_that_dies_is_started_again_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault JunkKillsServer");
    // The fault ends every connection and every listener; the process ends with them.
    let (code, report, printed) =
        grade(folder.path(), &["--spawn", &command, "--only", "errors,conc.idle"]);
    assert_eq!(code, 1, "{printed}");
    let report = report.unwrap();
    let verdict = |id: &str| report.case(id).unwrap().verdict.word();
    assert_eq!(verdict("errors.not-json"), "fail", "{printed}");
    assert_eq!(verdict("conc.idle"), "pass", "{printed}");
}

/// What was asked before stays, the rest is inconclusive, and nothing starts it for ever.
#[test]
fn one_that_starts_only_once_is_not_started_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (lock, starts) = (folder.path().join("lock"), folder.path().join("starts"));
    let (lock, count) = (lock.display(), starts.display());
    let once = format!("echo >> {count}; [ -e {lock} ] && exit 1; touch {lock}; exec {command}");
    let arguments = ["--spawn", once.as_str(), "--only", "join,inv.length"];
    let (code, report, printed) = grade(folder.path(), &arguments);
    assert_eq!(code, 2, "{printed}");
    let report = report.unwrap();
    let verdict = |id: &str| report.case(id).unwrap().verdict.clone();
    assert_eq!(verdict("join.accept"), Verdict::Pass, "{printed}");
    assert_eq!(verdict("inv.length"), Verdict::Pass, "{printed}");
    assert!(printed.contains("could not be started again"), "{printed}");
    let starts = std::fs::read_to_string(starts).unwrap().lines().count();
    assert!(starts < 6, "{starts} starts");
}

#[test]
fn every_case_can_have_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (code, report, printed) =
        grade(folder.path(), &["--spawn", &command, "--fresh", "--only", "bcast.once,tls.only"]);
    assert_eq!(code, 0, "{printed}");
    // Those that the suite ended are not told of, however many they were.
    let report = report.unwrap();
    assert_eq!(report.output.matches("listening on").count(), 1, "{}", report.output);
}

#[test]
fn the_command_is_a_line_of_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let command = faulty(folder.path(), "");
    for line in [
        format!("cd {here} && {command}"),
        format!("X=1 {command}"),
        format!("({command})"),
        format!("cd {here}; {command} | cat"),
        format!("if true; then {command}; fi # the end"),
    ] {
        let (code, _, printed) = grade(folder.path(), &["--spawn", &line, "--only", "join.accept"]);
        assert_eq!(code, 0, "{line}: {printed}");
    }
}

/// Whether somebody whose command line holds this text still runs.
fn runs(text: &str) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    let command = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok();
    processes
        .flatten()
        .filter_map(command)
        .any(|command| String::from_utf8_lossy(&command).contains(text))
}

#[test]
#[cfg(target_os = "linux")]
fn whatever_it_starts_ends_with_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    // A sleep that others don't have tells whether something is left.
    let nap = format!("{}.{}", 7_000 + std::process::id() % 1_000, std::process::id());
    for line in [
        format!("sleep {nap} & {command}"),
        format!("setsid sleep {nap} & {command}"),
        // Twice, so that its parent is gone and its session somebody else's.
        format!("setsid sh -c 'setsid sleep {nap} & exit' ; {command}"),
        format!("setsid {command} & sleep {nap}"),
        // The shell ends before its server.
        format!("setsid {command} & setsid sleep {nap} & exit 0"),
        // Not even its environment tells whose it is.
        format!("env -i setsid sh -c 'sleep {nap} & exec sleep {nap}' & {command}"),
    ] {
        let (code, _, printed) = grade(folder.path(), &["--spawn", &line, "--only", "join.accept"]);
        assert_eq!(code, 0, "{line}: {printed}");
        assert!(!runs(&nap), "left by {line}");
    }
}

/// Whether whatever is started from here ignores SIGHUP, the first signal of the mask.
#[cfg(target_os = "linux")]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1
}

#[test]
#[cfg(target_os = "linux")]
fn whatever_it_starts_ends_with_an_interrupted_run_and_the_reports_say_so() {
    use std::{io::Read as _, process::Stdio};
    let folder = tempfile::tempdir().unwrap();
    let nap = format!("{}.{}", 8_000 + std::process::id() % 1_000, std::process::id());
    let command = faulty(folder.path(), "");
    for signal in ["INT", "TERM", "HUP"] {
        if signal == "HUP" && ignores_hangup() {
            eprintln!(
                "SKIPPED: HUP (these tests run under nohup, which makes the program ignore it)"
            );
            continue;
        }
        let file = folder.path().join(format!("{signal}.json"));
        let ready = folder.path().join(format!("{signal}.pipe"));
        let made = std::process::Command::new("mkfifo").arg(&ready).status().unwrap();
        assert!(made.success());
        let line = format!("setsid sleep {nap} & echo x > {}; {command}", ready.display());
        let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(["--insecure", "--spawn", &line, "--report"])
            .arg(format!("json={}", file.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The server is being started.
        std::fs::File::open(&ready).unwrap().read_exact(&mut [0; 1]).unwrap();
        let pid = run.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(sent.success());
        assert_eq!(run.wait().unwrap().code(), Some(130), "{signal}");
        assert!(!runs(&nap), "left after {signal}");
        let report = json::read(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(report.trouble.unwrap().what, "the run was interrupted");
    }
}

#[test]
fn a_server_whose_port_was_taken_gets_another() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let tried = folder.path().join("tried").display().to_string();
    // The first time it finds its port taken.
    let line = format!(
        "[ -e {tried} ] || {{ touch {tried}; echo 'OSError: [Errno 98] Address already in use'; exit 1; }}; {command}"
    );
    let (code, _, printed) = grade(folder.path(), &["--spawn", &line, "--only", "join.accept"]);
    assert_eq!(code, 0, "{printed}");
    // And one that says so for ever is told.
    let line = "echo 'bind: Address already in use: {port}'; exit 4";
    let (code, _, printed) = grade(folder.path(), &["--spawn", line]);
    assert!(
        code == 69 && printed.contains("did not start: it has ended with exit code 4"),
        "{printed}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_on_another_port_is_told_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let command = faulty(folder.path(), "").replace("{port}", &elsewhere.port().to_string());
    let line = format!("{command} # {{port}}");
    let (code, _, printed) = grade(folder.path(), &["--spawn", &line]);
    assert_eq!(code, 69, "{printed}");
    assert!(printed.contains(&format!("it listens on port {}", elsewhere.port())), "{printed}");
}

#[test]
fn one_that_does_not_start_is_told_with_what_it_printed() {
    let folder = tempfile::tempdir().unwrap();
    let command = "printf 'no such \\033[31mmodule\\n' >&2; exit 3; echo {port}";
    let (code, _, printed) = grade(folder.path(), &["--spawn", &format!("sh -c \"{command}\"")]);
    assert_eq!(code, 69, "{printed}");
    assert!(printed.contains("no such \\u{1b}[31mmodule"), "{printed}");
}
