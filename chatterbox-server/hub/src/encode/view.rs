//! Views: the agreed capabilities that change how events are encoded for a receiver.

use chatterbox_proto::{Capabilities, Capability};

/// One encoding of events. Receivers with the same view share the same bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View(u8);

impl View {
    /// The base protocol.
    pub const BASE: Self = Self(0);

    /// The number of views.
    pub const COUNT: usize = 64;

    /// Every view.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).take(Self::COUNT).map(Self)
    }

    /// The view of a client that agreed to these.
    pub fn of(agreed: Capabilities) -> Self {
        let bit = |capability, bit| if agreed.has(capability) { bit } else { 0 };
        let text = bit(Capability::Ids, 1) | bit(Capability::Rename, 2) | bit(Capability::Utf8, 4);
        let told = bit(Capability::Notices, 8) | bit(Capability::Presence, 16);
        Self(text | told | bit(Capability::Meta, 32))
    }

    /// Whether messages go with their ids, and the times at which they were taken (ID-1).
    pub const fn ids(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether a change of name is one event (RN-1).
    pub const fn renames(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether text is sent without escapes (U8-1).
    pub const fn utf8(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether what the server tells a user is an object for programs (NO-1).
    pub const fn notices(self) -> bool {
        self.0 & 8 != 0
    }

    /// Whether it is told since when users are here, and whether they are away (PR-1).
    pub const fn presence(self) -> bool {
        self.0 & 16 != 0
    }

    /// Whether it is told what goes with messages (MT-1).
    pub const fn meta(self) -> bool {
        self.0 & 32 != 0
    }

    /// The view that differs in [`Self::meta`] alone.
    pub const fn other_of_meta(self) -> Self {
        Self(self.0 ^ 32)
    }

    /// The index of the view, below [`View::COUNT`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
