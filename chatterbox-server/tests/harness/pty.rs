//! A program of others on a pseudo-terminal, seen as a person sees it.

use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::PATIENCE;

/// What the terminal shows, and whether that was all.
struct Shown {
    parser: vt100::Parser,
    written: Vec<u8>,
    over: bool,
}

/// A program on a terminal.
pub struct Pty {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

/// Whether a program is there. Where services are required, it has to be.
pub fn has(program: &str, arguments: &[&str]) -> bool {
    let tried = std::process::Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    let is_there = tried.is_ok();
    let required =
        std::env::var_os("CHATTERBOX_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    assert!(is_there || !required, "{program} is required, and is not installed");
    if !is_there {
        eprintln!("SKIPPED: {program} is not installed");
    }
    is_there
}

impl Pty {
    /// Starts a program on a terminal of so many columns, with 24 rows.
    pub fn start(program: &str, arguments: &[&str], columns: u16) -> Self {
        let size = PtySize { rows: 24, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm");
        command.env("LC_ALL", "C.UTF-8");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(24, columns, 0);
        let shown = Shown { parser, written: Vec::new(), over: false };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&shown);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let got = reader.read(&mut piece).unwrap_or(0);
                let mut state = shared.0.lock().unwrap();
                state.parser.process(&piece[..got]);
                state.written.extend_from_slice(&piece[..got]);
                state.over = got == 0;
                shared.1.notify_all();
                if got == 0 {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { shown, keys, child, master: pair.master }
    }

    pub fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Gives the terminal so many columns.
    pub fn resizes(&mut self, columns: u16) {
        let mut state = self.shown.0.lock().unwrap();
        state.parser.screen_mut().set_size(24, columns);
        drop(state);
        let size = PtySize { rows: 24, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
    }

    /// Waits until the rows that are not empty satisfy `wanted`.
    pub fn sees(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        let until = Instant::now() + PATIENCE;
        let mut state = self.shown.0.lock().unwrap();
        loop {
            let rows = rows(&state.parser);
            if wanted(&rows) {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} on\n{}", rows.join("\n"));
            state = self.shown.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits until the last row that is not empty is this one.
    pub fn sees_last(&self, last: &str) {
        self.sees(last, |rows| rows.last().is_some_and(|row| row == last));
    }

    /// Waits until a row is this one.
    pub fn sees_row(&self, wanted: &str) {
        self.sees(wanted, |rows| rows.iter().any(|row| row == wanted));
    }

    /// Everything that was ever written to the terminal.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown.0.lock().unwrap().written).into_owned()
    }

    /// What is on the screen when the program has ended.
    pub fn ends(mut self) -> String {
        let until = Instant::now() + PATIENCE;
        let mut state = self.shown.0.lock().unwrap();
        while !state.over {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", rows(&state.parser).join("\n"));
            state = self.shown.1.wait_timeout(state, left).unwrap().0;
        }
        let text = rows(&state.parser).join("\n");
        drop(state);
        self.child.wait().unwrap();
        text
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn rows(parser: &vt100::Parser) -> Vec<String> {
    let (_, columns) = parser.screen().size();
    let rows = parser.screen().rows(0, columns);
    rows.map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
}
