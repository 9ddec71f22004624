//! The table of capabilities.

macro_rules! table {
    ($($(#[$doc:meta])* $variant:ident = $word:literal / $version:literal;)*) => {
        /// One thing that two ends may agree to speak.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability {
            $($(#[$doc])* $variant,)*
        }

        impl Capability {
            /// Every capability, in the order in which they are written.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// Its name on the wire.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The version that we speak.
            pub const fn version(self) -> u16 {
                match self { $(Self::$variant => $version,)* }
            }
        }
    };
}

table! {
    /// Joining under a name that belongs to somebody.
    Accounts = "accounts" / 1;
    /// Commands, their results, questions of the server.
    Commands = "commands" / 1;
    /// Messages have numbers: acknowledgements, paging, resuming.
    Ids = "ids" / 1;
    /// Asking whether the other end is there.
    Ping = "ping" / 1;
    /// A user changes name without leaving.
    Rename = "rename" / 1;
    /// Text without `\u` escapes.
    Utf8 = "utf8" / 1;
}

impl Capability {
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }
}
