//! `TIMES` beside `IDS`: when the server took the messages.

use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use crate::{chat::Chat, entry::Entry};

impl Chat {
    /// When these messages were taken.
    pub(crate) fn times(&self, entries: &[&Entry]) -> Value {
        let f = &self.faults;
        let mut times: Vec<Value> = entries.iter().map(|entry| json!(entry.taken)).collect();
        if f.acts(Fault::TimesAsText) {
            times = entries.iter().map(|entry| json!(entry.taken.to_string())).collect();
        }
        if f.acts(Fault::TimesTooFew) {
            let _ = times.pop();
        }
        json!(times)
    }
}
