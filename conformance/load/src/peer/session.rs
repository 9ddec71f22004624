//! One member's session with a server of another protocol.

use super::{irc::IrcSession, mqtt::MqttSession, mqtt_packet, room::CHANNEL};
use crate::{
    dialect::Dialect,
    frame_summary::{FrameSummary, Reading},
};

/// What goes on between a member and such a server.
#[derive(Debug)]
pub enum PeerSession {
    /// IRC.
    Irc(IrcSession),
    /// MQTT 3.1.1.
    Mqtt(MqttSession),
}

impl PeerSession {
    /// A session that has not begun; `None` for the protocol that is not spoken here.
    #[must_use]
    pub fn new(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Chatterbox => None,
            Dialect::Irc => Some(Self::Irc(IrcSession::default())),
            Dialect::Mqtt => Some(Self::Mqtt(MqttSession::default())),
        }
    }

    /// What a member says first.
    #[must_use]
    pub fn opening(&self, name: &str) -> Vec<u8> {
        match self {
            Self::Irc(_) => IrcSession::opening(name),
            Self::Mqtt(_) => mqtt_packet::connect(name),
        }
    }

    /// Takes bytes: hands over what they mean, in their order, and puts what has to be said to them
    /// behind `answers`.
    pub fn push(
        &mut self,
        bytes: &[u8],
        reading: &Reading,
        answers: &mut Vec<u8>,
        sink: impl FnMut(&FrameSummary),
    ) {
        match self {
            Self::Irc(session) => session.push(bytes, reading, answers, sink),
            Self::Mqtt(session) => session.push(bytes, reading, answers, sink),
        }
    }
}

/// What stands in front of a text of this many bytes, and behind it, in a message to the room; `None`
/// for the protocol that is not spoken here.
#[must_use]
pub fn envelope(dialect: Dialect, text: usize) -> Option<(Vec<u8>, &'static [u8])> {
    match dialect {
        Dialect::Chatterbox => None,
        Dialect::Irc => Some((format!("PRIVMSG {CHANNEL} :").into_bytes(), b"\r\n")),
        Dialect::Mqtt => Some((mqtt_packet::publish_head(text), b"")),
    }
}
