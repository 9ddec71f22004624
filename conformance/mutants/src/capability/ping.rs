//! `ping`: whether the other end is there.

use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use crate::session::Session;

impl Session {
    pub(crate) async fn ping(&mut self, number: &Value) -> bool {
        let f = self.shared.faults.clone();
        if number.as_i64().is_none() && !f.acts(Fault::PingUnchecked) {
            return f.acts(Fault::BadPingIgnored) || self.error("PING is an integer").await;
        }
        if f.acts(Fault::NoPong) {
            return true;
        }
        let exact = !f.acts(Fault::PongAsFloat);
        let shown = if exact { number.clone() } else { json!(number.as_f64()) };
        self.outbox.send(&json!({"PONG": shown}));
        for text in std::mem::take(&mut self.held) {
            self.outbox.error(text);
        }
        true
    }
}
