//! The scene: everything that is drawn, and what of it was seen.

use chatterbox_app::model::Key;
use chatterbox_app::{App, TimeFormatter};
use ratatui::layout::Rect;
use ratatui::style::Style;
use tokio::time::Instant;

use super::theme::Role;
use super::ui::Ui;
use crate::cli::Theme;
use crate::session::LinkState;

/// Everything that is drawn.
pub(crate) struct Scene<'s> {
    pub(crate) app: &'s App,
    pub(crate) link: &'s LinkState,
    pub(crate) ui: &'s Ui,
    pub(crate) theme: &'s Theme,
    pub(crate) time: &'s TimeFormatter,
    /// In seconds since 1970.
    pub(crate) now: i64,
    /// The same moment on the monotonic clock, for what is to come.
    pub(crate) instant: Instant,
}

impl Scene<'_> {
    /// The appearance of a role.
    pub(super) fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }
}

/// What the screen shows now; keys and the mouse refer to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drawn {
    /// Whether the end of the conversation in front is on the screen.
    pub(crate) end_seen: bool,
    /// Whether its oldest item is: older ones can be asked for.
    pub(crate) above: bool,
    /// The items on the screen, from the upper edge on.
    pub(crate) visible: Vec<Key>,
    /// Where the timeline is.
    pub(crate) timeline: Rect,
    /// The rows of the list of conversations, and the place of the conversation in the model.
    pub(crate) conversations: Vec<(Rect, usize)>,
    /// The cells of a row of the input.
    pub(crate) input_room: usize,
    /// So many rows of the help can be above the upper edge.
    pub(crate) help_most: usize,
}
