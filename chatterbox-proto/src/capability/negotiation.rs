//! The keys with which two ends agree on capabilities (CP-1, CP-2, CP-7).

use serde_json::Value;

use super::set::Capabilities;

/// What a client speaks, beside USERNAME; what is in force, in the welcome.
pub const CAPABILITIES: &str = "CAPABILITIES";
/// The integers that the welcome tells a client that offered (CP-7).
pub const LIMITS: &str = "LIMITS";

/// `LIMITS` of the welcome (CP-7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The longest body in bytes that the server takes.
    pub frame: Option<u64>,
    /// The longest name in characters.
    pub username: Option<u64>,
}

impl Limits {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let limits = value.as_object()?;
        let limit = |key| limits.get(key).and_then(Value::as_u64);
        Some(Self { frame: limit("FRAME"), username: limit("USERNAME") })
    }
}

/// A server agrees to nothing that we don't know; if it says so, that is not in force.
pub(crate) fn read_agreed(value: &Value) -> Option<Capabilities> {
    Capabilities::parse_offer(value.as_str()?).ok()
}
