//! The steps of typing: what became of an event of the terminal, and the words for what was not taken.

use chatterbox_app::input::Entered;

use crate::keymap::Action;
use crate::session::Wish;

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Step {
    /// The text has changed, or the cursor.
    Edited,
    /// The user is asked once whether a pasted text is to be sent, or told that it is too long.
    Asked(Entered),
    /// There is no room for what was typed or pasted.
    NoRoom,
    /// Enter was pressed while another conversation was shown: nothing is sent.
    Elsewhere,
    /// The first Ctrl-C on an empty line: another one leaves.
    Leaving,
    /// The user wants this.
    Wish(Wish),
    /// An action that does nothing to the text.
    Action(Action),
    /// Nothing.
    Nothing,
}

/// Says that there is no room for a text.
pub(crate) const NO_ROOM: &str =
    "There is no room for it: what is typed has 256 KiB at most. Nothing of it was taken.";

/// Says that a text is too long.
pub(crate) fn too_long(over: usize) -> String {
    let characters = if over == 1 { "character" } else { "characters" };
    format!("{over} {characters} too many; nothing was sent.")
}
