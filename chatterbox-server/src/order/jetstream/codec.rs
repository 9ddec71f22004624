//! Groups as bytes: stands in for the format of the hub until that is there. It has the starts of nodes and nothing else.

use bytes::Bytes;
use chatterbox_hub::{Group, Incarnation, Proposal, Up};

/// Writes a group.
pub fn encode(group: &Group) -> Bytes {
    let mut bytes = Vec::new();
    bytes.extend(group.from.0.to_le_bytes());
    bytes.extend(group.number.to_le_bytes());
    for proposal in &group.proposals {
        if let Proposal::Up(up) = proposal {
            bytes.extend(up.read_to.to_le_bytes());
        }
    }
    bytes.into()
}

/// Reads a group.
///
/// # Errors
/// Says what is wrong.
pub fn decode(bytes: &[u8]) -> Result<Group, &'static str> {
    let (numbers, rest) = bytes.as_chunks();
    let mut numbers = numbers.iter().map(|number| u64::from_le_bytes(*number));
    let (Some(from), Some(number), []) = (numbers.next(), numbers.next(), rest) else {
        return Err("it is none");
    };
    let proposals = numbers.map(|read_to| Proposal::Up(Up { read_to, ..Up::default() })).collect();
    Ok(Group { from: Incarnation(from), number, proposals })
}
