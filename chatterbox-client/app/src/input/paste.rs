//! Pasting: what becomes of a pasted text, and how one is known where the terminal does not mark it.

use std::borrow::Cow;
use std::time::Duration;

/// Keys that follow each other faster than this were not typed.
const TOGETHER: Duration = Duration::from_millis(5);

/// Knows the line ends of a pasted text from the key Enter, where the terminal does not mark what is pasted: such a text comes as
/// keys that follow each other within milliseconds.
#[derive(Debug, Clone, Default)]
pub struct PasteGuard {
    /// When the last key came.
    last: Option<Duration>,
    /// Whether a line end of this paste was found already.
    inside: bool,
}

impl PasteGuard {
    /// Takes each key that was pressed, at the time `now` of a monotonic clock, and says whether it is a line end of a paste. `more`
    /// says that another key is there already: a line that a program types ends with its Enter, and is sent.
    pub fn key(&mut self, now: Duration, is_enter: bool, more: bool) -> bool {
        let together = self.last.is_some_and(|last| now.saturating_sub(last) <= TOGETHER);
        self.last = Some(now);
        self.inside &= together;
        let is_line_end = is_enter && together && (more || self.inside);
        self.inside |= is_line_end;
        is_line_end
    }
}

/// The text with line ends of this program and without control characters. Tabs stay: a pasted program or table is nothing without
/// them.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect())
}
