//! The program alone, as somebody has it who has installed it: in a folder of its own, found by its
//! name, with no checkout around it and nothing in its environment.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "programs, certificates and pages are files")]

mod mutant;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use conformance_kit::identity::Identity;
use conformance_suite::report::json;
use tempfile::TempDir;

/// The folder of a user, with the program in `bin` and a folder to work in.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "work"] {
            fs::create_dir(home.at(folder)).unwrap();
        }
        // A copy that was open for writing a moment ago is busy as long as another test is starting a program.
        let (program, installed) = (env!("CARGO_BIN_EXE_conformance"), home.at("bin/conformance"));
        let linked = fs::hard_link(program, &installed);
        linked.or_else(|_| fs::copy(program, &installed).map(|_| ())).unwrap();
        home
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Runs a line in the folder to work in.
    fn sh(&self, line: &str) -> Output {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.at("bin").display());
        Command::new("sh")
            .args(["-c", line])
            .current_dir(self.at("work"))
            .env_clear()
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What a line prints that works.
    fn printed(&self, line: &str) -> String {
        let output = self.sh(line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn whatever_it_tells_is_in_it() {
    let home = Home::new();
    for (line, part) in [
        ("list", "framing.coalesced"),
        ("explain FR-4", "FR-4 MUST"),
        ("norm", "| FR-4 |"),
        ("norm --capabilities", "## "),
        ("schema", "\"$schema\""),
        ("kill-matrix", "| "),
        ("learn --list", "connect"),
        ("learn client --list", "1"),
    ] {
        let printed = home.printed(&format!("conformance {line}"));
        assert!(printed.contains(part), "{part} in {line}:\n{printed}");
    }
    // What is suggested can be typed as it stands there.
    let group = home.printed("conformance explain framing");
    let (_, suggested) = group.split_once("One of them: ").unwrap();
    assert!(suggested.starts_with("conformance explain framing."), "{suggested}");
    let case = suggested.split_whitespace().next_back().unwrap();
    let explained = home.printed(suggested.trim());
    assert!(explained.starts_with(case), "{explained}");
}

#[test]
fn the_line_that_repeats_a_case_works_where_it_was_called() {
    let home = Home::new();
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    fs::write(home.at("work/cert.pem"), &identity.pem).unwrap();
    fs::write(home.at("work/key.pem"), &identity.key_pem).unwrap();
    let more = "--cert cert.pem --key key.pem --fault DuplicateAccepted";
    let server = mutant::command(&format!("127.0.0.1:{{port}} {more}"));
    fs::write(home.at("work/server.sh"), server.replace("{port}", "$1") + "\n").unwrap();
    let options = "--spawn 'sh server.sh {port}' --ca cert.pem";
    for program in ["conformance", "../bin/conformance"] {
        let line =
            format!("{program} {options} --only join.taken --report json=report.json --jobs 2");
        let output = home.sh(&line);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line}: {printed}");
        let text = fs::read_to_string(home.at("work/report.json")).unwrap();
        let again = json::read(&text).unwrap().repeat_command("join.taken");
        assert_eq!(again, format!("{program} {options} --jobs 2 --only join.taken"));
        assert!(printed.contains(&format!("  again     {again}\n")), "{printed}");
        let repeated = home.sh(&again);
        let printed = String::from_utf8_lossy(&repeated.stdout).into_owned();
        assert_eq!(repeated.status.code(), Some(1), "{again}: {printed}");
        assert!(printed.contains("join.taken"), "{printed}");
    }
}

#[test]
fn a_program_that_cargo_runs_says_so() {
    let home = Home::new();
    let package = env!("CARGO_MANIFEST_DIR");
    let cargo = format!("CARGO_PKG_NAME=conformance CARGO_MANIFEST_DIR='{package}'");
    let output = home.sh(&format!("{cargo} ../bin/conformance explain xyzzy"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("see `cargo run"), "{said}");
    // Another program that cargo runs may call an installed one.
    let output = home.sh(&format!("{cargo} conformance explain xyzzy"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("see `conformance list`"), "{said}");
}

/// Whether a program is here, as it has to be where nothing may be skipped.
fn is_here(program: &str) -> bool {
    let is_here = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(is_here || !required, "{program} is required and not here");
    if !is_here {
        eprintln!("SKIPPED: {program} is not here, so nobody has looked at what it would read");
    }
    is_here
}

#[test]
fn shells_take_the_completions_and_mandoc_the_pages() {
    let home = Home::new();
    for (shell, reads) in [
        ("bash", "bash --norc -n"),
        ("zsh", "zsh -f -n"),
        ("fish", "fish --no-config --no-execute"),
    ] {
        let script = home.printed(&format!("conformance --completions {shell}"));
        fs::write(home.at("work").join(shell), script).unwrap();
        if is_here(shell) {
            assert_eq!(home.printed(&format!("{reads} {shell} 2>&1")), "");
        }
    }
    assert_eq!(home.printed("conformance --man pages"), "");
    assert!(home.at("work/pages/conformance-learn-client.1").exists());
    if is_here("mandoc") {
        assert_eq!(home.printed("mandoc -T lint -W error pages/* 2>&1"), "");
    }
    let output = home.sh("conformance --man pages/conformance.1");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(64) && said.contains("pages/conformance.1"), "{said}");
}
