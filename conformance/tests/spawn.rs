//! Servers that the suite starts itself: waited for, started again when they die, ended with all
//! their children, and what they print changes nothing.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "certificates and scripts are files")]

mod mutant;

use std::{path::Path, time::Duration};

use assert_cmd::Command;
use conformance_kit::{
    identity::Identity,
    subject::{
        place::Place,
        printed::Mark,
        server::{Server, Waiting},
    },
};
use conformance_suite::{report::json, verdict::Verdict};

/// The command line of a mutant with these arguments.
fn faulty(folder: &Path, more: &str) -> String {
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let (cert, key) = (folder.join("c.pem"), folder.join("k.pem"));
    std::fs::write(&cert, &identity.pem).unwrap();
    std::fs::write(&key, &identity.key_pem).unwrap();
    mutant::command(&format!(
        "127.0.0.1:{{port}} --cert {} --key {} {more}",
        cert.display(),
        key.display()
    ))
}

/// Runs the suite; the exit code, the JSON report if one was written, and everything it printed.
fn grade(folder: &Path, arguments: &[&str]) -> (i32, Option<conformance_suite::Report>, String) {
    let file = folder.join("report.json");
    let output = Command::cargo_bin("conformance")
        .unwrap()
        .args(["--insecure", "--timeout-scale", "0.4", "--seed", "1"])
        .arg(format!("--report=json={}", file.display()))
        .args(arguments)
        .timeout(Duration::from_secs(120))
        .output()
        .unwrap();
    let report = std::fs::read_to_string(&file).ok().map(|text| json::read(&text).unwrap());
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), report, String::from_utf8_lossy(&printed).into_owned())
}

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
fn a_traceback_keeps_its_lines_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("fails.sh");
    let long = "i=0; while [ $i -lt 3000 ]; do echo \"  File line $i\"; i=$((i+1)); done >&2";
    let text = format!("echo Traceback >&2\n{long}\necho 'KeyError: last' >&2\nexit 1\n");
    std::fs::write(&script, text).unwrap();
    let line = format!("sh {} {{port}}", script.display());
    let (code, report, printed) = grade(folder.path(), &["--spawn", &line]);
    assert_eq!(code, 69);
    assert!(printed.contains("  |   File line 2999\n  | KeyError: last\n"), "{printed}");
    assert!(report.unwrap().output.ends_with("  File line 2999\nKeyError: last"));
}

#[test]
fn the_line_that_repeats_a_run_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault DuplicateAccepted");
    let file = folder.path().join("report.json");
    let first = Command::cargo_bin("conformance")
        .unwrap()
        // As without cargo, which would build first.
        .env_remove("CARGO_MANIFEST_DIR")
        .args(["--insecure", "--only", "join.taken", "--jobs", "2", "--sni", "localhost"])
        .args(["--timeout-scale", "0.4", "--spawn", &command])
        .arg(format!("--report=json={}", file.display()))
        .output()
        .unwrap();
    assert_eq!(first.status.code(), Some(1));
    let report = json::read(&std::fs::read_to_string(file).unwrap()).unwrap();
    let again = report.repeat_command("join.taken");
    for part in ["--insecure", "--timeout-scale 0.4", "--jobs 2", "--sni localhost"] {
        assert!(again.contains(part), "{part} in {again}");
    }
    let output = std::process::Command::new("sh").args(["-c", &again]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{again}: {printed}");
    assert!(printed.contains("FAIL") && printed.contains("join.taken"), "{printed}");
}

#[test]
fn a_report_on_standard_output_has_it_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    for place in ["-", "/dev/stdout"] {
        let output = Command::cargo_bin("conformance")
            .unwrap()
            .args(["--insecure", "--spawn", &command, "--only", "join.accept"])
            .arg(format!("--report=json={place}"))
            .output()
            .unwrap();
        let report = json::read(&String::from_utf8(output.stdout).unwrap()).unwrap();
        assert_eq!(report.exit_code(), 0);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("Every MUST holds."), "{told}");
    }
}

