//! The program on a pseudo-terminal, seen as a person sees it.

use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::DEADLINE;
use super::client::BINARY;

pub(crate) const ROWS: u16 = 12;
pub(crate) const COLUMNS: u16 = 60;

/// What the terminal shows, everything that was ever written to it, and whether that was all.
pub(crate) struct Shown {
    pub(crate) parser: vt100::Parser,
    pub(crate) written: Vec<u8>,
    over: bool,
    /// Whether nothing is to be read after the next piece.
    deaf: bool,
    /// Whether nothing is read for now.
    stopped: bool,
    /// Nothing is read from the piece on that has this in it.
    stops_at: Option<String>,
}

/// The same, with news about it.
pub(crate) type Screen = Arc<(Mutex<Shown>, Condvar)>;

pub(crate) struct Terminal {
    pub(crate) screen: Screen,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts it line by line.
    pub(crate) fn start(arguments: &[&str], colours: bool) -> Self {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--plain"]).collect();
        let no_color: &[_] = if colours { &[] } else { &[("NO_COLOR", "1")] };
        Self::sized(&arguments, (ROWS, COLUMNS), no_color)
    }

    /// Starts it with so many rows and columns, and these variables beside the usual ones.
    pub(crate) fn sized(arguments: &[&str], size: (u16, u16), variables: &[(&str, &str)]) -> Self {
        Self::of(BINARY, arguments, size, variables)
    }

    /// The same for another program, which leads to ours.
    pub(crate) fn of(
        program: &str,
        arguments: &[&str],
        (rows, columns): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm");
        command.env("TZ", "UTC");
        // A backtrace would scroll the words of a panic away.
        command.env("RUST_BACKTRACE", "0");
        // Nothing of the terminal in which the tests run.
        for name in [
            "NO_COLOR",
            "TMUX",
            "STY",
            "VTE_VERSION",
            "TERM_PROGRAM",
            "CHATTERBOX_PLAIN",
            "VISUAL",
            "EDITOR",
            "XDG_CONFIG_HOME",
            "RUST_BACKTRACE",
        ] {
            command.env_remove(name);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(rows, columns, 0);
        let shown = Shown {
            parser,
            written: Vec::new(),
            over: false,
            deaf: false,
            stopped: false,
            stops_at: None,
        };
        let screen: Screen = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&screen);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let got = reader.read(&mut piece).unwrap_or(0);
                let mut state = shared.0.lock().unwrap();
                state.parser.process(&piece[..got]);
                state.written.extend_from_slice(&piece[..got]);
                state.over = got == 0;
                if let Some(wanted) = &state.stops_at
                    && String::from_utf8_lossy(&state.written).contains(wanted)
                {
                    state.stops_at = None;
                    state.stopped = true;
                }
                shared.1.notify_all();
                if got == 0 || state.deaf {
                    return;
                }
                while state.stopped {
                    state = shared.1.wait(state).unwrap();
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { screen, keys, child, master: pair.master }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.types_bytes(text.as_bytes());
    }

    pub(crate) fn types_bytes(&mut self, bytes: &[u8]) {
        self.keys.write_all(bytes).unwrap();
        self.keys.flush().unwrap();
    }

    /// Pastes, as a terminal does that tells pasted text from typed text.
    pub(crate) fn pastes(&mut self, text: &str) {
        self.types(&format!("\u{1b}[200~{text}\u{1b}[201~"));
    }

    /// Gives the terminal another size, as somebody who pulls at the window's corner.
    pub(crate) fn resizes(&mut self, rows: u16, columns: u16) {
        let mut state = self.screen.0.lock().unwrap();
        state.parser.screen_mut().set_size(rows, columns);
        drop(state);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
    }

    /// The terminal goes, as when its window is closed, as soon as the program has written to it once more. Gives the exit code.
    pub(crate) fn hangs_up(self) -> u32 {
        let Self { screen, keys, mut child, master } = self;
        screen.0.lock().unwrap().deaf = true;
        drop((keys, master));
        child.wait().unwrap().exit_code()
    }

    /// Waits until the program has ended, whether what it wrote is read or not. Gives the exit code.
    pub(crate) fn exits(&mut self) -> u32 {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            // A thread that waits for ever would keep the whole test from ending.
            if Instant::now() >= until {
                self.child.kill().unwrap();
                panic!("the program does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Reads nothing of what the program writes, as a terminal on which somebody has pressed Ctrl-S; or goes on.
    pub(crate) fn stops(&self, stopped: bool) {
        self.screen.0.lock().unwrap().stopped = stopped;
        self.screen.1.notify_all();
    }

    /// Stops as `stops(true)` does, but not before `text` has come, which nothing written so far contains.
    pub(crate) fn stops_at(&self, text: &str) {
        self.screen.0.lock().unwrap().stops_at = Some(text.to_owned());
    }

    /// Waits until it has stopped.
    pub(crate) fn has_stopped(&self) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        while !state.stopped {
            let left = until.saturating_duration_since(Instant::now());
            let screen = || rows(&state.parser).join("\n");
            assert!(!left.is_zero(), "it does not stop:\n{}", screen());
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Everything that was ever written to the terminal.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.screen.0.lock().unwrap().written).into_owned()
    }

    /// The path of the terminal, for `stty`.
    pub(crate) fn path(&self) -> Option<String> {
        Some(self.master.tty_name()?.display().to_string())
    }

    /// The id of the program's process.
    pub(crate) fn process(&self) -> String {
        self.child.process_id().unwrap().to_string()
    }

    /// Waits until the rows that are not empty satisfy `wanted`.
    pub(crate) fn sees(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        loop {
            let rows = rows(&state.parser);
            if wanted(&rows) {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what} on\n{}", rows.join("\n"));
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits until what was ever written satisfies `wanted`.
    pub(crate) fn sees_written(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        while !wanted(&String::from_utf8_lossy(&state.written)) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}");
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Everything that was written, when the program has ended.
    pub(crate) fn written_until_the_end(&self) -> String {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        while !state.over {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", rows(&state.parser).join("\n"));
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
        String::from_utf8_lossy(&state.written).into_owned()
    }

    pub(crate) fn sees_last(&self, last: &str) {
        self.sees(last, |rows| rows.last().is_some_and(|row| row == last));
    }

    /// How it ended, and everything that is on the screen then.
    pub(crate) fn ends(mut self) -> (u32, String) {
        let until = Instant::now() + DEADLINE;
        let mut state = self.screen.0.lock().unwrap();
        while !state.over {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", rows(&state.parser).join("\n"));
            state = self.screen.1.wait_timeout(state, left).unwrap().0;
        }
        let text = rows(&state.parser).join("\n");
        drop(state);
        (self.child.wait().unwrap().exit_code(), text)
    }
}

pub(crate) fn rows(parser: &vt100::Parser) -> Vec<String> {
    let (_, columns) = parser.screen().size();
    let rows = parser.screen().rows(0, columns);
    rows.map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
}
