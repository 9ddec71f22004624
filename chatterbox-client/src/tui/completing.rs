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
        if before.is_empty() || before.ends_with(char::is_whitespace) {
            self.dismissed = false;
        }
        // Of many keys at once only the last is looked up: a search goes through all users.
        if self.ui.typing.is_ready() {
            self.ui.overlay.take_if(|open| matches!(open, Overlay::Completion { .. }));
            return;
        }
        let offered = (self.ui.typing.is_chat() && !self.dismissed)
            .then(|| view.app.offer(text, cursor))
            .filter(|offered| !offered.is_empty());
        match offered {
            Some(completion) => {
                self.ui.overlay = Some(Overlay::Completion { completion, chosen: None });
            }
            None if matches!(self.ui.overlay, Some(Overlay::Completion { .. })) => {
                self.ui.overlay = None;
            }
            None => {}
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
        let completion = view.app.complete(composer.text(), composer.cursor());
        self.ui.overlay =
            (!completion.is_empty()).then_some(Overlay::Completion { completion, chosen: None });
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
