//! A member on MQTT: connects, subscribes to the topic, and reads what is published there.

use std::mem;

use conformance_kit::escape;

use super::{
    mqtt_packet::{self, Head, Kind, LARGEST},
    partial::Partial,
};
use crate::frame_summary::{FrameSummary, Reading};

/// One member's side of MQTT.
#[derive(Debug, Default)]
pub struct MqttSession {
    partial: Partial,
    has_subscribed: bool,
    is_broken: bool,
}

impl MqttSession {
    /// Takes bytes; see [`super::PeerSession::push`].
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        reading: &Reading,
        answers: &mut Vec<u8>,
        mut sink: impl FnMut(&FrameSummary),
    ) {
        if self.is_broken {
            return;
        }
        let mut summary = FrameSummary::default();
        let mut partial = mem::take(&mut self.partial);
        partial.feed(bytes, |bytes| {
            let mut used = 0;
            loop {
                match Head::read(bytes.get(used..).unwrap_or_default()) {
                    Head::Whole(first, body, all) => {
                        used += all;
                        self.packet(first, body, reading, answers, &mut summary, &mut sink);
                    }
                    Head::More => return used,
                    Head::Absurd => {
                        self.is_broken = true;
                        let text = format!("a packet of no length, or beyond {LARGEST} bytes");
                        summary.nonsense = Some(text);
                        return used;
                    }
                }
            }
        });
        if self.is_broken {
            partial.forget();
        }
        self.partial = partial;
        if summary != FrameSummary::default() {
            sink(&summary);
        }
    }

    fn packet(
        &mut self,
        first: u8,
        body: &[u8],
        reading: &Reading,
        answers: &mut Vec<u8>,
        summary: &mut FrameSummary,
        sink: &mut impl FnMut(&FrameSummary),
    ) {
        match (Kind::of(first), body) {
            // Without flags it has quality of service 0, and no number before its text.
            (Kind::Publish, body) if first & 0x0F == 0 => match mqtt_packet::published(body) {
                Some(text) => reading.said(summary, None, text),
                None => summary.strangers += 1,
            },
            (Kind::ConnAck, [_, 0]) if !self.has_subscribed => {
                answers.extend_from_slice(&mqtt_packet::subscribe());
            }
            (Kind::ConnAck, [_, code]) if !self.has_subscribed => {
                sink(&answer(false, Some(format!("the connection is refused with code {code}"))));
            }
            (Kind::SubAck, [_, _, quality]) if !self.has_subscribed => {
                self.has_subscribed = *quality < 0x80;
                let refused = || "the subscription is refused".to_owned();
                let error = (!self.has_subscribed).then(refused);
                sink(&answer(self.has_subscribed, error));
            }
            (Kind::PingResp, []) => {}
            _ => {
                let text = escape::bytes(body, 80);
                summary.nonsense = Some(format!("a packet that begins with {first:#04x}: {text}"));
            }
        }
    }
}

/// The answer to who wants to be there.
fn answer(is_accepted: bool, error: Option<String>) -> FrameSummary {
    FrameSummary { accepted: Some(is_accepted), error, ..FrameSummary::default() }
}
