//! The binary: exit codes, selections, what goes where.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

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
        &["--target", "localhost"],
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
