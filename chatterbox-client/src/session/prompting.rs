//! The line that is asked for: one at a time, and none after the input has ended.

use chatterbox_app::{App, InputMode};
use chatterbox_proto::ScreenText;

use super::screen::{Prompt, PromptKind, Screen};

/// The state of the input.
#[derive(Debug, Default)]
pub(super) struct Prompting {
    /// The mode for which a line was asked that has not come yet.
    asked: Option<InputMode>,
    /// The start of the next line of chat.
    prefill: String,
    remember: Option<String>,
    ended: bool,
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

    /// Takes the mode for which the line that came was asked.
    pub(super) fn answered(&mut self) -> Option<InputMode> {
        self.asked.take()
    }

    /// Starts the next line of chat with this.
    pub(super) fn prefill(&mut self, line: String) {
        self.prefill = line;
    }

    /// Adds a line to the editor's history with the next prompt.
    pub(super) fn remember(&mut self, line: String) {
        self.remember = Some(line);
    }

    /// Asks for a line, where the application takes one.
    pub(super) fn ask(&mut self, app: &App, screen: &mut impl Screen) {
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
            InputMode::Chat => PromptKind::Chat(ScreenText::new(app.me().unwrap_or_default())),
        };
        let prefill = match mode {
            InputMode::Chat => std::mem::take(&mut self.prefill),
            _ => String::new(),
        };
        let remember = self.remember.take();
        let secret_arguments = app.secret_arguments();
        let prompt = Prompt { kind, prefill, remember, secret_arguments };
        self.asked = screen.ask(prompt).then_some(mode);
    }
}
