//! The keys with which two ends agree on capabilities (CP-1, CP-2, CP-7).

use serde_json::Value;

use super::set::Capabilities;
use crate::text::WireText;

/// What a client speaks, beside USERNAME; what is in force, in the welcome.
pub const CAPABILITIES: &str = "CAPABILITIES";
/// The integers that the welcome tells a client that offered (CP-7).
pub const LIMITS: &str = "LIMITS";
/// The name and the banner of a server, in the welcome of whoever offered capabilities.
pub const SERVER_INFO: &str = "SERVER";

/// `LIMITS` of the welcome (CP-7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The longest body in bytes that the server takes.
    pub frame: Option<u64>,
    /// The longest name in characters.
    pub username: Option<u64>,
    /// The longest message in characters.
    pub content: Option<u64>,
    /// The most rooms that one user is a member of, with `rooms` (CP-13).
    pub rooms: Option<u64>,
    /// The longest topic of a room in characters, with `rooms` (CP-13).
    pub topic: Option<u64>,
}

impl Limits {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let limits = value.as_object()?;
        let limit = |key| limits.get(key).and_then(Value::as_u64);
        Some(Self {
            frame: limit("FRAME"),
            username: limit("USERNAME"),
            content: limit("CONTENT"),
            rooms: limit("ROOMS"),
            topic: limit("TOPIC"),
        })
    }
}

/// A server agrees to nothing that we don't know; if it says so, that is not in force.
pub(crate) fn read_agreed(value: &Value) -> Option<Capabilities> {
    Capabilities::parse_offer(value.as_str()?).ok()
}

/// `SERVER` of the welcome: what the server says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its name.
    pub name: Option<WireText<'static>>,
    /// A text of one line or several.
    pub banner: Option<WireText<'static>>,
}

impl ServerInfo {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let server = value.as_object()?;
        let text =
            |key| server.get(key).and_then(Value::as_str).map(|t| WireText::new(t.to_owned()));
        Some(Self { name: text("NAME"), banner: text("BANNER") })
    }
}
