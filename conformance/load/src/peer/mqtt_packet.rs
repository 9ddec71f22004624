//! Packets of MQTT 3.1.1: the four that a member sends, and the head of every one that comes.

use super::room::TOPIC;

/// The longest packet that is followed: the longest text of this tool, with its topic, is far below.
pub const LARGEST: usize = 4 * 1_024 * 1_024;

/// The protocol's name and level, a clean session, and no keep-alive: nobody has to send PINGREQ.
const CONNECT: &[u8] = b"\x00\x04MQTT\x04\x02\x00\x00";

/// The number of the only SUBSCRIBE.
const SUBSCRIPTION: [u8; 2] = [0, 1];

/// The kinds of packets that servers send; the other half of the first byte holds flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The answer to CONNECT.
    ConnAck,
    /// A message.
    Publish,
    /// The answer to SUBSCRIBE.
    SubAck,
    /// The answer to PINGREQ.
    PingResp,
    /// Anything else.
    Other,
}

impl Kind {
    /// The kind that the first byte of a packet tells.
    #[must_use]
    pub const fn of(first: u8) -> Self {
        match first >> 4 {
            2 => Self::ConnAck,
            3 => Self::Publish,
            9 => Self::SubAck,
            13 => Self::PingResp,
            _ => Self::Other,
        }
    }
}

/// What lies at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Head<'a> {
    /// A packet: its first byte, what is behind its length, and how many bytes it takes in all.
    Whole(u8, &'a [u8], usize),
    /// The beginning of one.
    More,
    /// A length that is none, or is beyond [`LARGEST`].
    Absurd,
}

impl<'a> Head<'a> {
    /// Reads the packet at the beginning.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Self {
        let Some((first, rest)) = bytes.split_first() else { return Self::More };
        let (mut length, mut shift) = (0_usize, 0);
        for (place, byte) in rest.iter().take(4).enumerate() {
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                if length > LARGEST {
                    return Self::Absurd;
                }
                let from = place + 1;
                return match rest.get(from..from + length) {
                    Some(body) => Self::Whole(*first, body, 1 + from + length),
                    None => Self::More,
                };
            }
        }
        if rest.len() < 4 { Self::More } else { Self::Absurd }
    }
}

/// The packet that begins a session under a name.
#[must_use]
pub fn connect(name: &str) -> Vec<u8> {
    let mut body = CONNECT.to_vec();
    string(name, &mut body);
    packet(0x10, &body)
}

/// The packet that subscribes to the topic, with quality of service 0.
#[must_use]
pub fn subscribe() -> Vec<u8> {
    let mut body = SUBSCRIPTION.to_vec();
    string(TOPIC, &mut body);
    body.push(0);
    packet(0x82, &body)
}

/// A message to the topic without its text, which has this many bytes: what stands in front of it.
#[must_use]
pub fn publish_head(text: usize) -> Vec<u8> {
    let mut topic = Vec::new();
    string(TOPIC, &mut topic);
    let mut out = vec![0x30];
    length(topic.len() + text, &mut out);
    out.extend_from_slice(&topic);
    out
}

/// The text of a message to the topic; `None` when it is one to another topic, or none at all.
#[must_use]
pub fn published(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    let (topic, text) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    (topic == TOPIC.as_bytes()).then_some(text)
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    length(body.len(), &mut out);
    out.extend_from_slice(body);
    out
}

/// Appends a length: seven bits a byte, the lowest first.
fn length(mut length: usize, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(length & 0x7F).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a string: two bytes with its length, and itself. What is longer than they can say is cut.
fn string(text: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_are_those_of_the_norm() {
        let expected = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x00\x00\x06uab3de";
        assert_eq!(connect("uab3de"), expected);
        assert_eq!(subscribe(), b"\x82\x09\x00\x01\x00\x04load\x00");
        assert_eq!(publish_head(3), b"\x30\x09\x00\x04load");
        assert_eq!(publish_head(200), b"\x30\xCE\x01\x00\x04load");
    }

    #[test]
    fn lengths_that_are_none_are_noticed() {
        assert_eq!(Head::read(b""), Head::More);
        assert_eq!(Head::read(b"\x30\xFF\xFF\xFF"), Head::More);
        assert_eq!(Head::read(b"\x30\xFF\xFF\xFF\xFF"), Head::Absurd);
        // 268,435,455 bytes are announced, and nobody waits for them.
        assert_eq!(Head::read(b"\x30\xFF\xFF\xFF\x7F"), Head::Absurd);
        assert_eq!(Head::read(b"\xD0\x00\x30"), Head::Whole(0xD0, b"", 2));
    }

    #[test]
    fn what_was_said_elsewhere_is_not_said_here() {
        assert_eq!(published(b"\x00\x04loadhello"), Some(&b"hello"[..]));
        for other in [&b""[..], b"\x00", b"\x00\x04loa", b"\x00\x05loads", b"\x00\x04LOADx"] {
            assert_eq!(published(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            first in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..20_000),
        ) {
            let mut bytes = packet(first, &body);
            let all = bytes.len();
            prop_assert_eq!(Head::read(&bytes[..all - 1]), Head::More);
            bytes.push(7);
            prop_assert_eq!(Head::read(&bytes), Head::Whole(first, &body[..], all));
        }

        #[test]
        fn nothing_is_read_beyond_what_is_there(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Head::Whole(_, body, all) = Head::read(&bytes) {
                prop_assert!(all <= bytes.len() && body.len() < all);
                let _ = published(body);
            }
        }
    }
}
