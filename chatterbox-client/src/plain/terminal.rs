//! A person at a terminal: a line editor at the bottom, the chat above it.
//!
//! rustyline edits the line in one thread, and prints what comes in between without touching what is half typed. Two
//! things are ours. It has no way to be told to stop, so that the terminal's settings are kept and put back here. And
//! what is printed between two lines would overtake what still waits inside it, so that printing waits for the editor
//! ([`Gate`]).
#![allow(clippy::disallowed_methods, reason = "this module reads and writes the terminal")]

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, Config, Context, Editor, ExternalPrinter, Helper};
use tokio::sync::{mpsc, oneshot};

use super::colour::terminal_colours;
use super::mask::Mask;
use crate::exit::{Exit, Failure};
use crate::session::screen::{Ask, CHUNKS, Chunk, Console, Input, Prompt};

/// Lines that the arrow keys bring back.
const HISTORY: usize = 500;

/// How long the editor gets to show the last line that it was given.
const LAST_LINE: Duration = Duration::from_millis(50);

/// Whether there is a terminal at both ends that can do more than print.
pub(crate) fn is_usable() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// How long the editor may take to begin with a line.
const BEGINNING: Duration = Duration::from_millis(500);

/// Starts the two threads.
pub(crate) fn open() -> Result<Console, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::InputOutput, format!("the terminal can't be used: {error}"))
            .hint("TERM=dumb keeps it from being used for more than lines")
    };
    let settings = tcgetattr(io::stdin()).map_err(|error| unusable(&error))?;
    let gate = Arc::new(Gate::default());
    let config = Config::builder()
        .max_history_size(HISTORY)
        .map_err(|error| unusable(&error))?
        // What may be kept is known only when it is known what the line was for.
        .auto_add_history(false)
        // What hides secrets is a way of colouring, for the editor.
        .color_mode(ColorMode::Forced)
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor: Editor<Watcher, MemHistory> =
        Editor::with_history(config, history).map_err(|error| unusable(&error))?;
    editor.set_helper(Some(Watcher { gate: Arc::clone(&gate), mask: Mask::default() }));
    let printer = editor.create_external_printer().map_err(|error| unusable(&error))?;

    let (prompts, asked) = mpsc::channel(1);
    let (lines, input) = mpsc::channel(1);
    let (output, chunks) = mpsc::channel(CHUNKS);
    let (ended, output_ended) = oneshot::channel();
    let editing = Arc::clone(&gate);
    thread::spawn(move || edit(editor, &editing, asked, &lines));
    let printing = Arc::clone(&gate);
    thread::spawn(move || {
        // Nobody listens when the session has ended by itself.
        let _ = ended.send(print(printer, &printing, chunks));
    });
    let ending = Arc::clone(&gate);
    Ok(Console {
        interactive: true,
        json: false,
        colours: terminal_colours(),
        prompts,
        input,
        output,
        output_ended,
        before_last: Box::new(move |asked| ending.finish(asked)),
        restore: Box::new(move || restore(&gate, &settings)),
    })
}

fn edit(
    mut editor: Editor<Watcher, MemHistory>,
    gate: &Gate,
    mut asked: mpsc::Receiver<Prompt>,
    lines: &mpsc::Sender<Input>,
) {
    while let Some(prompt) = asked.blocking_recv() {
        let Prompt { ask, prefill, remember, secrets } = prompt;
        if let Some(line) = remember {
            let _ = editor.add_history_entry(line);
        }
        let secret = ask.is_secret();
        if let Some(helper) = editor.helper_mut() {
            helper.mask = Mask { whole: secret, words: secrets };
        }
        // Nothing moves while a secret is typed, not even the cursor.
        let hidden = if secret { editor.set_cursor_visibility(false).ok().flatten() } else { None };
        let line = editor.readline_with_initial(&ask.text(), (&prefill, ""));
        drop(hidden);
        gate.set(Editing::No);
        let reply = matches!(ask, Ask::Reply(_));
        let input = match line {
            Ok(line) => Input::Line(line),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) if reply => Input::Cancelled,
            Err(ReadlineError::Eof) => Input::End,
            Err(ReadlineError::Interrupted) => Input::Interrupted,
            Err(ReadlineError::Io(error)) => Input::Failed(error),
            Err(other) => Input::Failed(io::Error::other(other)),
        };
        let last = !matches!(input, Input::Line(_) | Input::Cancelled);
        if lines.blocking_send(input).is_err() || last {
            return;
        }
    }
}

fn print(
    mut printer: impl ExternalPrinter,
    gate: &Gate,
    mut chunks: mpsc::Receiver<Chunk>,
) -> io::Result<()> {
    while let Some(chunk) = chunks.blocking_recv() {
        gate.wait();
        printer.print(chunk.text).map_err(|error| match error {
            ReadlineError::Io(error) => error,
            other => io::Error::other(other),
        })?;
    }
    Ok(())
}

fn restore(gate: &Gate, settings: &Termios) {
    let mut output = io::stdout();
    if gate.is(Editing::Yes) {
        // The last line may still be on its way through the editor, which nothing tells.
        thread::sleep(LAST_LINE);
        // The editor is cut off in the middle of its line; it would also have ended bracketed paste.
        let _ = output.write_all(b"\x1b[?2004l\n");
        let _ = output.flush();
    }
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings);
}

/// Whether the editor is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Editing {
    /// Not now.
    #[default]
    No,
    /// Yes: it has the terminal in its own mode and prints for others.
    Yes,
    /// It will not be any more; whatever is printed now goes out directly.
    Never,
}

/// Lets lines pass while the editor is at work, or when it will never be again.
#[derive(Debug, Default)]
struct Gate {
    editing: Mutex<Editing>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, editing: Editing) {
        let mut state = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != editing && *state != Editing::Never {
            *state = editing;
            self.changed.notify_all();
        }
    }

    /// Lets the last lines pass. An editor that was just asked for a line gets the time to begin: it would otherwise set
    /// the terminal up after it was put in order.
    fn finish(&self, asked: bool) {
        let state = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut Editing| asked && *state == Editing::No;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, BEGINNING, idle)
            .unwrap_or_else(PoisonError::into_inner);
        if *state == Editing::No {
            *state = Editing::Never;
            self.changed.notify_all();
        }
    }

    fn is(&self, editing: Editing) -> bool {
        *self.editing.lock().unwrap_or_else(PoisonError::into_inner) == editing
    }

    fn wait(&self) {
        let state = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = |state: &mut Editing| *state == Editing::No;
        drop(self.changed.wait_while(state, closed));
    }
}

/// Is called by the editor whenever it draws its line: so it knows that the editor is at work, and hides what is secret.
struct Watcher {
    gate: Arc<Gate>,
    mask: Mask,
}

impl Hinter for Watcher {
    type Hint = String;

    fn hint(&self, _line: &str, _position: usize, _context: &Context<'_>) -> Option<String> {
        self.gate.set(Editing::Yes);
        None
    }
}

impl Completer for Watcher {
    type Candidate = String;
}

impl Highlighter for Watcher {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        self.mask.apply(line)
    }

    fn highlight_char(&self, line: &str, _position: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor && matches!(self.mask.apply(line), Cow::Owned(_))
    }
}

impl Validator for Watcher {}
impl Helper for Watcher {}
