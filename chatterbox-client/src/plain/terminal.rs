//! A terminal: a line editor at the bottom, the chat above it.
//!
//! rustyline edits the line in one thread, and prints outputs above it without touching the half-typed line. It lacks
//! two things. It can't be told to stop, so the terminal's settings are saved and restored here. And outputs printed
//! between two lines would overtake those that still wait inside it, so printing waits for the editor ([`Gate`]).
#![allow(clippy::disallowed_methods, reason = "this module reads and writes the terminal")]

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chatterbox_app::Question;
use rustix::termios::tcgetattr;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, Config, Context, Editor, Event, EventHandler, ExternalPrinter, Helper};
use tokio::sync::mpsc;

use super::colour::is_dumb;
use super::console::{Console, Device, Reader};
use super::interjection::Interjection;
use super::mask::Mask;
use super::modes::Modes;
use super::render::{Chunk, Renderer};
use crate::exit::{Exit, Failure};
use crate::session::{Prompt, PromptKind, Typed};

/// The length of the editor's history.
const HISTORY: usize = 500;

/// The time that the editor gets to show the last output.
const LAST_LINE: Duration = Duration::from_millis(50);

/// Whether input and output are a terminal that can do more than print.
pub(crate) fn is_usable() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && std::env::var_os("TERM").is_some_and(|term| !term.is_empty())
        && !is_dumb()
}

/// The limit for the editor to begin with a line.
const BEGINNING: Duration = Duration::from_millis(500);

/// Takes the terminal over.
///
/// # Errors
/// The terminal has no settings, or the editor can't use it.
pub(crate) fn open() -> Result<Console<Terminal>, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::InputOutput, format!("the terminal can't be used: {error}"))
            .hint("TERM=dumb keeps it from being used for more than lines")
    };
    let settings = tcgetattr(io::stdin()).map_err(|error| unusable(&error))?;
    let gate = Arc::new(Gate::default());
    let config = Config::builder()
        .max_history_size(HISTORY)
        .map_err(|error| unusable(&error))?
        // Whether a line may be remembered is decided by its purpose: it may be a secret.
        .auto_add_history(false)
        // Masking secrets is highlighting to the editor, which it would leave out without colours.
        .color_mode(ColorMode::Forced)
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor: Editor<Watcher, MemHistory> =
        Editor::with_history(config, history).map_err(|error| unusable(&error))?;
    let line = Line::default();
    let mask = Mask::default();
    let modes = Modes::new(settings);
    let interjection = Interjection::default();
    let watcher = Watcher {
        gate: Arc::clone(&gate),
        modes: modes.clone(),
        line: line.clone(),
        mask,
        interjection: interjection.clone(),
    };
    editor.set_helper(Some(watcher));
    let any_key = EventHandler::Conditional(Box::new(interjection.clone()));
    editor.bind_sequence(Event::Any, any_key);
    let printer = editor.create_external_printer().map_err(|error| unusable(&error))?;

    let terminal = Terminal {
        gate: Arc::clone(&gate),
        line: line.clone(),
        modes: modes.clone(),
        interjection: interjection.clone(),
    };
    let shared = Shared { gate: Arc::clone(&gate), modes, line, interjection };
    let printing = Arc::clone(&gate);
    Ok(Console::start(
        terminal,
        Renderer::for_terminal(),
        move |reader| edit(editor, &shared, reader),
        move |chunks| print(printer, &printing, chunks),
    ))
}

/// A terminal with a line editor.
pub(crate) struct Terminal {
    gate: Arc<Gate>,
    line: Line,
    modes: Modes,
    interjection: Interjection,
}

impl Device for Terminal {
    const INTERACTIVE: bool = true;

    fn prepare_end(&mut self, asked: bool) {
        self.gate.finish(asked);
    }

    fn begun(&self) -> String {
        self.line.get().0
    }

    fn interject(&self, question: Option<&Question>) {
        self.interjection.set(question.map(|question| question.text.to_string()));
    }

    fn restore(&mut self) {
        if self.gate.is(Editing::Yes) {
            // The last output may still be inside the editor, which does not report when it is shown.
            thread::sleep(LAST_LINE);
            // The editor is cut off in the middle of its line, so bracketed paste is ended for it, and the cursor shown
            // that is hidden beside a secret.
            let mut output = io::stdout();
            let _ = output.write_all(b"\x1b[?2004l\x1b[?25h\n");
            let _ = output.flush();
        }
        self.modes.restore();
    }

    fn suspend(&self) {
        self.modes.suspend();
    }

    fn resume(&self) {
        self.modes.resume();
    }
}

/// What the editing thread shares with the others.
struct Shared {
    gate: Arc<Gate>,
    modes: Modes,
    line: Line,
    interjection: Interjection,
}

