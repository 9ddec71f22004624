//! What the streams and subjects of a cluster are called, all of them from one name: chats of different names share an engine
//! without knowing of each other.

use std::fmt;
use std::str::FromStr;

use crate::order::total_order::Place;

/// The name of a cluster, which its streams and subjects begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterName(String);

/// The name of a cluster if nothing is said of it.
pub const USUAL_NAME: &str = "chat";

/// The characters of the longest name.
const LONGEST: usize = 32;

/// The characters of a hash in a subject.
const HASH: usize = 32;

impl Default for ClusterName {
    fn default() -> Self {
        Self(USUAL_NAME.to_owned())
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClusterName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Streams have the name in capitals, so that two names which differ only in that would be one stream.
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(is_plain) {
            return Err(format!("is to be 1 to {LONGEST} of a to z, 0 to 9 and -"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A piece of a snapshot, as its subject says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The place of the snapshot.
    pub place: Place,
    /// The beginning of the hash of the whole: two writers of different states don't mix their pieces.
    pub hash: String,
    /// Which piece it is, from 0.
    pub index: usize,
    /// How many pieces there are.
    pub count: usize,
}

impl ClusterName {
    /// The stream of the log.
    pub fn log_stream(&self) -> String {
        self.0.to_ascii_uppercase()
    }

    /// The subject of the log.
    pub fn log_subject(&self) -> String {
        format!("{}.log", self.0)
    }

    /// The stream of snapshots.
    pub fn state_stream(&self) -> String {
        format!("{}_STATE", self.log_stream())
    }

    /// The subjects of all pieces of snapshots.
    pub fn state_subjects(&self) -> String {
        format!("{}.state.>", self.0)
    }

    /// The subjects of all pieces of the snapshots of a place.
    pub fn pieces_of(&self, place: Place) -> String {
        format!("{}.state.{place}.>", self.0)
    }

    /// The subject of a piece.
    pub fn piece(&self, piece: &Piece) -> String {
        let Piece { place, hash, index, count } = piece;
        format!("{}.state.{place}.{hash}.{index}.{count}", self.0)
    }

    /// The piece that a subject is of; `None` when it is of nothing that we write.
    pub fn piece_of(&self, subject: &str) -> Option<Piece> {
        let rest = subject.strip_prefix(&self.0)?.strip_prefix(".state.")?;
        let mut words = rest.split('.');
        let place = words.next()?.parse().ok()?;
        let hash = words.next().filter(|hash| hash.len() == HASH)?.to_owned();
        let index = words.next()?.parse().ok()?;
        let count = words.next()?.parse().ok()?;
        (words.next().is_none() && index < count).then_some(Piece { place, hash, index, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_part_of_subjects_and_of_nothing_else() {
        for good in ["chat", "a", "test-2", &"x".repeat(LONGEST)] {
            assert_eq!(good.parse::<ClusterName>().unwrap().to_string(), good);
        }
        for bad in ["", "Chat", "a.b", "a b", "a*", ">", "a_b", "ä", &"x".repeat(LONGEST + 1)] {
            assert!(bad.parse::<ClusterName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_piece_is_found_again_in_its_subject() {
        let name = ClusterName::default();
        let piece = Piece { place: 10_000, hash: "0f".repeat(16), index: 2, count: 3 };
        let subject = name.piece(&piece);
        assert_eq!(subject, format!("chat.state.10000.{}.2.3", "0f".repeat(16)));
        assert_eq!(name.piece_of(&subject), Some(piece));
        let hash = "a".repeat(HASH);
        for foreign in [
            "chat.log".to_owned(),
            format!("chats.state.1.{hash}.0.1"),
            format!("chat.state.1.{hash}.1.1"),
            format!("chat.state.x.{hash}.0.1"),
            "chat.state.1.abc.0.1".to_owned(),
            format!("chat.state.1.{hash}.0.1.2"),
            format!("chat.state.1.{hash}.0"),
            "chat.state.".to_owned(),
        ] {
            assert_eq!(name.piece_of(&foreign), None, "{foreign}");
        }
    }
}
