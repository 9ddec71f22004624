//! What can be in the configuration file, and what holds where nothing is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chatterbox_address::HostPort;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::cli::Theme;
use crate::net::Fingerprint;

/// The configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Servers by the name under which they are reached.
    pub(crate) servers: BTreeMap<String, ServerConfig>,
    pub(crate) screen: ScreenConfig,
    /// Actions, and the keys that they have instead of those of the table.
    pub(crate) keys: BTreeMap<String, Spanned<Vec<String>>>,
    /// Conversations: `ALL`, `#room` or `@user`.
    pub(crate) conversations: BTreeMap<String, ConversationConfig>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerConfig {
    #[serde(deserialize_with = "host")]
    pub(crate) host: HostPort,
    pub(crate) port: Option<u16>,
    /// The authority that certifies it; a path is relative to the file.
    pub(crate) ca: Option<PathBuf>,
    /// The fingerprint of its certificate.
    #[serde(default, deserialize_with = "pin")]
    pub(crate) pin: Option<Fingerprint>,
    pub(crate) username: Option<String>,
    /// The room in front at the beginning.
    pub(crate) room: Option<String>,
}

/// The full screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct ScreenConfig {
    pub(crate) mode: Mode,
    pub(crate) theme: Theme,
    pub(crate) times: Shown,
    pub(crate) conversations: Shown,
    pub(crate) people: Shown,
    pub(crate) mouse: bool,
    pub(crate) notify: NotifyBy,
    /// Whether a notification has the beginning of the message.
    pub(crate) notify_text: bool,
    /// The program that opens a link, and its arguments; the link is the last one. No shell is run.
    pub(crate) open: Vec<String>,
}

/// A conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConversationConfig {
    pub(crate) notify: Attention,
}

/// What a terminal shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// The full screen, where it is large enough.
    #[default]
    Full,
    /// Line by line.
    Plain,
}

/// Whether a part of the screen is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shown {
    /// Where there is room.
    #[default]
    Auto,
    Always,
    Never,
}

impl Shown {
    /// The wish, if there is one.
    pub(crate) fn wish(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::Always => Some(true),
            Self::Never => Some(false),
        }
    }
}

/// The means of a notification, beside the bell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NotifyBy {
    /// What the terminal is known to understand.
    #[default]
    Auto,
    /// The bell only.
    Bell,
    /// The sequence of iTerm2.
    Osc9,
    /// The sequence of kitty, foot, WezTerm and others.
    Osc777,
    /// Nothing, not even the bell.
    None,
}

/// What of a conversation is notified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Attention {
    /// Every message.
    All,
    /// Those that name the user, and private ones.
    #[default]
    Mentions,
    None,
}

impl From<Attention> for chatterbox_app::model::Attention {
    fn from(attention: Attention) -> Self {
        match attention {
            Attention::All => Self::All,
            Attention::Mentions => Self::Mentions,
            Attention::None => Self::None,
        }
    }
}

fn host<'de, D: Deserializer<'de>>(from: D) -> Result<HostPort, D::Error> {
    String::deserialize(from)?.parse().map_err(de::Error::custom)
}

fn pin<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Fingerprint>, D::Error> {
    String::deserialize(from)?.parse().map(Some).map_err(de::Error::custom)
}
