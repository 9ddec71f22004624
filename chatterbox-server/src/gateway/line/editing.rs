//! Editing: what each key does to the line that is typed.

use chatterbox_app::InputMode;
use chatterbox_app::input::Edit;

use super::keys::Key;
use super::limits::{LINE, Now, PAUSE, Paced};
use super::palette;
use super::session::{Asked, Session, View};

/// So many candidates of a completion are named.
const NAMED: usize = 20;

/// Characters are put into the line in pieces of about so many bytes: one by one, a long line would be copied for each.
const PIECE: usize = 1024;

impl Session {
    /// Takes keys up to one that is more than a character. Says whether there was one.
    pub(super) fn take_key(&mut self, now: Now) -> bool {
        if std::mem::take(&mut self.is_complete) {
            self.key(Key::Enter, now);
            return true;
        }
        let mut run = String::new();
        while let Some(byte) = self.typed.pop_front() {
            let mut other = None;
            self.keys.push(byte, |key| match key {
                Key::Char(c) => run.push(c),
                key => other = Some(key),
            });
            if other.is_some() || run.len() >= PIECE {
                self.insert(&run, now);
                if let Some(key) = other {
                    let before = self.composer.text().len();
                    self.key(key, now);
                    self.spend(before.max(self.composer.text().len()), now);
                }
                return true;
            }
        }
        self.insert(&run, now);
        false
    }

    fn insert(&mut self, run: &str, now: Now) {
        if run.is_empty() {
            return;
        }
        if self.is_too_long || self.composer.text().len() + run.len() > LINE {
            self.is_too_long = true;
            self.screen.ring();
        } else {
            self.composer.insert(run);
            self.spend(self.composer.text().len(), now);
        }
    }

    fn key(&mut self, key: Key, now: Now) {
        let edit = match key {
            Key::Char(_) => return,
            Key::Enter => return self.enter(now),
            Key::Cancel => return self.cancel(now),
            Key::Leave if self.composer.text().is_empty() => return self.leave(now),
            Key::Tab => return self.complete(),
            Key::Redraw => return self.screen.redraw(),
            Key::Earlier | Key::Later if self.asked.is_some_and(|asked| asked.is_secret) => return,
            Key::Earlier => {
                self.composer.earlier();
                return;
            }
            Key::Later => {
                self.composer.later();
                return;
            }
            Key::Leave | Key::Delete => Edit::Delete,
            Key::Backspace => Edit::Backspace,
            Key::WordBackspace => Edit::WordBackspace,
            Key::KillToStart => Edit::KillToStart,
            Key::KillToEnd => Edit::KillToEnd,
            Key::Left => Edit::Left,
            Key::Right => Edit::Right,
            Key::Home => Edit::Home,
            Key::End => Edit::End,
        };
        self.composer.edit(edit);
        // What was rubbed out makes no room: its beginning alone would be another text.
        self.is_too_long &= !self.composer.text().is_empty();
    }

    fn enter(&mut self, now: Now) {
        match self.pace.line(now.elapsed) {
            Paced::Taken => {}
            Paced::Waits(tell) => {
                self.is_complete = true;
                self.paused = Some(now.elapsed + PAUSE);
                if tell {
                    self.note("slow down: lines are taken one after the other");
                }
                return;
            }
        }
        let Some(asked) = self.asked else { return };
        if std::mem::take(&mut self.is_too_long) {
            self.enter_row(false);
            self.composer.set("");
            return self.note("Nothing was sent: the line is too long.");
        }
        let is_said = asked.mode == InputMode::Chat && self.view == View::Chat;
        self.enter_row(!is_said);
        let line = self.composer.text().to_owned();
        self.composer.set("");
        self.asked = None;
        self.line(&line, asked, now);
    }

    /// Takes back what is typed, or the question.
    pub(crate) fn cancel(&mut self, now: Now) {
        self.composer.set("");
        self.is_too_long = false;
        self.is_complete = false;
        if let Some(Asked { mode: mode @ (InputMode::Password | InputMode::Reply(_)), .. }) =
            self.asked
        {
            self.enter_row(true);
            self.asked = None;
            let effects = self.app.cancelled(mode);
            self.perform(effects, now);
        }
    }

    fn complete(&mut self) {
        if self.asked.is_none_or(|asked| asked.mode != InputMode::Chat) {
            return;
        }
        let (text, cursor) = (self.composer.text().to_owned(), self.composer.cursor());
        // The application knows commands by their slash, which is as long.
        let colon = self.view == View::Palette && text.starts_with(':');
        let asked = if colon { text.replacen(':', "/", 1) } else { text };
        let completion = self.app.complete(&asked, cursor);
        let typed = |text: &str| match text.strip_prefix('/') {
            Some(rest) if colon && completion.from == 0 => format!(":{rest}"),
            _ => text.to_owned(),
        };
        if let Some(common) = completion.common_prefix() {
            let with = typed(common);
            if self.composer.text().len() + with.len() <= LINE {
                self.composer.replace(completion.from, completion.to, &with);
            }
            return;
        }
        let names = completion.candidates.iter().take(NAMED);
        let names: Vec<_> = names.map(|candidate| typed(candidate.text.trim_end())).collect();
        if names.len() > 1 {
            self.note(&names.join("  "));
        }
    }

    /// Whether a line leads back to the palette.
    pub(super) fn leads_back(&self, line: &str) -> bool {
        self.view == View::Chat && palette::leads_back(line)
    }
}
