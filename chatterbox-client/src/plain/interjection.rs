//! A question for a secret that comes while a line of chat is asked for, and nothing is typed of it.
//!
//! The line editor can't be told to stop, but it asks what each key means. So the question is drawn in place of the
//! prompt, and the first key ends the editor's line: nothing of the secret is shown. That key is the first of the answer.
#![allow(clippy::disallowed_methods, reason = "this module writes to the terminal")]

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::termios::tcgetwinsize;
use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount,
};
use unicode_width::UnicodeWidthStr as _;

/// Hides the cursor, whose place is the end of the prompt that is not shown.
const HIDE: &str = "\x1b[?25l";

/// Goes to the row above, clears it, and shows the cursor.
const CLEAR: &str = "\x1b[A\r\x1b[J\x1b[?25h";
const SHOW: &str = "\x1b[?25h";

/// The question that takes the place of the prompt, and the first key of its answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Interjection(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    question: Option<String>,
    /// Whether the cursor was hidden.
    hidden: bool,
    /// Whether a key has ended the editor's line.
    ended: bool,
    first: String,
}

impl Interjection {
    pub(super) fn set(&self, question: Option<String>) {
        self.with(|state| state.question = question);
    }

    /// What is drawn as the prompt of the line: the question in place of it, if it takes one row as the prompt does.
    pub(super) fn draw<'p>(&self, prompt: &'p str, line: &str) -> Cow<'p, str> {
        let columns = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
        self.with(|state| {
            let fits = |text: &&String| line.is_empty() && text.width() < columns;
            let question = state.question.as_ref().filter(fits);
            match (question, std::mem::replace(&mut state.hidden, question.is_some())) {
                (Some(question), _) => Cow::Owned(format!("{HIDE}{question}")),
                (None, true) => Cow::Owned(format!("{SHOW}{prompt}")),
                (None, false) => Cow::Borrowed(prompt),
            }
        })
    }

    /// The editor's line is over. If a key has ended it, its row is for the question itself.
    pub(super) fn over(&self) {
        let (ended, hidden) = self.with(|state| {
            state.question = None;
            (std::mem::take(&mut state.ended), std::mem::take(&mut state.hidden))
        });
        let text = if ended { CLEAR } else { SHOW };
        if ended || hidden {
            let mut output = io::stdout();
            let _ = output.write_all(text.as_bytes());
            let _ = output.flush();
        }
    }

    /// Takes the first key of the answer.
    pub(super) fn take_first(&self) -> String {
        self.with(|state| std::mem::take(&mut state.first))
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ConditionalEventHandler for Interjection {
    fn handle(
        &self,
        event: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let KeyEvent(key, modifiers) = *event.get(0)?;
        // Ctrl-C and its like mean what they always do.
        if !context.line().is_empty() || modifiers.contains(Modifiers::CTRL) {
            return None;
        }
        self.with(|state| {
            state.question.take()?;
            state.ended = true;
            if let KeyCode::Char(character) = key {
                state.first = character.to_string();
            }
            Some(Cmd::AcceptLine)
        })
    }
}
