//! What the reports say of a run.

use super::*;

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
