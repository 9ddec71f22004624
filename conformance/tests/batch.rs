//! A folder of submissions: each is judged by itself, and none of them, however broken or hostile, ends the
//! batch, stays behind or reaches the instructor's secrets; and two results side by side.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "submissions and results are files")]
#![cfg(unix)]

mod mutant;

use std::{fs, path::Path, time::Duration};

use assert_cmd::Command;
use conformance_kit::identity::Identity;
use conformance_suite::report::batch::{Batch, Outcome, Submission};

/// A server that works, with a fault or without.
fn server(fault: &str) -> String {
    mutant::command(&format!("127.0.0.1:$1 --cert cert.pem --key key.pem {fault}"))
}

/// Writes a submission: a script that is given the port.
fn submit(folder: &Path, name: &str, script: &str) {
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let folder = folder.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("cert.pem"), &identity.pem).unwrap();
    fs::write(folder.join("key.pem"), &identity.key_pem).unwrap();
    fs::write(folder.join("server.sh"), script).unwrap();
}

/// Runs a batch; its exit code, its results, and all that it printed.
fn batch(folder: &Path, arguments: &[&str]) -> (i32, Batch, String) {
    let json = folder.join("batch.json");
    let output = Command::cargo_bin("conformance")
        .unwrap()
        .arg("batch")
        .arg(folder)
        .args(["--spawn", "sh server.sh {port}", "--timeout-scale", "0.4", "--seed", "1"])
        .arg(format!("--json={}", json.display()))
        .args(arguments)
        .timeout(Duration::from_secs(240))
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let batch = fs::read_to_string(&json).unwrap_or_else(|error| panic!("{error}: {printed}"));
    (output.status.code().unwrap(), serde_json::from_str(&batch).unwrap(), printed)
}

fn one<'a>(batch: &'a Batch, name: &str) -> &'a Submission {
    batch.submissions.iter().find(|one| one.name == name).unwrap()
}

/// Whether a process runs that has this among its arguments.
fn runs(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap();
    processes.filter_map(Result::ok).any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
    })
}

/// A number of seconds that no other process sleeps.
fn rare() -> String {
    format!("98765{}", std::process::id())
}

#[test]
fn no_submission_ends_the_batch_and_none_stays_behind() {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: only Linux tells of the processes of others");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rare = rare();
    submit(folder.path(), "good", &server(""));
    submit(folder.path(), "taken", &server("--fault DuplicateAccepted"));
    submit(folder.path(), "=1+1", &server(""));
    submit(
        folder.path(),
        "no-start",
        "echo 'Traceback (most recent call last):'; echo 'ImportError: x'; exit 3",
    );
    submit(folder.path(), "daemon", &format!("setsid sleep {rare} &\n{}", server("")));
    submit(folder.path(), "forks", &format!("while :; do sleep {rare} & done"));
    submit(folder.path(), "eats", "x=0123456789abcdef; while :; do x=$x$x$x$x; done");
    submit(folder.path(), "prints", "yes");
    submit(folder.path(), "hangs", &format!("sleep {rare}"));
    fs::write(folder.path().join("late.zip"), "PK").unwrap();
    let out = folder.path().join(".out");
    let csv = folder.path().join(".table.csv");
    let (code, batch, printed) = batch(
        folder.path(),
        &[
            "--only=join.taken,join.accept",
            "--jobs=3",
            "--memory=300M",
            "--processes=40",
            &format!("--out={}", out.display()),
            &format!("--csv={}", csv.display()),
        ],
    );
    assert_eq!(code, 2, "{printed}");
    assert_eq!(batch.submissions.len(), 10, "{printed}");
    for name in ["good", "=1+1", "daemon"] {
        let good = one(&batch, name);
        assert_eq!(
            (good.outcome, good.must_failed, good.must_open),
            (Outcome::Judged, 0, 0),
            "{good:?}"
        );
        assert!(good.points > 0.0 && (good.of - good.points).abs() < 1e-9, "{good:?}");
    }
    assert_eq!(one(&batch, "taken").first_failed.as_deref(), Some("join.taken"));
    for (name, why) in [
        ("no-start", "ImportError: x"),
        ("forks", "processes, 40 are allowed"),
        ("eats", "it printed: "),
        ("prints", "it printed: y"),
        ("hangs", "does not answer"),
        ("late.zip", "unpack it"),
    ] {
        let bad = one(&batch, name);
        assert_eq!(bad.outcome, Outcome::NotJudged, "{bad:?}");
        assert!(bad.remarks.join("; ").contains(why), "{name}: {:?}", bad.remarks);
    }
    assert!(!runs(&rare), "a process of a submission is left");
    let table = fs::read_to_string(csv).unwrap();
    assert!(table.contains("\"'=1+1\",judged,"), "{table}");
    assert!(fs::read_to_string(out.join("index.html")).unwrap().contains("./taken/report.html"));
    let report = fs::read_to_string(out.join("taken/report.html")).unwrap();
    assert!(
        report.contains("Conformance of <code>taken</code>"),
        "the sandbox is no part of its name"
    );
    assert!(!out.join("hangs/report.html").exists() && out.join("hangs/result.json").exists());
    let lines = printed.lines();
    assert!(lines.clone().any(|line| line.starts_with("taken ")), "{printed}");
    assert!(lines.clone().any(|line| line.contains("[10/10]")), "{printed}");
}

