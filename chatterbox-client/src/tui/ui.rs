//! The state of the full screen itself: what is open on it, and where one reads.

use chatterbox_app::complete::Completion;
use chatterbox_app::model::Key;
use chatterbox_proto::ScreenText;

use crate::terminal::Typing;

/// The state of the full screen.
pub(crate) struct Ui {
    /// The text that is typed.
    pub(crate) typing: Typing,
    /// Where one reads in the conversation in front.
    pub(crate) scroll: Scroll,
    /// The message that was gone to from a list; it is marked until the next key.
    pub(crate) found: Option<Key>,
    /// What stands over the timeline.
    pub(crate) overlay: Option<Overlay>,
    /// One line of this program in the place of the status.
    pub(crate) hint: Option<String>,
    /// Whether the list of conversations is shown; `None`: where there is room.
    pub(crate) conversations: Option<bool>,
    /// Whether the list of people is shown; `None`: where there is room.
    pub(crate) people: Option<bool>,
    /// Whether times are shown; `None`: where there is room.
    pub(crate) times: Option<bool>,
    /// Whether the terminal has the focus.
    pub(crate) focused: bool,
}

impl Ui {
    /// What is typed for a list or the page of the keys need not wait for a line.
    pub(crate) fn settle_typing(&mut self) {
        self.typing.set_for_list(self.is_list_open());
    }

    /// Whether keys are for a list or the page of the keys.
    pub(crate) fn is_list_open(&self) -> bool {
        matches!(self.overlay, Some(Overlay::List(_) | Overlay::Help { .. }))
    }
}

impl Ui {
    /// At the end of a conversation, with nothing open.
    pub(crate) fn new(typing: Typing) -> Self {
        Self {
            typing,
            scroll: Scroll::End,
            found: None,
            overlay: None,
            hint: None,
            conversations: None,
            people: None,
            times: None,
            focused: true,
        }
    }
}

/// Where one reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scroll {
    /// At the end: what comes is seen.
    End,
    /// The item at the lower edge of the timeline, and how many of its rows are below that edge.
    At {
        /// The item.
        key: Key,
        /// The rows of it that are not seen.
        hidden: usize,
    },
}

/// What stands over the timeline.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    /// What the word at the cursor can become.
    Completion {
        completion: Completion,
        /// The candidate that is chosen.
        chosen: Option<usize>,
    },
    /// A list from which one row is chosen.
    List(List),
    /// The keys; so many rows of them are above the upper edge.
    Help { scroll: usize },
}

/// A list from which one row is chosen, narrowed down by what is typed.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) kind: ListKind,
    pub(crate) title: &'static str,
    /// What was typed to narrow it down.
    pub(crate) query: String,
    /// The rows that match.
    pub(crate) rows: Vec<ListRow>,
    pub(crate) chosen: usize,
}

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKind {
    Palette,
    GoTo,
    Mentions,
    Links,
    Search,
    Earlier,
    People,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListRow {
    pub(crate) text: ScreenText,
    /// What stands at its right, quiet.
    pub(crate) note: ScreenText,
}
