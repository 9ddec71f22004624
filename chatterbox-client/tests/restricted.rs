//! What a program offers that is the command of an SSH session: the chat, and no way out of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use support::certificate::Certificate;
use support::full_screen::{SIZE, has};
use support::server::{Peer, Server};
use support::terminal::Terminal;

/// A program that leaves a trace of having been run.
struct Trace(tempfile::TempDir);

impl Trace {
    fn new() -> Self {
        let trace = Self(tempfile::tempdir().unwrap());
        let script = format!("#!/bin/sh\ntouch '{}'\n", trace.0.path().join("run").display());
        std::fs::write(trace.program(), script).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(trace.program(), mode).unwrap();
        let config = format!(
            "[screen]\nopen = [{0:?}]\n[keys]\neditor = [\"f5\"]\nsuspend = [\"f6\"]\n",
            trace.program().display().to_string()
        );
        std::fs::write(trace.config(), config).unwrap();
        trace
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("program")
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("client.toml")
    }

    fn was_left(&self) -> bool {
        self.0.path().join("run").exists()
    }
}

async fn joined(trace: &Trace, more: &[&str], size: (u16, u16)) -> (Terminal, Peer) {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let (port, ca) = (server.port().to_string(), certificate.authority().display().to_string());
    let config = trace.config().display().to_string();
    let line = ["localhost", "-p", &port, "-ca", &ca, "--config", &config];
    let program = trace.program().display().to_string();
    let variables = [("VISUAL", program.as_str()), ("EDITOR", program.as_str())];
    let mut terminal = Terminal::sized(&[&line[..], more].concat(), size, &variables);
    let mut peer = server.accept().await;
    terminal.sees_last("name:");
    terminal.types("ann\r");
    peer.welcome("ann").await;
    terminal.sees_last("ann>");
    (terminal, peer)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_and_no_list_leads_to_another_program() {
    for plain in [false, true] {
        let trace = Trace::new();
        let more: &[&str] = if plain { &["--restricted", "--plain"] } else { &["--restricted"] };
        let (mut terminal, mut peer) = joined(&trace, more, SIZE).await;
        peer.send(r#"{"MESSAGES": [["bob", "ALL", 1, "look: https://a.example/x"]]}"#).await;
        terminal.sees("the link", |rows| has(rows, &["https://a.example/x"]));
        // The keys of the table, and those that the configuration gives.
        terminal.types("\u{18}\u{5}\u{1a}\u{1b}[15~\u{1b}[17~");
        if !plain {
            // The palette, which has every action by its name.
            for action in ["editor", "suspend"] {
                terminal.types("\u{1b}/");
                terminal.types(action);
                terminal.sees("the palette", |rows| has(rows, &[action]));
                terminal.types("\r\u{1b}");
            }
            // The links: Enter would copy, Alt-Enter would open.
            terminal.types("\u{1b}l");
            terminal.sees("the links", |rows| has(rows, &["Enter copies"]));
            terminal.sees("nothing opens them", |rows| !has(rows, &["opens"]));
            terminal.types("\u{1b}\r\u{1b}\u{1b}");
        }
        terminal.types("\u{15}still here\r");
        assert_eq!(peer.message().await.1, "still here");
        assert!(!trace.was_left(), "a program was run");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_does_not_speak_of_what_is_not_there() {
    let (trace, tall) = (Trace::new(), (120, 80));
    for (more, there) in [(&[][..], true), (&["--restricted"], false)] {
        let (mut terminal, _peer) = joined(&trace, more, tall).await;
        terminal.types("\u{1b}OP");
        terminal.sees("the help", |rows| has(rows, &["Keys (Esc closes"]));
        terminal.sees("the editor", |rows| has(rows, &["$EDITOR"]) == there);
        terminal.sees("suspending", |rows| has(rows, &["Stop the program"]) == there);
    }
}
