//! The chat behind the system's SSH server, as docs/guide/ssh.md sets it up: a real sshd and a real ssh on loopback, with keys and settings of
//! their own in a temporary folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use chatterbox_server::Config;
use support::client::{BINARY, Client, Finished};
use support::full_screen::{SIZE, has};
use support::real::Real;
use support::terminal::Terminal;
use support::{DEADLINE, soon};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

const SSHD: &str = "/usr/sbin/sshd";

/// An sshd whose only command is the chat.
struct Sshd {
    folder: tempfile::TempDir,
    port: u16,
    user: String,
    server: Real,
    _sshd: Child,
}

/// Whether the test can be run; where it has to be, it fails instead.
fn is_there() -> bool {
    let missing = [SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen"]
        .into_iter()
        .find(|program| !Path::new(program).exists());
    let Some(missing) = missing else { return true };
    let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "{missing} is needed");
    eprintln!("SKIPPED: {missing} is not installed");
    false
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Sshd {
    async fn start(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "user"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]).await;
        }
        std::fs::copy(at("user.pub"), at("authorized_keys")).unwrap();
        let user = run("id", &["-un"]).await;
        if user == "root" {
            // What Debian makes at each boot; without it sshd does not start as root.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let server = Real::with(config).await;
        let command =
            [&[BINARY.to_owned()][..], &server.arguments(server.port, &["--ssh-session"])]
                .concat()
                .join(" ");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nAuthorizedKeysFile {}\nSubsystem sftp internal-sftp\n\
             SetEnv XDG_CONFIG_HOME={} TZ=UTC VISUAL=/bin/true\n\
             Match User {user}\n  ForceCommand {command}\n  PermitTTY yes\n  DisableForwarding yes\n  PermitUserRC no\n",
            at("host"),
            at("authorized_keys"),
            at("nothing"),
        );
        std::fs::write(at("sshd_config"), settings).unwrap();
        run(SSHD, &["-t", "-f", &at("sshd_config")]).await;
        let sshd = Command::new(SSHD)
            .args(["-D", "-e", "-f", &at("sshd_config")])
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        soon("sshd", async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(DEADLINE / 600).await;
            }
        })
        .await;
        Self { folder, port, user, server, _sshd: sshd }
    }

    /// How ssh is called from an address of this machine.
    fn line(&self, from: &str, options: &[&str]) -> Vec<String> {
        let key = self.folder.path().join("user").display().to_string();
        let (port, to) = (self.port.to_string(), format!("{}@127.0.0.1", self.user));
        let fixed = [
            "-F",
            "none",
            "-i",
            &key,
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-o",
            "BatchMode=yes",
            "-b",
            from,
            "-p",
            &port,
        ];
        let words = fixed.iter().chain(options).copied().chain([to.as_str()]);
        words.map(str::to_owned).collect()
    }

    /// Runs ssh to its end without a terminal.
    async fn ssh(&self, from: &str, options: &[&str], command: &[&str], input: &str) -> Finished {
        let line = self.line(from, options);
        let mut child = Command::new("ssh")
            .args(line)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = soon("the end of ssh", child.wait_with_output()).await.unwrap();
        Finished {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Somebody who listens without SSH.
fn listener(sshd: &Sshd) -> Client {
    let line = sshd.server.arguments(sshd.server.port, &["-u", "bob"]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    Client::start(&line)
}

async fn hears(listener: &mut Client, text: &str) -> String {
    loop {
        let line = listener.line().await;
        if line.contains(text) {
            return line;
        }
    }
}

fn trusting() -> Config {
    Config { trust_proxy: Some("127.0.0.1".parse().unwrap()), ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_terminal_is_the_full_screen_and_one_without_is_pipes() {
    if !is_there() {
        return;
    }
    let sshd = Sshd::start(trusting()).await;
    let mut bob = listener(&sshd);
    let line = sshd.line("127.0.0.2", &[]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let mut terminal = Terminal::of("ssh", &line, SIZE, &[]);
    terminal.sees_last("name:");
    terminal.types("ann\r");
    terminal
        .sees("the full screen", |rows| has(rows, &["lobby  everybody"]) && has(rows, &["ann>"]));
    terminal.types("hello over ssh\r");
    let heard = hears(&mut bob, "hello over ssh").await;
    assert!(heard.contains("ann"), "{heard}");
    // No way out: neither an editor nor a shell behind it.
    terminal.types("\u{18}\u{5}\u{1a}\u{15}still here\r");
    hears(&mut bob, "still here").await;
    terminal.types("/quit\r");
    assert_eq!(terminal.exits(), 0);

    let finished = sshd.ssh("127.0.0.2", &[], &[], "cyd\nfrom a script\n@bob psst\n").await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let heard = hears(&mut bob, "psst").await;
    assert!(heard.contains("cyd"), "{heard}");
    assert!(finished.out.contains("from a script"), "{finished:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_counts_the_address_from_which_ssh_was_called() {
    if !is_there() {
        return;
    }
    let sshd = Sshd::start(Config { max_per_address: 1, ..trusting() }).await;
    // bob has the one place of 127.0.0.1, which is also where the connections of sshd come from.
    let mut bob = listener(&sshd);
    for (from, name) in [("127.0.0.2", "ann"), ("127.0.0.3", "cyd")] {
        let line = sshd.line(from, &[]);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let mut first = Terminal::of("ssh", &line, SIZE, &[]);
        first.sees_last("name:");
        first.types(&format!("{name}\r"));
        first.sees("the chat", |rows| has(rows, &[&format!("{name}>")]));
        first.types(&format!("{name} is here\r"));
        hears(&mut bob, &format!("{name} is here")).await;
        let second = sshd.ssh(from, &[], &[], "eve\nhello\n").await;
        assert!(second.out.contains("too many connections"), "{second:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_there() {
    if !is_there() {
        return;
    }
    let sshd = Sshd::start(trusting()).await;
    for (options, command) in
        [(&[][..], &["id"][..]), (&["-t"], &["sh", "-i"]), (&["-s"], &["sftp"])]
    {
        let finished = sshd.ssh("127.0.0.2", options, command, "eve\nhello\n").await;
        let told = format!("{}{}", finished.out, finished.err);
        // The error output of a subsystem goes nowhere.
        let is_told = told.contains("there is only the chat here") || command == ["sftp"];
        assert!(is_told && finished.code == Some(64), "{command:?}: {finished:?}");
        assert!(!told.contains("uid="), "{told}");
    }
    let server = format!("127.0.0.1:{}", sshd.server.port);
    let forward = format!("0:{server}");
    for options in [
        &["-W", server.as_str()][..],
        &["-N", "-o", "ExitOnForwardFailure=yes", "-R", &forward],
        &["-N", "-o", "Tunnel=yes", "-o", "ExitOnForwardFailure=yes", "-w", "0:0"],
    ] {
        let finished = sshd.ssh("127.0.0.2", options, &[], "").await;
        assert_eq!(finished.code, Some(255), "{options:?}: {finished:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_trust_the_address_is_explained() {
    if !is_there() {
        return;
    }
    let sshd = Sshd::start(Config::default()).await;
    let finished = sshd.ssh("127.0.0.2", &[], &[], "ann\nhello\n").await;
    assert_ne!(finished.code, Some(0), "{finished:?}");
    assert!(finished.err.contains("--trust-proxy"), "{finished:?}");
}
