//! What the next line is for, and the row in which it is typed.

use chatterbox_app::InputMode;
use chatterbox_app::input::Mask;

use super::limits::Now;
use super::palette;
use super::screen::{Mode, Row};
use super::secrets;
use super::session::{Asked, Session, View};

impl Session {
    /// Asks for the line that the application takes next. A secret where none may be typed is answered at once, with a refusal.
    pub(super) fn ask(&mut self, now: Now) {
        loop {
            let mode = self.app.input_mode();
            let takes = matches!(
                mode,
                InputMode::Name | InputMode::Password | InputMode::Reply(_) | InputMode::Chat
            );
            if !takes || self.is_paging {
                // A secret that is being typed is not shown as something else.
                self.asked = self.asked.filter(|asked| asked.is_secret);
                return;
            }
            let is_secret = self.app.asks_for_secret();
            let refusal = secrets::refusal(self.screen.mode(), self.is_local);
            let Some(why) = refusal.filter(|_| is_secret) else {
                return self.ask_for(Asked { mode, is_secret });
            };
            if let Some(question) = self.app.question() {
                self.note(&format!("{}no secret is taken here: {why}.", question.text));
            }
            let effects = self.app.cancelled(mode);
            self.perform(effects, now);
            if self.app.input_mode() == mode {
                return;
            }
        }
    }

    fn ask_for(&mut self, next: Asked) {
        if self.asked == Some(next) {
            return;
        }
        let is_typing = !self.composer.text().is_empty() || self.is_complete;
        let stays = self.asked.is_some_and(|asked| {
            // What answers a question that is over must not be said, and the application says so when it is entered.
            asked.is_secret
                || (asked.mode != InputMode::Chat && next.mode == InputMode::Chat && is_typing)
        });
        if stays {
            return;
        }
        if self.asked.is_some_and(|asked| asked.mode == InputMode::Chat) && is_typing {
            self.draft = Some(self.composer.exchange(chatterbox_app::input::Draft::default()));
            self.is_too_long = false;
        }
        self.asked = Some(next);
        if next.mode == InputMode::Chat
            && self.composer.text().is_empty()
            && let Some(draft) = self.draft.take()
        {
            self.composer.exchange(draft);
        }
    }

    /// Draws the line that is asked for.
    pub(super) fn draw(&mut self) {
        if self.asked.is_none() || self.paused.is_some() || self.leaving.is_some() {
            return;
        }
        let prompt = self.prompt();
        let (text, cursor) = self.seen();
        let is_secret = self.is_secret();
        self.screen.draw(Row { prompt: &prompt, text: &text, cursor, is_secret });
    }

    /// The line is complete; where the server shows it, it `stays` on the screen or goes.
    pub(super) fn enter_row(&mut self, stays: bool) {
        let prompt = self.prompt();
        let (text, cursor) = self.seen();
        let is_secret = self.is_secret();
        self.screen.enter(Row { prompt: &prompt, text: &text, cursor, is_secret }, stays);
    }

    fn is_secret(&self) -> bool {
        self.asked.is_some_and(|asked| asked.is_secret)
    }

    /// What is shown of the line: secrets in it are stars.
    fn seen(&self) -> (String, usize) {
        let (text, cursor) = (self.composer.text(), self.composer.cursor());
        if self.view == View::Chat {
            return (text.to_owned(), cursor);
        }
        let (text, cursor) = self.mask().apply_with_cursor(text, cursor);
        (text.into_owned(), cursor)
    }

    /// The commands with secrets, as they are typed here.
    pub(super) fn mask(&self) -> Mask {
        let known = self.app.secret_arguments();
        let named = known.into_iter().flat_map(|(command, place)| {
            let name = command.trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned();
            [(format!(":{name}"), place), (format!("/{name}"), place)]
        });
        Mask { arguments: named.collect() }
    }

    fn prompt(&self) -> String {
        let Some(Asked { mode, .. }) = self.asked else { return String::new() };
        match mode {
            InputMode::Name => "your name: ".to_owned(),
            InputMode::Password | InputMode::Reply(_) => {
                let question = self.app.question();
                question.map_or_else(String::new, |question| question.text.to_string())
            }
            _ => {
                let Some(model) = self.app.model() else { return String::new() };
                match (self.view, self.screen.mode()) {
                    (View::Palette, _) => palette::prompt(model.front()),
                    // Whatever is said would stand behind it.
                    (View::Chat, Mode::Line) => String::new(),
                    (View::Chat, Mode::Character) => {
                        palette::chat_prompt(model.front(), self.app.me().unwrap_or_default())
                    }
                }
            }
        }
    }
}
