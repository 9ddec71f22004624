//! The binary: exit codes, selections, what goes where.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "reports are files")]

use assert_cmd::Command;
use conformance_suite::cases;

fn conformance() -> Command {
    let mut command = Command::cargo_bin("conformance").unwrap();
    command.env_remove("CLICOLOR_FORCE");
    command
}

fn output(arguments: &[&str]) -> (i32, String, String) {
    let output = conformance().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn wrong_usage_is_64() {
    for arguments in [
        &[][..],
        &["--target", "localhost:"],
        &["--target", "irc://localhost:5000"],
        &["--target", "localhost:1", "--fresh", "--insecure"],
        &["--spawn", "python3 server.py", "--insecure"],
        &["--target", "localhost:1", "--report=json=-,tap=/dev/stdout"],
        &["--target", "localhost:1", "--only", "framng"],
        &["--nonsense"],
        &["explain", "no.such"],
        &["--target", "localhost:1", "--ca", "/no/such/file"],
        &["--target", "localhost:1", "--insecure", "--claims", "no-such-extension"],
    ] {
        let (code, stdout, stderr) = output(arguments);
        assert_eq!(code, 64, "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_unknown_claim_says_which_extensions_have_cases() {
    let (code, _, stderr) =
        output(&["--target", "localhost:1", "--insecure", "--claims", "no-such-extension"]);
    assert_eq!(code, 64);
    let names: std::collections::BTreeSet<_> =
        conformance_suite::cases::server_cases().filter_map(|case| case.extension).collect();
    let names: Vec<_> = names.into_iter().collect();
    let known = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
    assert!(stderr.contains(&format!("extensions with cases: {known}")), "{stderr}");
}

#[test]
fn a_file_of_certificates_is_taken_wholly_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let pem = conformance_kit::identity::Identity::self_signed(&["localhost"]).unwrap().pem;
    let ca = file.display().to_string();
    let run = |content: &str| {
        std::fs::write(&file, content).unwrap();
        output(&["--target", "127.0.0.1:1", "--ca", &ca])
    };
    let (code, _, stderr) = run(&format!("{pem}{}", &pem[1..]));
    assert_eq!(code, 64);
    assert!(stderr.contains("ca.pem is spoiled: line "), "{stderr}");
    let glued = format!("\u{feff}{}{pem}", pem.trim_end());
    let (code, _, stderr) = run(&glued);
    assert_eq!(code, 69, "read, and then nobody is there: {stderr}");
}

#[test]
fn an_international_name_is_taken() {
    let (code, _, stderr) = output(&["--target", "bücher.invalid:1", "--insecure"]);
    assert!(code != 64 && stderr.contains("xn--bcher-kva.invalid"), "{code}: {stderr}");
}

#[test]
fn nobody_there_is_69() {
    let (code, _, stderr) = output(&["--target", "127.0.0.1:1", "--insecure"]);
    assert_eq!(code, 69);
    assert!(stderr.contains("can't reach 127.0.0.1:1") && stderr.contains("hint:"), "{stderr}");
}

#[test]
fn every_case_is_listed_and_explained() {
    let (code, stdout, _) = output(&["list", "--json"]);
    assert_eq!(code, 0);
    let cases: Vec<serde_json::Value> = serde_json::from_str(&stdout).unwrap();
    let (servers, clients) = (cases::server_cases(), cases::client_cases());
    assert_eq!(cases.len(), servers.count() + clients.count());
    let (code, stdout, _) = output(&["explain", "framing.coalesced"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("FR-4 MUST") && stdout.contains("often"), "{stdout}");
    let (_, plain, _) = output(&["list"]);
    assert!(plain.contains("join.taken") && !plain.contains('\u{1b}'));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let (code, stdout, _) = output(&["--help"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("Examples:") && stdout.contains("69 unreachable"));
}

#[test]
fn a_wrong_command_line_is_told_in_words_that_help() {
    for (arguments, words) in [
        (&["--target", "localhost:1", "--fresh"][..], "--fresh needs --spawn"),
        (&["--spawn", "./server"], "holds no {port}"),
        (&["--target", "localhost:1/chat"], "ends with its port"),
        (&["--target", "localhost:"], "without a colon it is 5000"),
        (&["explain", "framing.coalesed"], "do you mean framing.coalesced"),
        (&["explain", "fr4"], "do you mean FR-4"),
    ] {
        let (code, _, stderr) = output(arguments);
        assert!(code == 64 && stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_clause_is_explained_with_its_cases_and_a_group_is_listed() {
    for word in ["FR-4", "fr-4"] {
        let (code, stdout, _) = output(&["explain", word]);
        assert!(code == 0 && stdout.contains("FR-4 MUST"), "{stdout}");
        for case in cases::rows().filter(|case| case.clause == "FR-4") {
            assert!(stdout.contains(case.id), "{} in {stdout}", case.id);
        }
    }
    let (_, stdout, _) = output(&["explain", "framing"]);
    assert!(stdout.contains("framing.coalesced") && !stdout.contains("join.taken"), "{stdout}");
    let (_, stdout, _) = output(&["explain", "FR"]);
    assert!(stdout.contains("FR-1 MUST") && stdout.contains("FR-4 MUST"), "{stdout}");
}

#[test]
fn a_reader_that_goes_is_no_panic() {
    use std::{io::Read as _, process::Stdio};
    let program = env!("CARGO_BIN_EXE_conformance");
    for arguments in [&["list", "--json"][..], &["schema"], &["kill-matrix"]] {
        let mut child = std::process::Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 10]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// A report of an earlier run in every format, as a file that stays when nobody writes it again.
fn yesterday(folder: &std::path::Path) -> (Vec<std::path::PathBuf>, String) {
    let files: Vec<_> = conformance_suite::report::format::Format::ALL
        .iter()
        .map(|(word, _)| (format!("{word}={}", folder.join(word).display()), folder.join(word)))
        .collect();
    for (_, file) in &files {
        std::fs::write(file, "of yesterday").unwrap();
    }
    let reports = files.iter().map(|(report, _)| report.clone()).collect::<Vec<_>>().join(",");
    (files.into_iter().map(|(_, file)| file).collect(), reports)
}

#[test]
fn a_run_that_judged_nothing_leaves_no_report_of_an_earlier_one() {
    for (arguments, code, said) in [
        (&["--target", "127.0.0.1:1", "--insecure"][..], 69, "can't reach 127.0.0.1:1"),
        (&["--target", "127.0.0.1:1", "--only", "framng"], 64, "framng"),
        (&["--target", "127.0.0.1:1", "--ca", "/no/such/file"], 64, "/no/such/file"),
        (&["--target", "127.0.0.1:1", "--rubric", "/no/such/rubric"], 64, "/no/such/rubric"),
        (&["--spawn", "exit 7; echo {port}", "--insecure"], 69, "exit code 7"),
        (&["--spawn", "./server"], 64, "holds no {port}"),
        (&[], 64, "which server?"),
        (&["client", "--", "/no/such/program", "{port}"], 69, "/no/such/program"),
        (&["client", "--", "client"], 64, "{port}"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (files, reports) = yesterday(folder.path());
        let mut arguments = arguments.to_vec();
        let at = usize::from(arguments.first() == Some(&"client"));
        arguments.splice(at..at, ["--report", reports.as_str()]);
        let (ended, _, stderr) = output(&arguments);
        assert_eq!(ended, code, "{arguments:?}: {stderr}");
        for file in &files {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(!text.contains("of yesterday"), "{arguments:?}: {}", file.display());
        }
        let json = std::fs::read_to_string(folder.path().join("json")).unwrap();
        let report = conformance_suite::report::json::read(&json).unwrap();
        let trouble = report.trouble.as_ref().unwrap();
        assert!(trouble.what.contains(said), "{arguments:?}: {trouble:?}");
        assert_eq!(i32::from(report.exit_code()), code);
    }
}
