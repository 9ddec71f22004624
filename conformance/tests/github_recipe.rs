//! The recipe for GitHub in docs/guide/grading.md: its steps are run as they stand there, in the shell
//! that GitHub's runner uses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "scripts, certificates and results are files")]

use std::{
    fs::{create_dir_all, read_to_string, write},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use conformance_kit::identity::Identity;
use tempfile::TempDir;

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/grading.md");
    read_to_string(page).unwrap()
}

/// The lines of a step of this name, without the `- name:`.
fn step(name: &str) -> String {
    let page = page();
    let begin = page.find(&format!("      - name: {name}\n")).unwrap();
    let step = page[begin..].split_once('\n').unwrap().1;
    let end = step.find("\n      - ").unwrap();
    step[..end].to_owned()
}

/// What a step runs.
fn script(name: &str) -> String {
    let step = step(name);
    let (_, lines) = step.split_once("        run: |\n").unwrap();
    lines.lines().map(|line| line.trim_start_matches("          ").to_owned() + "\n").collect()
}

/// A repository on a runner.
struct Runner(TempDir);

impl Runner {
    /// With these files; `None` without what the recipe needs.
    fn new(server: &str) -> Option<Self> {
        for need in ["python3", "bash"] {
            let there = Command::new(need).arg("--version").stdout(Stdio::null()).status();
            if !there.is_ok_and(|status| status.success()) {
                let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
                assert!(!required, "{need} is required and not here");
                eprintln!("SKIPPED: {need} is not here, so the recipe for GitHub is not run");
                return None;
            }
        }
        let runner = Self(tempfile::tempdir().unwrap());
        let folder = runner.0.path();
        create_dir_all(folder.join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_conformance"), folder.join("bin/conformance")).unwrap();
        write(folder.join("server.py"), server).unwrap();
        Some(runner)
    }

    fn read(&self, name: &str) -> String {
        read_to_string(self.0.path().join(name)).unwrap_or_default()
    }

    /// Runs a step and gives its exit code.
    fn run(&self, name: &str) -> Option<i32> {
        let folder = self.0.path();
        let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script(name)])
            .current_dir(folder)
            .env("PATH", path)
            .env("GITHUB_OUTPUT", folder.join("output"))
            .env("GITHUB_STEP_SUMMARY", folder.join("step-summary"))
            .output()
            .unwrap();
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        output.status.code()
    }
}

#[test]
fn the_recipe_is_whole() {
    let page = page();
    // The reporter finds the result by the id of the step.
    assert!(step("Grade").contains("        id: grade\n"));
    let reporter = step("Reporter");
    for part in ["if: always()", "autograding-grading-reporter", "runners: grade"] {
        assert!(reporter.contains(part), "{part}: {reporter}");
    }
    assert!(reporter.contains("GRADE_RESULTS: ${{ steps.grade.outputs.result }}"), "{reporter}");
    assert!(step("Summary").contains("if: always()"));
    assert!(page.contains("\n        if: always()\n        with:\n          name: conformance\n"));
}

#[test]
fn a_server_is_graded() {
    let server = "import os, sys\n\
        more = ['--cert', 'c.pem', '--key', 'k.pem']\n\
        os.execv(sys.executable, [sys.executable, 'peer.py', *sys.argv[1:], *more])\n";
    let Some(runner) = Runner::new(server) else { return };
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/server.py");
    for (name, text) in [
        ("c.pem", identity.pem),
        ("k.pem", identity.key_pem),
        ("peer.py", read_to_string(peer).unwrap()),
    ] {
        write(runner.0.path().join(name), text).unwrap();
    }
    assert_eq!(runner.run("Grade"), Some(0));
    assert_eq!(runner.run("Summary"), Some(0));
    assert!(runner.read("output").starts_with("result=ey"), "{}", runner.read("output"));
    assert!(runner.read("step-summary").contains("**Every MUST holds.**"));
    assert!(runner.read("junit.xml").contains("failures=\"0\" errors=\"0\""));
}

#[test]
fn a_server_that_does_not_start_has_a_summary_and_a_result() {
    let Some(runner) = Runner::new("raise SystemExit('no such module')\n") else { return };
    assert_eq!(runner.run("Grade"), Some(69));
    assert_eq!(runner.run("Summary"), Some(0));
    // base64 of an object of JSON.
    let output = runner.read("output");
    assert!(output.starts_with("result=ey") && output.lines().count() == 1, "{output}");
    let summary = runner.read("step-summary");
    assert!(summary.contains("did not start: it has ended with exit code 1"), "{summary}");
    assert!(summary.contains("    | no such module"), "{summary}");
    assert!(runner.read("junit.xml").contains("<error message=\"the server did not start"));
    assert!(runner.read("report.html").contains("no such module"));
}