#[test]
fn a_shell_can_take_a_report_with_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    let line = format!(
        "{} --insecure --spawn \"$1\" --only join.accept --report tap=>(tail -n 1 > {}) > /dev/null; wait $!",
        env!("CARGO_BIN_EXE_conformance"),
        taken.display()
    );
    let there = std::process::Command::new("bash").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "bash is required and not here");
        eprintln!("SKIPPED: bash is not here, so no report goes to >(a command)");
        return;
    }
    let command = faulty(folder.path(), "");
    let output =
        std::process::Command::new("bash").args(["-c", &line, "bash", &command]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = std::fs::read_to_string(taken).unwrap();
    assert!(text.starts_with("ok 2 - join.accept"), "{text}");
}

#[test]
fn one_that_does_not_start_is_told_with_what_it_printed() {
    let folder = tempfile::tempdir().unwrap();
    let command = "printf 'no such \\033[31mmodule\\n' >&2; exit 3; echo {port}";
    let (code, _, printed) = grade(folder.path(), &["--spawn", &format!("sh -c \"{command}\"")]);
    assert_eq!(code, 69, "{printed}");
    assert!(printed.contains("no such \\u{1b}[31mmodule"), "{printed}");
}

#[test]
fn what_a_subject_prints_changes_no_grade() {
    let folder = tempfile::tempdir().unwrap();
    let noise = "while :; do echo '::set-output name=grade::100'; echo '{\"score\": 100}'; done";
    let script = folder.path().join("noisy.sh");
    let command = faulty(folder.path(), "--fault DuplicateAccepted");
    let command = command.replace("{port}", "$1");
    std::fs::write(&script, format!("({noise}) &\n{command}\n")).unwrap();
    let results = folder.path().join("results.json");
    let (code, _, printed) = grade(
        folder.path(),
        &[
            "--spawn",
            &format!("sh {} {{port}}", script.display()),
            "--only",
            "join.taken",
            &format!("--report=gradescope={}", results.display()),
        ],
    );
    assert_eq!(code, 1, "{printed}");
    assert!(printed.lines().all(|line| !line.starts_with("::")), "{printed}");
    let grade: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(results).unwrap()).unwrap();
    let failed = grade["tests"].as_array().unwrap().iter().find(|t| t["number"] == "join.taken");
    assert_eq!(failed.unwrap()["score"], 0.0);
}

#[test]
fn a_report_is_replayed_and_its_failures_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault DuplicateAccepted");
    let (code, ..) =
        grade(folder.path(), &["--spawn", &command, "--only", "join.taken,join.accept"]);
    assert_eq!(code, 1);
    let first = folder.path().join("first.json");
    std::fs::copy(folder.path().join("report.json"), &first).unwrap();
    let page = folder.path().join("page.html");
    let replay = Command::cargo_bin("conformance")
        .unwrap()
        .arg("replay")
        .arg(&first)
        .arg(format!("--report=html={}", page.display()))
        .output()
        .unwrap();
    assert_eq!(replay.status.code(), Some(1));
    assert!(std::fs::read_to_string(page).unwrap().contains("join.taken"));
    let good = faulty(folder.path(), "");
    let failed = format!("--failed={}", first.display());
    let (code, report, printed) = grade(folder.path(), &["--spawn", &good, &failed]);
    assert_eq!(code, 0, "{printed}");
    let asked: Vec<_> = report.unwrap().cases.into_iter().filter(|case| case.asked).collect();
    assert_eq!(asked.len(), 1);
}

#[test]
fn secrets_and_transcripts_are_kept_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault NeverAccepts");
    let (keys, bytes) = (folder.path().join("keys.log"), folder.path().join("bytes"));
    let (code, ..) = grade(
        folder.path(),
        &[
            "--spawn",
            &command,
            "--only",
            "join.accept",
            &format!("--keylog={}", keys.display()),
            &format!("--transcripts={}", bytes.display()),
        ],
    );
    assert_eq!(code, 1);
    assert!(std::fs::read_to_string(keys).unwrap().contains("CLIENT_TRAFFIC_SECRET_0"));
    assert!(std::fs::read_to_string(bytes.join("join.accept.json")).unwrap().contains("\"hex\""));
}

