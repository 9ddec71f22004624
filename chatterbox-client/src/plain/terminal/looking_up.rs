//! What is looked up while somebody types: earlier lines, and what a word can become.

use chatterbox_app::App;
use crossterm::event::KeyEvent;

use super::Lines;
use crate::keymap::{Action, Meaning};
use crate::plain::listing::listed;

impl Lines {
    /// Works off a key of the search in earlier lines. Gives it back if the search is over, and the key means something beside.
    pub(super) fn search(&mut self, key: KeyEvent) -> Option<KeyEvent> {
        let mut recall = self.recall.take()?;
        match self.typing.meaning(key) {
            Meaning::Types(character) => recall.push(character),
            Meaning::Does(Action::Backspace) => recall.pop(),
            Meaning::Does(Action::SearchEarlier) => {
                recall.older(self.typing.composer().remembered());
            }
            // What was typed before is there again.
            Meaning::Does(Action::Clear) => return None,
            Meaning::Begins => {}
            meaning => {
                let found = recall.found(self.typing.composer().remembered()).map(str::to_owned);
                if let Some(found) = found {
                    self.typing.composer_mut().set(&found);
                }
                return matches!(meaning, Meaning::Does(_)).then_some(key);
            }
        }
        self.recall = Some(recall);
        None
    }

    /// Completes the word at the cursor as far as that is certain; a second time the possibilities are listed.
    pub(super) fn complete(&mut self, app: &App) {
        let composer = self.typing.composer_mut();
        let completion = app.complete(composer.text(), composer.cursor());
        if let Some(common) = completion.common_prefix() {
            composer.replace(completion.from, completion.to, common);
        } else if self.completed || completion.candidates.is_empty() {
            self.print_rows(&listed(&completion));
        }
        self.completed = true;
    }
}
