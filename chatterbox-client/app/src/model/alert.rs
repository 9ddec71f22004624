//! Alerts: what a user who looks elsewhere is told by a bell or a notification.

use std::collections::VecDeque;

use chatterbox_proto::ScreenText;

use crate::target::Target;

/// At most so many alerts wait for a screen that takes none.
const KEPT: usize = 32;

/// Something that a user who looks elsewhere is told by a bell or a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The conversation.
    pub target: Target,
    /// Who has said it.
    pub from: ScreenText,
    /// The beginning of the text.
    pub text: ScreenText,
    /// Whether it names the user, or is for them alone.
    pub concerns: bool,
}

/// The alerts that wait.
#[derive(Debug, Default)]
pub(super) struct Alerts(VecDeque<Alert>);

impl Alerts {
    pub(super) fn push(&mut self, alert: Alert) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(alert);
    }

    pub(super) fn take(&mut self) -> Option<Alert> {
        self.0.pop_front()
    }
}