fn edit(mut editor: Editor<Watcher, MemHistory>, shared: &Shared, mut reader: Reader) {
    let Shared { gate, modes, line: half, interjection } = shared;
    while let Some(prompt) = reader.prompts.blocking_recv() {
        let Prompt { kind, prefill, remember, secret_arguments } = prompt;
        if let Some(line) = remember {
            let _ = editor.add_history_entry(line);
        }
        let secret = kind.is_secret();
        if let Some(helper) = editor.helper_mut() {
            helper.mask = Mask { whole: secret, arguments: secret_arguments };
        }
        // A cursor that moves would show the length of a secret.
        let hidden = if secret { editor.set_cursor_visibility(false).ok().flatten() } else { None };
        // What was typed for a secret is for no other line.
        let first = interjection.take_first();
        let begun = if secret { first } else { prefill };
        let line = read_line(&mut editor, half, &kind.text(), begun);
        modes.over();
        drop(hidden);
        interjection.over();
        half.set("", 0);
        gate.set(Editing::No);
        let reply = matches!(kind, PromptKind::Reply(_));
        let typed = match line {
            Ok(line) => Typed::Line(line),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) if reply => Typed::Cancelled,
            Err(ReadlineError::Eof) => Typed::End,
            Err(ReadlineError::Interrupted) => Typed::Interrupted,
            Err(ReadlineError::Io(error)) => Typed::Failed(error),
            Err(other) => Typed::Failed(io::Error::other(other)),
        };
        let last = !matches!(typed, Typed::Line(_) | Typed::Cancelled);
        if reader.lines.blocking_send(typed).is_err() || last {
            return;
        }
    }
}

/// Reads a line. A byte that is no UTF-8 would end the editor: it becomes the replacement character, as through a pipe,
/// and the line goes on.
fn read_line(
    editor: &mut Editor<Watcher, MemHistory>,
    half: &Line,
    prompt: &str,
    prefill: String,
) -> rustyline::Result<String> {
    let (mut left, mut right) = (prefill, String::new());
    loop {
        half.set(&left, left.len());
        match editor.readline_with_initial(prompt, (&left, &right)) {
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                let (line, cursor) = half.get();
                let (before, behind) = line.split_at_checked(cursor).unwrap_or((&line, ""));
                left = format!("{before}\u{fffd}");
                behind.clone_into(&mut right);
            }
            line => return line,
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

/// The state of the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Editing {
    /// It waits for the next prompt.
    #[default]
    No,
    /// It has the terminal in its own mode, and prints outputs above its line.
    Yes,
    /// It gets no more prompts; outputs go out directly.
    Never,
}

/// Holds outputs back while the editor waits for a prompt.
#[derive(Debug, Default)]
struct Gate {
    editing: Mutex<Editing>,
    changed: Condvar,
}

impl Gate {
    /// Says whether the state has changed.
    fn set(&self, editing: Editing) -> bool {
        let mut state = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = *state != editing && *state != Editing::Never;
        if changes {
            *state = editing;
            self.changed.notify_all();
        }
        changes
    }

    /// Lets the last outputs pass. An editor that has just got a prompt gets the time to begin: it would otherwise change
    /// the terminal's settings after they were restored.
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

/// The line that is being edited, and the place of the cursor.
#[derive(Debug, Clone, Default)]
struct Line(Arc<Mutex<(String, usize)>>);

impl Line {
    fn set(&self, line: &str, cursor: usize) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone_into(&mut known.0);
        known.1 = cursor;
    }

    fn get(&self) -> (String, usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The editor calls this whenever it draws its line: it opens the gate, notes the line and masks secrets.
struct Watcher {
    gate: Arc<Gate>,
    modes: Modes,
    line: Line,
    mask: Mask,
    interjection: Interjection,
}

impl Hinter for Watcher {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _context: &Context<'_>) -> Option<String> {
        self.line.set(line, position);
        if self.gate.set(Editing::Yes) {
            self.modes.begun(self.mask.whole);
        }
        None
    }
}

impl Completer for Watcher {
    type Candidate = String;
}

impl Highlighter for Watcher {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        default: bool,
    ) -> Cow<'b, str> {
        if default {
            self.interjection.draw(prompt, &self.line.get().0)
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        self.mask.apply(line)
    }

    fn highlight_char(&self, line: &str, position: usize, kind: CmdKind) -> bool {
        // A cursor that only moves asks for no hint.
        self.line.set(line, position);
        kind != CmdKind::MoveCursor && matches!(self.mask.apply(line), Cow::Owned(_))
    }
}

impl Validator for Watcher {}
impl Helper for Watcher {}
