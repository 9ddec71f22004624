//! What was said to the ceiling's server, ready for whoever joins: the same pieces for everybody.
//!
//! Everything but the length in front is put together while messages are said, so that a join costs
//! no more than writing the pieces.

use std::sync::Arc;

use conformance_kit::wire::prefix::Prefix;

use super::batcher::{Batch, CLOSE};

/// So much is encrypted and written at a time: our server keeps its history in pieces of this size.
pub(super) const PIECE: usize = 64 * 1024;

/// What stands in front of the messages of a welcome.
const HEAD: &[u8] = br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": ["#;

/// The messages that everybody gets who joins.
#[derive(Debug)]
pub(super) struct History {
    /// The whole pieces of the welcome; the first begins with the place of its length.
    pieces: Vec<Batch>,
    /// What stands behind them.
    open: Vec<u8>,
    is_empty: bool,
    /// The welcome with its length and its end, until more is said.
    welcome: Option<Arc<[Batch]>>,
}

impl Default for History {
    fn default() -> Self {
        let open = [&[0; 4][..], HEAD].concat();
        Self { pieces: Vec::new(), open, is_empty: true, welcome: None }
    }
}

impl History {
    /// Keeps messages: one, or several with what separates them.
    pub fn keep(&mut self, messages: &[u8]) {
        if !std::mem::take(&mut self.is_empty) {
            self.open.extend_from_slice(b", ");
        }
        self.open.extend_from_slice(messages);
        while let Some(piece) = self.open.get(..PIECE) {
            self.pieces.push(piece.into());
            self.open.drain(..PIECE);
        }
        self.welcome = None;
    }

    /// The welcome of one who joins now.
    pub fn welcome(&mut self) -> Arc<[Batch]> {
        Arc::clone(self.welcome.get_or_insert_with(|| finished(&self.pieces, &self.open)))
    }
}

/// The pieces of a whole frame.
fn finished(pieces: &[Batch], open: &[u8]) -> Arc<[Batch]> {
    let last: Batch = [open, CLOSE].concat().into();
    let mut pieces = [pieces, &[last]].concat();
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let prefix = Prefix::NETWORK.announce(length - 4);
    if let Some(first) = pieces.first_mut() {
        *first = [&prefix[..], first.get(4..).unwrap_or_default()].concat().into();
    }
    pieces.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame_reader::{FrameReader, Piece};

    /// The bodies of the frames in a welcome.
    fn bodies(welcome: &[Batch]) -> Vec<String> {
        let mut frames = FrameReader::default();
        let mut bodies = Vec::new();
        for piece in welcome {
            frames.push(piece, None, |piece| match piece {
                Piece::Body(body) => bodies.push(String::from_utf8(body.to_vec()).unwrap()),
                other => panic!("{other:?}"),
            });
        }
        bodies
    }

    #[test]
    fn nobody_has_said_anything_before_the_first() {
        let body = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#;
        let welcome = History::default().welcome();
        assert_eq!(welcome[0][..4], [0, 0, 0, 60]);
        assert_eq!(bodies(&welcome), [body]);
    }

    #[test]
    fn a_welcome_has_all_that_was_said_in_whole_pieces() {
        let mut history = History::default();
        let mut said = Vec::new();
        for number in 0..5_000 {
            let message = format!(r#"["a", "ALL", 1, "{number:060}"], ["b", "ALL", 2, "!"]"#);
            history.keep(message.as_bytes());
            said.push(message);
        }
        let welcome = history.welcome();
        let list = said.join(", ");
        let expected =
            format!(r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [{list}]}}"#);
        assert_eq!(bodies(&welcome), [expected]);
        let (last, whole) = welcome.split_last().unwrap();
        assert!(whole.len() > 5 && whole.iter().all(|piece| piece.len() == PIECE));
        assert!(last.len() < PIECE + CLOSE.len());
    }

    #[test]
    fn everybody_has_the_same_bytes_until_more_is_said() {
        let mut history = History::default();
        history.keep(&[b'7'; 3 * PIECE]);
        let first = history.welcome();
        assert!(Arc::ptr_eq(&first, &history.welcome()));
        history.keep(b"8");
        let later = history.welcome();
        assert_eq!(bodies(&later), [bodies(&first)[0].replace("7]}", "7, 8]}")]);
        // What was whole is not copied again; the first piece has another length in it.
        assert!(Arc::ptr_eq(&first[1], &later[1]) && !Arc::ptr_eq(&first[0], &later[0]));
    }
}