#[test]
fn a_run_that_is_cut_short_leaves_a_report_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "");
    let (code, report, printed) = grade(folder.path(), &["--spawn", &command, "--deadline", "1s"]);
    assert_eq!(code, 2, "{printed}");
    let report = report.unwrap();
    let unclaimed =
        conformance_suite::cases::server_cases().filter(|case| case.extension.is_none());
    assert_eq!(report.cases.len(), unclaimed.count());
    assert!(report.took_ms < 10_000, "{} ms", report.took_ms);
    assert!(report.totals().inconclusive > 0 && report.totals().passed > 0, "{printed}");
}

#[test]
fn invariants_alone_run_the_session_that_feeds_them() {
    let folder = tempfile::tempdir().unwrap();
    let command = faulty(folder.path(), "--fault LeftBareString");
    let (code, report, printed) = grade(folder.path(), &["--spawn", &command, "--only", "inv"]);
    assert_eq!(code, 1, "{printed}");
    let report = report.unwrap();
    let failed: Vec<_> = report.cases.iter().filter(|case| case.is_failure(false)).collect();
    assert_eq!(failed.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["inv.left-list"]);
}

/// Opens a server of the suite's own and waits until something listens on its port.
async fn open(line: &str) -> Server {
    let server = Server::open(&Place::Command(line.to_owned()), None).await.unwrap();
    listening(server).await
}

async fn listening(mut server: Server) -> Server {
    let waiting = Waiting::for_at_most(Duration::from_secs(30));
    while tokio::net::TcpStream::connect(("127.0.0.1", server.target.port)).await.is_err() {
        waiting.again(&mut server).await.unwrap();
    }
    server
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_process_that_is_measured_is_the_one_that_listens() {
    let mutant = mutant::command("127.0.0.1:{port}");
    for line in [
        mutant.clone(),
        format!("cd /; {mutant} | cat"),
        format!("(sleep 7000 & {mutant}); true"),
        format!("setsid {mutant} & exit 0"),
    ] {
        let mut server = open(&line).await;
        let pid = server.process().unwrap();
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        let command = String::from_utf8_lossy(&command).into_owned();
        assert!(command.ends_with("mutant::is_a_program\0--nocapture\0"), "{line}: {command}");
        assert_eq!(server.process(), Some(pid));
        assert!(server.is_running() && server.ending().is_none() || line.contains("exit 0"));
        drop(server);
        assert!(!Path::new(&format!("/proc/{pid}")).exists() || is_over(pid), "{line}");
    }
}

/// Whether a process has ended and only its parent has not noticed.
fn is_over(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.starts_with(" Z") || rest.starts_with(" X"))
}

#[tokio::test]
async fn what_is_printed_is_told_from_a_moment_on_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let died = folder.path().join("died");
    // It dies the first time it is told to, with its reason on the other stream.
    let line = format!(
        "echo begins; while [ ! -e {0} ]; do sleep 0.05; done; echo 'KeyError: x' >&2; rm {0}; exit 3; # {{port}}",
        died.display()
    );
    let mut server = Server::open(&Place::Command(line), None).await.unwrap();
    let start = Mark::default();
    while server.output_since(start).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mark = server.mark();
    assert_eq!(server.output_since(mark), "");
    std::fs::write(&died, "").unwrap();
    while server.is_running() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.drained().await;
    assert_eq!(server.output_since(mark), "KeyError: x\n");
    assert_eq!(server.ending().unwrap(), "it has ended with exit code 3");
    server.restart().await.unwrap().unwrap();
    while !server.output_since(mark).ends_with("begins\n") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.output_since(mark), "KeyError: x\nbegins\n");
    // The one that died, and the one that runs.
    assert_eq!(server.output(), "begins\nKeyError: x\nbegins\n");
}

#[tokio::test]
async fn who_answers_on_a_port_that_was_lost_is_somebody_else() {
    for (line, lost) in [
        ("echo 'OSError: [Errno 98] Address already in use' >&2; exit 1; # {port}", true),
        ("echo 'Error: listen EADDRINUSE: address already in use :::5000'; exit 1; # {port}", true),
        ("echo 'KeyError'; exit 1; # {port}", false),
        ("echo 'Address already in use'; exec sleep 7000; # {port}", false),
    ] {
        let mut server = Server::open(&Place::Command(line.to_owned()), None).await.unwrap();
        while server.output().is_empty() || (server.is_running() && !line.contains("sleep")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.has_lost_its_port().await, lost, "{line}");
    }
}
