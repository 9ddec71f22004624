//! The table of capabilities: each has a name and a version on the wire.

macro_rules! table {
    ($($(#[$doc:meta])* $variant:ident = $word:literal / $version:literal;)*) => {
        /// One extension of the base protocol, which two ends may negotiate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability {
            $($(#[$doc])* $variant,)*
        }

        impl Capability {
            /// Every capability, in the order in which they are written.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The version that this crate implements.
            pub const fn version(self) -> u16 {
                match self { $(Self::$variant => $version,)* }
            }
        }
    };
}

table! {
    /// Authentication: joining under a registered name.
    Accounts = "accounts" / 1;
    /// Remote commands, their results and prompts.
    Commands = "commands" / 1;
    /// Sequence numbers: acknowledgements, paging, resuming a session.
    Ids = "ids" / 1;
    /// What the server tells a person, and why a connection ends, for programs.
    Notices = "notices" / 1;
    /// Liveness checks.
    Ping = "ping" / 1;
    /// Since when users are here, and whether they are away.
    Presence = "presence" / 1;
    /// A short welcome.
    Recent = "recent" / 1;
    /// Changes of name without leaving.
    Rename = "rename" / 1;
    /// Rooms beside the lobby.
    Rooms = "rooms" / 1;
    /// Text without `\u` escapes.
    Utf8 = "utf8" / 1;
}

impl Capability {
    /// The capabilities without which it is not agreed to (CP-8).
    pub const fn needs(self) -> &'static [Self] {
        match self {
            Self::Rooms => &[Self::Ids, Self::Rename, Self::Commands],
            _ => &[],
        }
    }

    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }
}
