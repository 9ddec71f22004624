//! One message that was taken.

use serde_json::Value;

/// One message that was taken.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) parts: Vec<Value>,
    /// Its idempotency key, as its sender chose it.
    pub(super) tag: Option<String>,
    /// When the server took it, in seconds since 1970.
    pub(super) taken: i64,
    /// What goes with it.
    pub(super) meta: Option<Value>,
}

impl Entry {
    pub(super) fn src(&self) -> &str {
        self.parts.first().and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn dest(&self) -> &str {
        self.parts.get(1).and_then(Value::as_str).unwrap_or_default()
    }
}
