//! The server as a service: what the service manager is told, the sockets that it passes, its folders, and the units.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::PATIENCE;
use harness::process::{Running, connect, connect_tls, join};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use rustix::process::Signal;

const PLAIN: [&str; 5] = ["127.0.0.1", "-p", "0", "--plaintext", "--memory"];

/// A service manager, as far as it listens.
struct Manager {
    socket: UnixDatagram,
    path: String,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path: path.display().to_string(), _folder: folder }
    }

    /// What it is told next: one line for each thing.
    fn told(&self) -> String {
        let mut datagram = [0; 1024];
        let length = self.socket.recv(&mut datagram).expect("it is told something in time");
        String::from_utf8(datagram[..length].to_vec()).unwrap()
    }

    /// Reads until it is told this; gives all that it was told, each at once.
    fn until(&self, line: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            all.push(self.told());
            if all.last().unwrap().lines().any(|told| told == line) {
                return all;
            }
        }
    }

    /// What it was told beyond that, by a server that has ended.
    fn rest(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let mut datagram = [0; 1024];
        let told = || {
            let length = self.socket.recv(&mut datagram).ok()?;
            Some(String::from_utf8(datagram[..length].to_vec()).unwrap())
        };
        std::iter::from_fn(told).collect()
    }

    fn start(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Running {
        Running::start_in(&[&[("NOTIFY_SOCKET", &*self.path)], environment].concat(), arguments)
    }
}

/// Whether a program is here; without it the test is skipped, or fails where services are required.
fn has(program: &str) -> bool {
    let here = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    if here.is_ok_and(|status| status.success()) {
        return true;
    }
    let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "{program} is required and not here");
    eprintln!("SKIPPED: {program} is not here");
    false
}

#[test]
fn a_manager_knows_when_users_are_taken_and_when_the_server_stops() {
    let manager = Manager::new();
    let server = manager.start(&[], &[&PLAIN[..], &["--grace", "7"]].concat());
    let told = manager.until("READY=1");
    assert!(told.last().unwrap().contains("STATUS=takes users\n"), "{told:?}");
    let mut ann = connect(server.address);
    assert!(join(&mut ann, "ann").contains("\"USERNAME_ACCEPTED\": true"));
    server.signal(Signal::TERM);
    let told = manager.until("STOPPING=1");
    assert!(told.iter().all(|told| !told.contains("WATCHDOG")), "nobody asked for it: {told:?}");
    let stopping = told.last().unwrap();
    assert!(stopping.contains("STATUS=stops: connections end within 7 s\n"), "{stopping}");
    // What a slow disk takes beside the grace.
    assert!(stopping.contains("EXTEND_TIMEOUT_USEC=37000000\n"), "{stopping}");
    drop(ann);
    assert_eq!(server.end().0, Some(0));
    let rest = manager.rest();
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn a_reload_is_told_with_its_time_and_its_end() {
    let manager = Manager::new();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    let line = ["127.0.0.1", "-p", "0", "--plaintext", "--state", &state];
    let server = manager.start(&[], &line);
    manager.until("READY=1");
    let reloaded = || {
        let told = manager.until("RELOADING=1");
        let time =
            told.last().unwrap().lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(time.unwrap().parse::<u64>().unwrap() > 0, "{told:?}");
        manager.until("READY=1");
    };
    server.signal(Signal::HUP);
    reloaded();
    let mut reload = harness::program::server();
    reload.args(["reload", "--state", &state]).timeout(PATIENCE).assert().success();
    reloaded();
}

#[test]
fn a_watchdog_is_told_that_the_server_is_alive() {
    let manager = Manager::new();
    let server = manager.start(&[("WATCHDOG_USEC", "300000")], &PLAIN);
    manager.until("READY=1");
    for _ in 0..3 {
        manager.until("WATCHDOG=1");
    }
    drop(server);
    // That of another process is none of ours.
    let other = Manager::new();
    let environment = [("WATCHDOG_USEC", "1"), ("WATCHDOG_PID", "1")];
    let server = other.start(&environment, &PLAIN);
    other.until("READY=1");
    server.signal(Signal::TERM);
    let told = other.until("STOPPING=1");
    assert!(told.iter().all(|told| !told.contains("WATCHDOG")), "{told:?}");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_manager_that_has_gone_stops_nobody() {
    let manager = Manager::new();
    let path = manager.path.clone();
    drop(manager);
    let mut server = Running::start_in(&[("NOTIFY_SOCKET", &*path)], &PLAIN);
    server.log_line("the service manager can't be told");
    assert!(join(&mut connect(server.address), "ann").contains("true"));
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

/// Opens a socket for each name on this machine, and becomes the program with them, as systemd does. Says their ports before that.
const PASSING: &str = r#"
import fcntl, os, socket, sys
names = sys.argv[1]
opened = [socket.create_server(("127.0.0.1", 0)) for _ in names.split(":")]
print("ports", *(one.getsockname()[1] for one in opened), file=sys.stderr, flush=True)
above = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 100) for one in opened]
for place, one in enumerate(above, 3):
    os.dup2(one, place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(above)), LISTEN_FDNAMES=names)
