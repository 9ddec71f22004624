//! The line that is asked for: one at a time, and none after the input has ended.

use std::collections::VecDeque;

use chatterbox_app::{App, InputMode};

use super::screen::{Prompt, PromptKind, Screen, Typed};

/// The state of the input.
#[derive(Debug, Default)]
pub(super) struct Prompting {
    /// The mode for which a line was asked that has not come yet.
    asked: Option<InputMode>,
    /// Whether that line is a secret.
    is_secret: bool,
    /// How that line had begun when the server asked for a secret meanwhile.
    beside_secret: Option<String>,
    /// Whether the question for that secret was put in its place.
    interjected: bool,
    /// The start of the next line of chat.
    prefill: String,
    remember: Option<String>,
    ended: bool,
    /// The lines of a pasted text that were not said yet.
    pasted: VecDeque<String>,
}

impl Prompting {
    /// Whether a line is asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether the input has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Takes the mode for which the line that came was asked, and how it had begun when the server asked for a secret
    /// beside it.
    pub(super) fn answered(&mut self, typed: &Typed) -> Option<(InputMode, Option<String>)> {
        let begun = self.beside_secret.take();
        if std::mem::take(&mut self.is_secret) {
            self.secret_typed(if let Typed::Line(line) = typed { line } else { "" });
        }
        self.asked.take().map(|mode| (mode, begun))
    }

    /// Notes whether the server asks for a secret beside the line of chat that is under way. What is typed from now on
    /// may be that secret.
    pub(super) fn watch(&mut self, app: &App, screen: &impl Screen) {
        let asks = self.asked == Some(InputMode::Chat) && app.asks_for_secret();
        if asks != std::mem::replace(&mut self.interjected, asks) {
            screen.interject(app.question().filter(|_| asks).as_ref());
        }
        if asks && self.beside_secret.is_none() {
            self.beside_secret = Some(screen.begun());
        }
    }

    /// Takes the answer to a question for a secret. A line that was kept until now is not offered for the chat if it may
    /// be that secret: if there was no answer, or one that is like it.
    fn secret_typed(&mut self, answer: &str) {
        let (kept, answer) = (self.prefill.trim(), answer.trim());
        if answer.is_empty() || answer.contains(kept) || kept.contains(answer) {
            self.prefill.clear();
        }
    }

    /// Starts the next line of chat with this.
    pub(super) fn prefill(&mut self, line: String) {
        self.prefill = line;
    }

    /// Adds a line to the editor's history with the next prompt.
    pub(super) fn remember(&mut self, line: String) {
        self.remember = Some(line);
    }

    /// Takes the lines of a pasted text.
    pub(super) fn paste(&mut self, lines: Vec<&str>) {
        self.pasted.extend(lines.into_iter().map(str::to_owned));
    }

    pub(super) fn has_pasted(&self) -> bool {
        !self.pasted.is_empty()
    }

    pub(super) fn next_pasted(&mut self) -> Option<String> {
        self.pasted.pop_front()
    }

    pub(super) fn drop_pasted(&mut self) {
        self.pasted.clear();
    }

    /// Asks for a line, where the application takes one.
    pub(super) fn ask(&mut self, app: &App, screen: &mut impl Screen) {
        if self.has_pasted() {
            return;
        }
        let mode = app.input_mode();
        let kind = match mode {
            InputMode::LoginPending
            | InputMode::CataloguePending
            | InputMode::ResultPending
            | InputMode::WindowFull => return,
            InputMode::Name => PromptKind::Name,
            InputMode::Password | InputMode::Reply(_) => match app.question() {
                Some(question) => PromptKind::Reply(question),
                None => return,
            },
            InputMode::Chat => PromptKind::Chat(app.prompt()),
        };
        let prefill = match mode {
            InputMode::Chat => std::mem::take(&mut self.prefill),
            _ => String::new(),
        };
        let remember = self.remember.take();
        let secret_arguments = app.secret_arguments();
        self.is_secret = kind.is_secret();
        let prompt = Prompt { kind, prefill, remember, secret_arguments };
        self.asked = screen.ask(prompt).then_some(mode);
    }
}
