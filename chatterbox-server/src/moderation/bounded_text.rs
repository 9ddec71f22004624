//! Texts that have a bound in length, so that one of them costs what any other does.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text of at most `CHARS` characters; what is longer is cut.
///
/// It is text from the network: it is shown by [`chatterbox_proto::ScreenText`] only, so it has no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoundedText<const CHARS: usize>(Arc<str>);

/// A name as it was given, or a network as it is written.
pub type Label = BoundedText<256>;

/// Why somebody did something.
pub type Reason = BoundedText<500>;

/// A message that was reported.
pub type ReportText = BoundedText<4_000>;

impl<const CHARS: usize> BoundedText<CHARS> {
    /// The first characters of a text.
    pub fn new(text: &str) -> Self {
        let end = text.char_indices().nth(CHARS).map_or(text.len(), |(end, _)| end);
        Self(text.get(..end).unwrap_or_default().into())
    }
}

impl<const CHARS: usize> Default for BoundedText<CHARS> {
    fn default() -> Self {
        Self("".into())
    }
}

impl<const CHARS: usize> Deref for BoundedText<CHARS> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const CHARS: usize> From<&str> for BoundedText<CHARS> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<const CHARS: usize> From<BoundedText<CHARS>> for Arc<str> {
    fn from(text: BoundedText<CHARS>) -> Self {
        text.0
    }
}

impl<const CHARS: usize> fmt::Debug for BoundedText<CHARS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let cut = |text: &str| BoundedText::<3>::new(text).to_string();
        for (text, expected) in
            [("", ""), ("abc", "abc"), ("abcd", "abc"), ("äöüß", "äöü"), ("😀😀😀😀", "😀😀😀")]
        {
            assert_eq!(cut(text), expected);
        }
    }
}
