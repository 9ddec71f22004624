//! The public keys of accounts, as this server keeps them.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

/// The directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(super) numbers: Vec<String>,
    pub(super) identities: BTreeMap<String, Value>,
    pub(super) devices: Vec<Device>,
    /// When an account has claimed a key, in seconds since 1970.
    pub(super) claims: BTreeMap<String, Vec<i64>>,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) account: String,
    pub(super) name: String,
    /// As it was published.
    pub(super) value: Value,
    pub(super) one_time: VecDeque<(String, Value)>,
    pub(super) fallback: Option<Value>,
    /// The greatest name of a one-time key that was ever taken.
    pub(super) newest: String,
    /// Up to which message it has read.
    pub(super) done: u64,
}
