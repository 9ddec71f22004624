//! The protocols that the tool speaks: the one that it is for, and two others, for comparisons.

use std::{fmt, str::FromStr};

/// A line of IRC has 512 bytes with its end; what stands in front of a text takes less than 112.
const IRC_TEXT: usize = 400;

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The protocol that this project is about.
    #[default]
    Chatterbox,
    /// IRC: everybody is in one channel.
    Irc,
    /// MQTT 3.1.1: everybody has subscribed to one topic, with quality of service 0.
    Mqtt,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chatterbox, Self::Irc, Self::Mqtt];

    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chatterbox => "chatterbox",
            Self::Irc => "irc",
            Self::Mqtt => "mqtt",
        }
    }

    /// Whether users are told who is there, so that it can be judged.
    #[must_use]
    pub const fn tells_presence(self) -> bool {
        !matches!(self, Self::Mqtt)
    }

    /// The longest text of one message in bytes; `None` when the tool's own bound is smaller.
    #[must_use]
    pub const fn longest_text(self) -> Option<usize> {
        match self {
            Self::Irc => Some(IRC_TEXT),
            Self::Chatterbox | Self::Mqtt => None,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|dialect| dialect.name() == text);
        found.ok_or_else(|| "chatterbox, irc or mqtt".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert!("xmpp".parse::<Dialect>().is_err());
    }
}
