//! Stamps: when something happened, counted by one clock for all rooms.

/// The place of an event among all events of all rooms. Of two events, the one with the lower stamp happened first, wherever
/// they happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u64);

impl Stamp {
    /// Later than whatever happens.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The stamp of whatever happens next.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many events have happened before.
    pub(crate) const fn count(self) -> u64 {
        self.0
    }

    /// How many events have happened since an earlier one; 0 since a later one.
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
