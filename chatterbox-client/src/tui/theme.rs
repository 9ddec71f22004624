//! Themes: the appearance of each role.

/// The appearance of each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// The sixteen colours of the terminal.
    #[default]
    Default,
    /// For a light background.
    Light,
    /// For a dark background.
    Dark,
    /// Black, white and a few strong colours.
    HighContrast,
    /// No colour at all.
    Mono,
}
