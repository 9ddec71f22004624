//! The recipe for Gradescope in docs/guide/grading.md, run as it stands there: only its paths lead
//! into a temporary folder, nothing is installed, and `student` is the system's nobody.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "scripts, certificates and results are files")]

use std::{
    fs::{Permissions, copy, create_dir_all, read_to_string, set_permissions, write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use conformance_kit::identity::Identity;
use serde_json::Value;
use tempfile::TempDir;

/// The script of this name on the page.
fn recipe(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/grading.md");
    let page = read_to_string(page).unwrap();
    let mut scripts = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let begins = format!("#!/bin/sh\n# {name}");
    scripts.find(|script| script.starts_with(&begins)).unwrap().to_owned()
}

fn executable(file: &Path, text: &str) {
    write(file, text).unwrap();
    set_permissions(file, Permissions::from_mode(0o755)).unwrap();
}

fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Gradescope's container, in small.
struct Container {
    root: TempDir,
    path: String,
    /// Whether the server really runs as somebody else, who can't reach the results.
    apart: bool,
}

impl Container {
    /// Unpacks the zip and runs `setup.sh`; `None` when there is no Python for the servers.
    fn new() -> Option<Self> {
        if !works(Command::new("python3").arg("--version")) {
            let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
            assert!(!required, "python3 is required and not here");
            eprintln!("SKIPPED: python3 is not here, so the recipe for Gradescope is not run");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let bin = root.path().join("bin");
        for folder in ["bin", "autograder/source", "autograder/submission"] {
            create_dir_all(root.path().join(folder)).unwrap();
        }
        // A Python of root's own is out of reach for others.
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let clean = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
        let mut asked = Command::new("setpriv");
        asked.args(nobody).args(["python3", "--version"]).env("PATH", &clean);
        let apart = works(&mut asked);
        let path = if apart {
            clean
        } else {
            format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
        };
        let real =
            if apart { format!("/usr/bin/setpriv {}", nobody.join(" ")) } else { String::new() };
        let setpriv = format!(
            "#!/bin/sh\n[ \"$1 $2 $3\" = '--reuid=student --regid=student --clear-groups' ] || exit 99\n\
             shift 3\nexec {real} \"$@\"\n"
        );
        if !apart {
            eprintln!(
                "SKIPPED: the server can't run as somebody else here; it runs as the same user"
            );
        }
        executable(&bin.join("setpriv"), &setpriv);
        // What would change this machine only says that it was called.
        for name in ["apt-get", "useradd", "id"] {
            executable(&bin.join(name), &format!("#!/bin/sh\necho {name} \"$@\"\n"));
        }
        let container = Self { root, path, apart };
        let program = container.at("autograder/source/conformance");
        copy(env!("CARGO_BIN_EXE_conformance"), program).unwrap();
        let said = container.sh("setup.sh");
        assert!(said.contains("apt-get install -y python3"), "{said}");
        assert!(container.at("bin/conformance").exists(), "{said}");
        Some(container)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Runs a script of the page in this container, and gives what it printed.
    fn sh(&self, name: &str) -> String {
        let root = self.root.path().display();
        let script = recipe(name)
            .replace("/autograder", &format!("{root}/autograder"))
            .replace("/usr/local/bin", &format!("{root}/bin"));
        let file = self.at(&format!("autograder/{name}"));
        executable(&file, &script);
        let output = assert_cmd::Command::new("sh")
            .arg(&file)
            .env("PATH", &self.path)
            .timeout(Duration::from_secs(150))
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        assert!(output.status.success(), "{name}: {:?}\n{printed}", output.status);
        printed
    }

    /// Hands in a server, runs the autograder, and gives the results and what was printed.
    fn grade(&self, server: &str) -> (Value, String) {
        write(self.at("autograder/submission/server.py"), server).unwrap();
        let printed = self.sh("run_autograder");
        let results = read_to_string(self.at("autograder/results/results.json")).unwrap();
        let parsed = serde_json::from_str(&results);
        assert!(parsed.is_ok(), "{results}\n{printed}");
        (parsed.unwrap(), printed)
    }
}

fn most(results: &Value) -> f64 {
    let tests = results["tests"].as_array().unwrap().iter();
    tests.map(|test| test["max_score"].as_f64().unwrap()).sum()
}

/// Prints results for ever, and puts them where the real ones belong if it can.
const FORGER: &str = r#"
import os, socket, sys, threading
FAKE = '{"score": 100, "tests": [{"name": "all", "score": 100, "max_score": 100}]}'
RESULTS = os.path.join("@ROOT@", "autograder", "results")
def forge():
    while True:
        print(FAKE, "\n::set-output name=grade::100", "\x1b[2J", flush=True)
        for write in (lambda: open(os.path.join(RESULTS, "results.json"), "w").write(FAKE),
                      lambda: os.chmod(RESULTS, 0o777), lambda: os.rename(RESULTS, RESULTS + "2")):
            try:
                if @APART@:
                    write()
            except OSError:
                pass
threading.Thread(target=forge, daemon=True).start()
server = socket.create_server(("127.0.0.1", int(sys.argv[3])))
while True:
    server.accept()[0].close()
"#;

#[test]
fn a_good_server_gets_all_points() {
    let Some(container) = Container::new() else { return };
    let identity = Identity::self_signed(&["localhost", "127.0.0.1"]).unwrap();
    let submission = container.at("autograder/submission");
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/server.py");
    for (name, text) in [
        ("c.pem", identity.pem),
        ("k.pem", identity.key_pem),
        ("peer.py", read_to_string(peer).unwrap()),
    ] {
        write(submission.join(name), text).unwrap();
    }
    let (results, printed) = container.grade(
        "import os, sys\n\
         print('{\"score\": 1}', flush=True)\n\
         more = ['--cert', 'c.pem', '--key', 'k.pem']\n\
         os.execv(sys.executable, [sys.executable, 'peer.py', *sys.argv[1:], *more])\n",
    );
    assert!(printed.contains("Every MUST holds"), "{printed}");
    let score = results["score"].as_f64().unwrap();
    assert!(score > 50.0 && (score - most(&results)).abs() < 1e-9, "{score}\n{printed}");
}

#[test]
fn a_server_that_forges_results_gets_none() {
    let Some(container) = Container::new() else { return };
    let script = FORGER
        .replace("@ROOT@", &container.root.path().display().to_string())
        .replace("@APART@", if container.apart { "True" } else { "False" });
    let (results, printed) = container.grade(&script);
    assert_eq!(results["score"], 0.0, "{printed}");
    assert!(most(&results) > 50.0, "{printed}");
    let tests = results["tests"].as_array().unwrap();
    assert!(tests.iter().all(|test| test["name"] != "all" && test["score"] == 0.0), "{results}");
    assert!(printed.lines().all(|line| !line.starts_with("::")), "{printed}");
    assert!(!printed.contains("\u{1b}[2J"));
}

#[test]
fn a_server_that_does_not_start_gets_an_explanation() {
    let Some(container) = Container::new() else { return };
    let (results, printed) = container.grade("raise SystemExit('no such module')\n");
    assert!(printed.contains("no such module"), "{printed}");
    assert_eq!(results["score"], 0.0);
    assert!(most(&results) > 50.0, "{results}");
    // The student sees nothing else of the run.
    let output = results["output"].as_str().unwrap();
    assert!(
        output.starts_with("the server did not start: it has ended with exit code 1"),
        "{output}"
    );
    assert!(output.contains("it printed:\nno such module\n"), "{output}");
}
