//! The page for browsers: its state alone, its types, its vendored libraries, and all of it in a real browser before a real server.
//!
//! The tests themselves are JavaScript (`browser/*.test.mjs`), one file for each function here, so that failures are told apart. Each starts
//! its servers from the program that was built with this test, with folders of its own, and ends them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

#[path = "harness/program.rs"]
mod program;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a test needs that Rust does not bring.
#[derive(Debug, Clone, Copy)]
enum Need {
    Node,
    /// What `npm ci` puts into `tests/browser/node_modules`.
    Packages,
    Chromium,
    /// The terminal client, which a test of this package alone does not build.
    Client,
}

impl Need {
    /// What to do about it, if it is not here.
    fn missing(self) -> Option<String> {
        match self {
            Self::Node => match version("node") {
                Some(version) if version >= NODE => None,
                Some((major, minor)) => {
                    Some(format!("node is {major}.{minor}, not 18.19 or newer"))
                }
                None => Some("node (18.19 or newer) is not here".to_owned()),
            },
            Self::Packages if !folder().join("node_modules/playwright-core").is_dir() => {
                Some(format!("run `npm ci` in {}", folder().display()))
            }
            Self::Chromium if chromium().is_none_or(|path| version(path).is_none()) => {
                Some("chromium is not here (CHATTERBOX_CHROMIUM names another one)".to_owned())
            }
            Self::Client if !client().is_file() => {
                Some("chatterbox-client is not built (cargo build -p chatterbox-client)".to_owned())
            }
            _ => None,
        }
    }
}

/// The oldest node that has what the tests use.
const NODE: (u32, u32) = (18, 19);

/// The version that a program says, if it can be run.
fn version(program: impl AsRef<OsStr>) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    first_version(&String::from_utf8_lossy(&output.stdout))
}

/// The first two numbers of the first word that is a version, as in `v18.20.4` and `Chromium 126.0.6478.126 built on Debian`.
fn first_version(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

fn server() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chatterbox-server"))
}

/// Cargo puts all programs of the workspace into one folder.
fn client() -> PathBuf {
    server().with_file_name(format!("chatterbox-client{}", std::env::consts::EXE_SUFFIX))
}

/// The file of the browser: the one that is named, or else the first `chromium` of PATH.
fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHATTERBOX_CHROMIUM") {
        return Some(path.into());
    }
    first_in(&std::env::var_os("PATH")?, "chromium")
}

fn first_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether all of it is here; without it the test is skipped, or fails where services are required.
fn here(needs: &[Need]) -> bool {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join("; ");
    let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "required: {missing}");
    eprintln!("SKIPPED: {missing}");
    false
}

/// Runs node in the folder of the tests, which must end well.
fn node(arguments: &[&str]) {
    let pictures = server().parent().unwrap().join("browser-screenshots");
    let mut command = program::other("node");
    command.args(arguments).current_dir(folder()).stdin(Stdio::null());
    command.env("CHATTERBOX_SERVER", server());
    if let Some(path) = chromium() {
        command.env("CHATTERBOX_CHROMIUM", path);
    }
    command.env("CHATTERBOX_SCREENSHOTS", pictures);
    if client().is_file() {
        command.env("CHATTERBOX_CLIENT", client());
    }
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "node {arguments:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs one file of tests.
fn file(name: &str, needs: &[Need]) {
    if here(needs) {
        node(&["--test-reporter=spec", name]);
    }
}

const PLAIN: &[Need] = &[Need::Node];
const PACKAGES: &[Need] = &[Need::Node, Need::Packages];
const BROWSER: &[Need] = &[Need::Node, Need::Packages, Need::Chromium];

#[test]
fn types_hold() {
    if here(PACKAGES) {
        node(&["node_modules/typescript/bin/tsc", "-p", "."]);
    }
}

#[test]
fn vendored_libraries_are_those_of_the_registry() {
    file("vendor.test.mjs", PACKAGES);
}

#[test]
fn the_state_of_the_page_is_that_of_the_fixtures() {
    file("state.test.mjs", PLAIN);
}

#[test]
fn the_parts_of_the_page_decide_without_a_browser() {
    for name in ["parts.test.mjs", "drafts.test.mjs", "widgets.test.mjs"] {
        file(name, PLAIN);
    }
}

#[test]
fn what_is_typed_is_completed_kept_and_sent() {
    file("input.test.mjs", BROWSER);
}

#[test]
fn users_come_in_or_are_refused() {
    file("login.test.mjs", BROWSER);
}

#[test]
fn users_talk() {
    file("talk.test.mjs", BROWSER);
}

#[test]
fn users_send_files() {
    file("files.test.mjs", BROWSER);
}

#[test]
fn a_page_talks_with_the_terminal_client() {
    file("terminal.test.mjs", &[BROWSER, &[Need::Client]].concat());
}

#[test]
fn the_timeline_keeps_its_place() {
    file("timeline.test.mjs", BROWSER);
}

#[test]
fn lost_connections_come_back() {
    file("connection.test.mjs", BROWSER);
}

#[test]
fn the_page_works_without_a_mouse() {
    file("keys.test.mjs", BROWSER);
}

#[test]
fn the_page_looks_right_and_is_accessible() {
    file("look.test.mjs", BROWSER);
}

#[test]
fn a_hostile_server_does_no_harm() {
    file("hostile.test.mjs", BROWSER);
}

#[test]
fn what_a_machine_has_is_known_by_version_and_path() {
    assert_eq!(first_version("v18.20.4\n"), Some((18, 20)));
    assert_eq!(first_version("Chromium 126.0.6478.126 built on Debian"), Some((126, 0)));
    assert_eq!(first_version("v12.22.9").map(|version| version >= NODE), Some(false));
    assert_eq!(first_version("v18.9.1").map(|version| version >= NODE), Some(false));
    for text in ["", "node", "v18", "v.1", "18.x", "v99999999999.1"] {
        assert_eq!(first_version(text), None, "{text}");
    }
    assert_eq!(version("chatterbox-no-such-program"), None);
    let folders = tempfile::tempdir().unwrap();
    let (empty, full) = (folders.path().join("a"), folders.path().join("b"));
    std::fs::create_dir_all(empty.join("chromium")).unwrap();
    std::fs::create_dir_all(&full).unwrap();
    std::fs::write(full.join("chromium"), "").unwrap();
    let path = std::env::join_paths([&empty, &full]).unwrap();
    assert_eq!(first_in(&path, "chromium"), Some(full.join("chromium")));
    assert_eq!(first_in(&path, "firefox"), None);
}

#[test]
fn no_file_of_tests_is_forgotten() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let files: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    assert!(files.len() > 10);
    for name in files.iter().filter(|name| name.ends_with(".test.mjs")) {
        assert!(include_str!("browser.rs").contains(&format!("\"{name}\"")), "{name} is not run");
    }
}
