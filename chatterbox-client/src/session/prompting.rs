//! The line that is asked for: one at a time, and none after the input has ended.

use chatterbox_app::{App, InputMode};

use super::screen::{Prompt, PromptKind, Screen};

/// The state of the input.
#[derive(Debug, Default)]
pub(super) struct Prompting {
    /// The line that was asked for and has not come yet: the mode in which it was, and its purpose.
    asked: Option<(InputMode, PromptKind)>,
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
        self.asked.take().map(|(mode, _)| mode)
    }

    /// Adds a line to the editor's history with the next prompt.
    pub(super) fn remember(&mut self, line: String) {
        self.remember = Some(line);
    }

    /// Asks for a line, where the application takes one. A line that is asked for is replaced where the screen can do that.
    pub(super) fn ask(&mut self, app: &App, screen: &mut impl Screen) {
        if self.is_asked() && (!screen.asks_anew() || self.is_kept(app)) {
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
        if screen.asks_anew() && !screen.gives_way(&kind) {
            return;
        }
        let asked = (mode, kind);
        if self.remember.is_none() && self.asked.as_ref() == Some(&asked) {
            return;
        }
        let prompt = Prompt {
            kind: asked.1.clone(),
            remember: self.remember.take(),
            secret_arguments: app.secret_arguments(),
        };
        self.asked = screen.ask(prompt).then_some(asked);
    }

    /// Whether the line that is asked for stays, whatever happens: it is a secret that somebody may be typing, and the rest of it
    /// must not become a line of chat when the question is over.
    fn is_kept(&self, app: &App) -> bool {
        self.asked.as_ref().is_some_and(|(_, kind)| kind.is_secret()) && !app.asks_for_secret()
    }
}