#[test]
fn a_run_that_is_cut_short_keeps_what_it_knew() {
    let folder = tempfile::tempdir().unwrap();
    submit(folder.path(), "slow", &server(""));
    let (code, batch, printed) = batch(folder.path(), &["--deadline=1s"]);
    let slow = one(&batch, "slow");
    assert_eq!((code, slow.outcome), (2, Outcome::CutShort), "{printed}");
    assert!(slow.must_open > 0 && !slow.cases.is_empty(), "{printed}");
}

#[test]
fn what_was_judged_before_is_taken_with_the_same_setting_only() {
    let folder = tempfile::tempdir().unwrap();
    let starts = folder.path().join(".starts");
    submit(folder.path(), "ann", &format!("echo x >> '{}'\n{}", starts.display(), server("")));
    submit(folder.path(), "bob", "exit 1");
    let out = format!("--out={}", folder.path().join(".out").display());
    let started = || fs::read_to_string(&starts).unwrap().lines().count();
    let (.., printed) = batch(folder.path(), &["--only=join.accept", &out]);
    let first = started();
    assert!(first > 0, "{printed}");
    let (code, again, printed) = batch(folder.path(), &["--only=join.accept", &out, "--resume"]);
    assert_eq!(started(), first, "{printed}");
    assert!(printed.contains("ann: ") && printed.contains("(from an earlier run)"), "{printed}");
    assert_eq!(
        (code, one(&again, "ann").must_failed),
        (2, 0),
        "the other is tried again: {printed}"
    );
    batch(folder.path(), &["--only=join.taken", &out, "--resume"]);
    assert!(started() > first, "another selection is another question");
}