os.execv(sys.argv[2], sys.argv[2:])
"#;

fn passing<'a>(program: &'a Path, names: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let python = ["-c", PASSING, names, program.to_str().unwrap()];
    [&python[..], arguments].concat()
}

#[test]
fn sockets_of_the_manager_are_used_for_what_their_names_say() {
    if !has("python3") {
        return;
    }
    let program = assert_cmd::cargo::cargo_bin("chatterbox-server");
    // Of the settings nothing is opened: the ports are those that are passed.
    let line = ["localhost", "-p", "1", "--plaintext", "--memory", "--web", "1"];
    let line = passing(&program, "chat:web", &line);
    let server = Running::start_program(Path::new("python3"), &line);
    let printed = server.printed().to_owned();
    let ports = printed.lines().find_map(|line| line.strip_prefix("ports ")).unwrap();
    let (chat, web) = ports.split_once(' ').unwrap();
    assert_eq!(server.address.to_string(), format!("127.0.0.1:{chat}"));
    assert_eq!(server.client_line, format!("chatterbox-client localhost -p {chat} --plaintext"));
    assert!(printed.contains(&format!("open: http://localhost:{web}/")), "{printed}");
    assert!(join(&mut connect(server.address), "ann").contains("\"USERNAME_ACCEPTED\": true"));
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_socket_that_nobody_wants_is_refused_and_one_of_another_process_is_not_seen() {
    let other = [("LISTEN_PID", "1"), ("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "web")];
    let server = Running::start_in(&other, &PLAIN);
    assert!(join(&mut connect(server.address), "ann").contains("true"));
    drop(server);
    if !has("python3") {
        return;
    }
    let program = assert_cmd::cargo::cargo_bin("chatterbox-server");
    let unwanted = contains("the socket \"web\", and --web is not set").and(contains("hint: "));
    assert_cmd::Command::from_std(harness::program::other("python3"))
        .args(passing(&program, "chat:web", &PLAIN))
        .timeout(PATIENCE)
        .assert()
        .code(78)
        .stderr(unwanted);
}

#[test]
fn the_folders_of_a_service_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let [state, settings] = ["state", "settings"].map(|name| folder.path().join(name));
    std::fs::create_dir(&settings).unwrap();
    std::fs::write(settings.join("server.toml"), "max-name = 7\n").unwrap();
    let [state, settings] = [state, settings].map(|path| path.display().to_string());
    let environment = [("STATE_DIRECTORY", &*state), ("CONFIGURATION_DIRECTORY", &*settings)];
    let server = Running::start_in(&environment, &["127.0.0.1", "-p", "0"]);
    let printed = server.printed();
    assert!(printed.contains(&format!("messages are kept in {state}/data\n")), "{printed}");
    assert!(server.client_line.ends_with(&format!(" -ca {state}/certs/ca.crt")), "{printed}");
    let run = |arguments: &[&str]| {
        let mut command = harness::program::server();
        command.envs(environment).args(arguments).timeout(PATIENCE).assert().success()
    };
    run(&["config"]).stdout(predicates::str::is_match("(?m)^max-name = 7 +# file$").unwrap());
    run(&["status"]).stdout(contains(format!("in {state}/data\n")));
}

/// The folder of the units.
fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy")
}

#[test]
fn a_renewed_certificate_reaches_the_running_server_by_the_hook() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (file, state, live) = (path("chat.pem"), path("state"), path("live/chat.example"));
    std::fs::create_dir_all(&live).unwrap();
    let renew = || {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(live.join("fullchain.pem"), pair.cert.pem()).unwrap();
        std::fs::write(live.join("privkey.pem"), pair.signing_key.serialize_pem()).unwrap();
    };
    let group = Command::new("id").arg("-gn").output().unwrap().stdout;
    let group = String::from_utf8(group).unwrap().trim().to_owned();
    let programs = assert_cmd::cargo::cargo_bin("chatterbox-server");
    let programs = programs.parent().unwrap().display().to_string();
    let programs = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let hook = |lineage: &Path| {
        harness::program::other("sh")
            .arg(deploy().join("certbot-deploy-hook.sh"))
            .envs([("PATH", &*programs), ("CHAT_GROUP", &*group)])
            .envs([
                ("RENEWED_LINEAGE", lineage),
                ("CHAT_FILE", &*file),
                ("CHATTERBOX_STATE", &*state),
            ])
            .output()
            .unwrap()
    };
    renew();
    assert!(hook(&live).status.success(), "no server runs, and the next one finds it");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let [cert, kept] = [&file, &state].map(|path| path.display().to_string());
    let line = ["localhost", "-p", "0", "--state", &kept, "--cert", &cert];
    let mut server = Running::start(&line);
    server.is_ready();
    let get_in = |name: &str| {
        let mut stream = connect_tls(server.address, &live.join("fullchain.pem"));
        join(&mut stream, name).contains("\"USERNAME_ACCEPTED\": true")
    };
    assert!(get_in("ann"));
    renew();
    let done = hook(&live);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("read again"), "{said}");
    assert!(get_in("bob"), "only the new one is trusted");
    let before = std::fs::read(&file).unwrap();
    assert!(hook(&path("live/other.example")).status.success());
    assert_eq!(std::fs::read(&file).unwrap(), before, "another certificate is none of ours");
    // certbot is told what goes wrong, and the server goes on with the old one.
    std::fs::write(live.join("privkey.pem"), "garbage").unwrap();
    let done = hook(&live);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(!done.status.success() && said.contains("not read: "), "{said}");
    assert!(get_in("cyd"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left behind");
}

#[test]
fn systemd_has_nothing_to_say_against_the_units() {
    if !has("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin("chatterbox-server");
    for unit in ["chatterbox.service", "chatterbox.socket"] {
        let text = std::fs::read_to_string(deploy().join(unit)).unwrap();
        // The program is not installed where units are looked at.
        let own = format!("={}", program.display());
        std::fs::write(folder.path().join(unit), text.replace("=chatterbox-server", &own)).unwrap();
    }
    let verified = Command::new("systemd-analyze")
        .args(["--man=no", "verify", "./chatterbox.service", "./chatterbox.socket"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_settings_beside_the_unit_are_understood() {
    let file = deploy().join("server.toml");
    let mut command = harness::program::server();
    let config = command.arg("config").arg("--config").arg(&file).assert().success();
    config.stdout(
        predicates::str::is_match("(?m)^state = \"/var/lib/chatterbox\" +# file$").unwrap(),
    );
    // What is commented out there can be taken as it is.
    let all = std::fs::read_to_string(&file).unwrap();
    let all = all.replace("\n# name =", "\nname =").replace("\n# cert =", "\ncert =");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, all).unwrap();
    let mut command = harness::program::server();
    let config = command.arg("config").arg("--config").arg(&file).assert().success();
    let name = predicates::str::is_match("(?m)^name = \"chat.example\" +# file$").unwrap();
    let cert = predicates::str::is_match("(?m)^cert = \"/etc/chatterbox/chat.pem\" +# file$");
    config.stdout(name.and(cert.unwrap()));
}

#[test]
fn the_folder_of_settings_has_one_mode_everywhere() {
    // systemd changes no folder of settings that is there: it complains at each start about another mode.
    for (file, has) in [
        ("chatterbox.service", "\nConfigurationDirectory=chatterbox\n"),
        ("chatterbox.service", "\nConfigurationDirectoryMode=0750\n"),
        ("chatterbox.tmpfile", "\nd /etc/chatterbox 0750 root chatterbox -\n"),
        ("README.md", "\n    install -d -m 0750 -g chatterbox /etc/chatterbox\n"),
        ("../guide/cluster.md", "\n    install -d -m 0750 -g chatterbox /etc/chatterbox\n"),
    ] {
        let text = std::fs::read_to_string(deploy().join(file)).unwrap();
        assert!(text.contains(has), "{file}");
    }
}

#[test]
fn the_unit_starts_the_program_again_after_what_may_pass_alone() {
    let unit = std::fs::read_to_string(deploy().join("chatterbox.service")).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    assert_eq!(line, Some("64 74 76 77 78"));
    let help = harness::program::server().arg("--help").output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    for code in line.unwrap().split(' ') {
        assert!(help.contains(&format!("\n  {code}  ")), "{code} is an exit code of the program");
    }
}
