//! The table of capabilities: each has a name and a version on the wire.

macro_rules! table {
    ($($(#[$doc:meta])* $variant:ident = $word:literal / $version:literal, bit $bit:literal;)*) => {
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

            /// Its bit in sets as nodes of a cluster write them, which stays whatever rows come between.
            pub(super) const fn bit(self) -> u32 {
                match self { $(Self::$variant => 1 << $bit,)* }
            }
        }
    };
}

table! {
    /// Authentication: joining under a registered name.
    Accounts = "accounts" / 1, bit 0;
    /// Remote commands, their results and prompts.
    Commands = "commands" / 1, bit 1;
    /// Several connections of one account under one name.
    Devices = "devices" / 1, bit 10;
    /// Encrypted private messages: the directory of keys.
    E2ee = "e2ee" / 1, bit 15;
    /// Files that the server keeps for users and rooms.
    Files = "files" / 1, bit 14;
    /// Sequence numbers: acknowledgements, paging, resuming a session.
    Ids = "ids" / 1, bit 2;
    /// How far a user has read, for their own devices.
    Marks = "marks" / 1, bit 11;
    /// What goes with a message beside its text: replies, mentions, files, encrypted texts.
    Meta = "meta" / 1, bit 12;
    /// What the server tells a person, and why a connection ends, for programs.
    Notices = "notices" / 1, bit 3;
    /// Liveness checks.
    Ping = "ping" / 1, bit 4;
    /// Since when users are here, and whether they are away.
    Presence = "presence" / 1, bit 5;
    /// A short welcome.
    Recent = "recent" / 1, bit 6;
    /// Changes of name without leaving.
    Rename = "rename" / 1, bit 7;
    /// Rooms beside the lobby.
    Rooms = "rooms" / 1, bit 8;
    /// Text without `\u` escapes.
    Utf8 = "utf8" / 1, bit 9;
    /// Compressed frames.
    Zstd = "zstd" / 1, bit 13;
}

impl Capability {
    /// The capabilities without which it is not agreed to (CP-8).
    pub const fn needs(self) -> &'static [Self] {
        match self {
            Self::Devices | Self::Marks => &[Self::Accounts, Self::Ids],
            Self::E2ee | Self::Files => &[Self::Accounts, Self::Ids, Self::Meta],
            Self::Meta => &[Self::Ids],
            Self::Rooms => &[Self::Ids, Self::Rename, Self::Commands],
            _ => &[],
        }
    }
}