#[test]
fn a_submission_gets_its_folder_and_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let told = "echo \"$PWD|$HOME|$SECRET|$SHOWN|$GIVEN|$(cat built 2>&1)\"; exit 1";
    submit(folder.path(), "ann", told);
    let mut command = Command::cargo_bin("conformance").unwrap();
    command.env("SECRET", "token").env("SHOWN", "shown").arg("batch").arg(folder.path());
    command.args(["--spawn", "sh server.sh {port}", "--build", "echo made > built"]);
    let output = command.args(["--env", "SHOWN", "--env", "GIVEN=a b"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    let line = printed.lines().find(|line| line.starts_with("ann ")).unwrap();
    let parts: Vec<&str> = line.split("it printed: ").nth(1).unwrap().split('|').collect();
    assert!(parts[0].ends_with("/submission") && parts[0] == parts[1], "{line}");
    assert_eq!(&parts[2..], ["", "shown", "a b", "made"], "{line}");
    assert!(!folder.path().join("ann/built").exists(), "the original is left alone");
    assert!(!Path::new(parts[0]).exists(), "the copy is removed");
}

#[test]
fn an_interrupted_batch_leaves_nothing_behind() {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: only Linux tells of the processes of others");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let rare = format!("1{}", rare());
    submit(folder.path(), "ann", &format!("setsid sleep {rare} &\nsleep {rare}"));
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("conformance"))
        .arg("batch")
        .arg(folder.path())
        .args(["--spawn", "sh server.sh {port}"])
        .env("TMPDIR", temporary.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It can't be over before the processes are there: nobody listens, and that is waited for much longer.
    while !runs(&rare) {
        assert!(child.try_wait().unwrap().is_none(), "the batch ended by itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    let interrupt =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!runs(&rare), "a process of a submission is left");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "a copy is left");
}

#[test]
fn a_build_that_fails_is_told() {
    let folder = tempfile::tempdir().unwrap();
    submit(folder.path(), "ann", "exit 1");
    let build = "--build=echo compiling; echo 'error: \u{1b}[31mno such type' >&2; exit 1";
    let (code, batch, _) = batch(folder.path(), &[build]);
    let remark = one(&batch, "ann").remarks.join("; ");
    assert_eq!(code, 2);
    assert_eq!(remark, "the build failed: error: \\u{1b}[31mno such type");
}

/// Whether there is a Python; a missing one is told, and fails where services are required.
fn python() -> bool {
    let asked = std::process::Command::new("python3").arg("--version").output();
    let there = asked.is_ok_and(|output| output.status.success());
    if !there {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "python3 is required and not here");
        eprintln!("SKIPPED: python3 is not here, so no batch of clients is judged");
    }
    there
}

#[test]
fn clients_are_submissions_too() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/client.py");
    for (name, text) in
        [("ann", fs::read_to_string(client).unwrap()), ("bob", "import nothing_here".into())]
    {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("client.py"), text).unwrap();
    }
    let json = folder.path().join("batch.json");
    let output = Command::cargo_bin("conformance")
        .unwrap()
        .arg("batch")
        .arg(folder.path())
        .args(["--client", "python3 client.py {host} -p {port} -ca {ca}"])
        .args(["--only", "c.join.first,c.send.public", "--jobs", "2"])
        .arg(format!("--json={}", json.display()))
        .timeout(Duration::from_secs(240))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let batch: Batch = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let (ann, bob) = (one(&batch, "ann"), one(&batch, "bob"));
    assert_eq!((ann.outcome, ann.must_failed, ann.must_open), (Outcome::Judged, 0, 0), "{printed}");
    // One that does not start does nothing that a client must do.
    assert!(bob.points < ann.points && bob.must_failed + bob.must_open > 0, "{printed}");
}

/// Compares two files; the exit code and what was printed.
fn compare(before: &Path, after: &Path, more: &[&str]) -> (i32, String) {
    let mut command = Command::cargo_bin("conformance").unwrap();
    let output = command.arg("compare").args([before, after]).args(more).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn two_batches_and_two_reports_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let mut batches = Vec::new();
    for (name, fault) in [("a", ""), ("b", "--fault DuplicateAccepted")] {
        submit(folder.path(), "ann", &server(fault));
        let out = file(&format!(".{name}"));
        batch(
            folder.path(),
            &["--only=join.taken,join.accept", &format!("--out={}", out.display())],
        );
        fs::rename(file("batch.json"), file(&format!("{name}.json"))).unwrap();
        batches.push(out.join("ann/report.json"));
    }
    let (a, b) = (file("a.json"), file("b.json"));
    for (before, after) in [(&a, &b), (&batches[0], &batches[1])] {
        let (code, printed) = compare(before, after, &[]);
        assert_eq!(code, 1, "{printed}");
        let line = printed.lines().find(|line| line.contains("join.taken")).unwrap();
        assert!(line.contains("worse") && line.contains("pass -> fail"), "{printed}");
        let (code, printed) = compare(after, before, &[]);
        assert!(code == 0 && printed.contains("better"), "{code}: {printed}");
        assert_eq!(compare(before, before, &[]).0, 0);
    }
    let md = file("c.md");
    let json = file("c.json");
    let more = [format!("--md={}", md.display()), format!("--json={}", json.display())];
    compare(&batches[0], &batches[1], &more.each_ref().map(String::as_str));
    assert!(
        fs::read_to_string(md).unwrap().contains("| worse | `join.taken` | MUST | pass | fail |")
    );
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(json["differences"][0]["change"], "worse");
    let (code, printed) = compare(&a, &batches[0], &[]);
    assert_eq!(code, 64, "a batch and a run have nothing to compare: {printed}");
}
