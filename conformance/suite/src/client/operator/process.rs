//! A program that the suite starts: in a terminal or with pipes, in a process group of its own that
//! ends with it.
#![allow(clippy::disallowed_methods, reason = "starts programs and threads that end with them")]

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{BufRead as _, BufReader, Read, Write},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    sync::{Mutex, mpsc},
    thread,
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use thiserror::Error;
use tokio::sync::watch;

use super::adapter;
use crate::client::screen::Screen;

/// The longest line that an adapter may write.
const LONGEST_EVENT: u64 = 4 * 1024 * 1024;

/// The program to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// The command line, filled in.
    pub words: Vec<String>,
    /// Environment variables, beside those of the suite.
    pub env: BTreeMap<String, String>,
    /// Its input and output.
    pub wiring: Wiring,
}

/// The kind of a program's input and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// A terminal of so many rows and columns.
    Terminal(u16, u16),
    /// Pipes.
    Pipes,
    /// Pipes, of which the output carries the events of an adapter.
    Events,
}

/// Why a program can't be started.
#[derive(Debug, Error)]
#[error("can't start {program:?}: {reason}")]
pub struct StartError {
    /// The first word of its command line.
    pub program: String,
    /// The error of the system.
    pub reason: String,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, unless a signal ended it.
    pub code: Option<u32>,
    /// The signal, in words.
    pub signal: Option<String>,
}

impl Exit {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match (&self.signal, self.code) {
            (Some(signal), _) => format!("the client was ended by a signal: {signal}"),
            (None, Some(code)) => format!("the client ended with exit code {code}"),
            (None, None) => "the client ended".to_owned(),
        }
    }
}

/// The input of a program.
enum Key {
    Bytes(Vec<u8>),
    /// No more input.
    End,
}

/// A running program; it is killed with its group when this is dropped.
pub struct Process {
    /// Its output.
    pub screen: Screen,
    group: Option<Pid>,
    keys: mpsc::Sender<Key>,
    exit: watch::Receiver<Option<Exit>>,
    /// Closing it hangs up the terminal.
    _terminal: Option<Mutex<Box<dyn MasterPty + Send>>>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(program: &Program) -> Result<Self, StartError> {
        let result = match program.wiring {
            Wiring::Terminal(rows, columns) => in_terminal(program, rows, columns),
            Wiring::Pipes | Wiring::Events => with_pipes(program),
        };
        result.map_err(|reason| StartError {
            program: program.words.first().cloned().unwrap_or_default(),
            reason,
        })
    }

    /// Sends bytes to its input. They wait in a thread while the program does not read.
    pub fn press(&self, bytes: &[u8]) {
        let _ = self.keys.send(Key::Bytes(bytes.to_vec()));
    }

    /// Ends its input.
    pub fn end_input(&self) {
        let _ = self.keys.send(Key::End);
    }

    /// Interrupts it, as Ctrl-C does where there is no terminal.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| exit.clone()).unwrap_or(Exit { code: None, signal: None })
    }

    fn signal(&self, signal: Signal) {
        // After its end the number may be somebody else's.
        if let (Some(group), None) = (self.group, self.exit()) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn in_terminal(program: &Program, rows: u16, cols: u16) -> Result<Process, String> {
    let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).map_err(|error| error.to_string())?;
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let mut words: Vec<OsString> = program.words.iter().map(Into::into).collect();
    if let Some(name) = words.first_mut()
        && name.to_string_lossy().contains('/')
    {
        // As a shell does it: a name with a slash is a path from here, and not looked for elsewhere.
        *name = here.join(&name).into_os_string();
    }
    let mut command = CommandBuilder::from_argv(words);
    // Without it the program would run in its user's home.
    command.cwd(here);
    command.env("TERM", "xterm-256color");
    command.env_remove("COLUMNS");
    command.env_remove("LINES");
    for (name, value) in &program.env {
        command.env(name, value);
    }
    let mut child = pair.slave.spawn_command(command).map_err(|error| first_line(&error))?;
    drop(pair.slave);
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let reader = pair.master.try_clone_reader().map_err(|error| text(&error))?;
    let writer = pair.master.take_writer().map_err(|error| text(&error))?;
    let screen = Screen::terminal(rows, cols);
    read(reader, &screen);
    let group = child.process_id().and_then(pid);
    let exit = watch_exit(group, move || {
        let status = child.wait().ok();
        Exit {
            code: status.as_ref().filter(|s| s.signal().is_none()).map(|s| s.exit_code()),
            signal: status.and_then(|s| s.signal().map(str::to_owned)),
        }
    });
    Ok(Process {
        screen,
        group,
        // Ctrl-D at the beginning of a line is the end of the input in a terminal.
        keys: write(writer, Some(4)),
        exit,
        _terminal: Some(Mutex::new(pair.master)),
    })
}

fn with_pipes(program: &Program) -> Result<Process, String> {
    let (name, arguments) = program.words.split_first().ok_or("the command is empty")?;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .envs(&program.env)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let screen = Screen::pipe(2);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (stdin, stdout, stderr) = stdin
        .zip(stdout)
        .zip(stderr)
        .map(|((stdin, stdout), stderr)| (stdin, stdout, stderr))
        .ok_or("a pipe is missing")?;
    if program.wiring == Wiring::Events {
        read_events(stdout, &screen);
    } else {
        read(stdout, &screen);
    }
    read(stderr, &screen);
    let group = pid(child.id());
    let exit = watch_exit(group, move || {
        use std::os::unix::process::ExitStatusExt as _;
        let status = child.wait().ok();
        Exit {
            code: status.and_then(|s| s.code()).and_then(|code| u32::try_from(code).ok()),
            signal: status.and_then(|s| s.signal()).map(|signal| format!("signal {signal}")),
        }
    });
    Ok(Process { screen, group, keys: write(stdin, None), exit, _terminal: None })
}

/// The emulator's error repeats the whole command line; its first line is enough.
fn first_line(error: &impl std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

/// Feeds the screen until the stream ends.
fn read(mut stream: impl Read + Send + 'static, screen: &Screen) {
    let screen = screen.clone();
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            screen.feed(buffer.get(..count).unwrap_or_default());
        }
        screen.ended();
    });
}

/// The same with one event a line, each shown as its user would see it.
fn read_events(stream: impl Read + Send + 'static, screen: &Screen) {
    let screen = screen.clone();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = stream.by_ref().take(LONGEST_EVENT).read_until(b'\n', &mut line);
            if !matches!(read, Ok(1..)) {
                break;
            }
            screen.feed(adapter::render(&line).as_bytes());
        }
        screen.ended();
    });
}

/// Writes what is pressed; `end` is the key that means the end of the input, where closing does not.
fn write(mut stream: impl Write + Send + 'static, end: Option<u8>) -> mpsc::Sender<Key> {
    let (sender, keys) = mpsc::channel();
    thread::spawn(move || {
        while let Ok(key) = keys.recv() {
            let written = match (key, end) {
                (Key::Bytes(bytes), _) => stream.write_all(&bytes),
                (Key::End, Some(key)) => stream.write_all(&[key]),
                (Key::End, None) => return,
            };
            if written.and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

/// Waits for the end in a thread, and ends what is left of the group.
fn watch_exit(
    group: Option<Pid>,
    reap: impl FnOnce() -> Exit + Send + 'static,
) -> watch::Receiver<Option<Exit>> {
    let (sender, receiver) = watch::channel(None);
    thread::spawn(move || {
        if let Some(group) = group {
            // Not reaped yet, so that the number is still its own.
            let _ = waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = sender.send(Some(reap()));
    });
    receiver
}
