//! The popup of completion: when it opens, and what its keys do.

use super::control::Control;
use super::ui::Overlay;
use crate::keymap::Action;
use crate::session::View;

impl Control {
    /// The text has changed: the popup opens, follows or closes.
    pub(super) fn edited(&mut self, view: &View<'_>) {
        let composer = self.ui.typing.composer();
        let (text, cursor) = (composer.text(), composer.cursor());
        let before = text.get(..cursor).unwrap_or(text);
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let begins = text.starts_with('/') || word.starts_with(['@', '#']);
        if word.is_empty() {
            self.dismissed = false;
        }
        let is_open = matches!(self.ui.overlay, Some(Overlay::Completion { .. }));
        if (is_open || begins) && !self.dismissed {
            self.complete(view);
        } else if is_open {
            self.ui.overlay = None;
        }
    }

    /// A key that is for the popup. Says whether it was.
    pub(super) fn popup_key(&mut self, action: Action, view: &View<'_>) -> bool {
        let is_open = matches!(
            &self.ui.overlay,
            Some(Overlay::Completion { completion, .. }) if !completion.candidates.is_empty()
        );
        match action {
            Action::Complete | Action::CompleteBack => {
                if !self.ui.typing.is_chat() {
                    return true;
                }
                if !is_open {
                    self.dismissed = false;
                    self.complete(view);
                }
                self.take(if action == Action::Complete { 1 } else { -1 }, view);
                true
            }
            Action::Earlier if is_open => {
                self.take(-1, view);
                true
            }
            Action::Later if is_open => {
                self.take(1, view);
                true
            }
            _ => false,
        }
    }

    fn complete(&mut self, view: &View<'_>) {
        let composer = self.ui.typing.composer();
        let completion = view.app.vocabulary().complete(composer.text(), composer.cursor());
        let has = self.ui.typing.is_chat()
            && !(completion.candidates.is_empty() && completion.about.is_empty());
        self.ui.overlay = has.then_some(Overlay::Completion { completion, chosen: None });
    }

    /// Puts the candidate that comes next in the place of the word. The only one is taken for good.
    fn take(&mut self, by: isize, view: &View<'_>) {
        let Some(Overlay::Completion { completion, chosen }) = &mut self.ui.overlay else { return };
        let count = completion.candidates.len();
        let Some(last) = count.checked_sub(1) else { return };
        let next = match *chosen {
            None if by > 0 => 0,
            None => last,
            Some(at) if by > 0 => {
                if at >= last {
                    0
                } else {
                    at + 1
                }
            }
            Some(at) => at.checked_sub(1).unwrap_or(last),
        };
        let Some(candidate) = completion.candidates.get(next) else { return };
        let composer = self.ui.typing.composer_mut();
        composer.replace(completion.from, completion.to, &candidate.text);
        completion.to = completion.from + candidate.text.len();
        *chosen = Some(next);
        if count == 1 {
            self.ui.overlay = None;
            self.edited(view);
        }
    }
}
