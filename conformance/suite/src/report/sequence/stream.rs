//! Splits one direction of a connection into frames: a read or a write may carry several of them, or
//! a part of one.

use conformance_kit::{
    escape,
    wire::{prefix::Prefix, recognise::first_frame},
};

/// The longest body that a length is believed to announce.
const LONGEST_BODY: usize = 64 * 1024 * 1024;
/// How much of a body is kept for its text.
const KEPT: usize = 2_048;

/// What one read or write carried of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Counts the frames of the stream.
    pub(super) frame: usize,
    /// The bytes of this piece, those of the length included.
    pub(super) bytes: usize,
    /// Whether the frame begins here.
    pub(super) begins: bool,
    /// The text of the whole frame, when it ends here.
    pub(super) whole: Option<String>,
    /// What this piece alone says.
    pub(super) text: String,
    /// The bytes of the whole frame, once its length is known.
    pub(super) of: Option<usize>,
    /// What kept it from being read as a part of a frame.
    pub(super) trouble: Option<String>,
}

/// One direction of one connection.
#[derive(Debug, Default)]
pub(super) struct Stream {
    prefix: Option<Prefix>,
    frames: usize,
    head: Vec<u8>,
    body: Vec<u8>,
    /// The bytes of the body that are still to come; `None` before its length is known.
    due: Option<usize>,
    /// Bytes went by unseen: where a frame begins has to be found out again.
    lost: bool,
}

impl Stream {
    /// Takes one read or write, of which the first bytes are known.
    pub(super) fn feed(&mut self, known: &[u8], length: usize) -> Vec<Piece> {
        let known = known.get(..length).unwrap_or(known);
        if std::mem::take(&mut self.lost) {
            self.forget();
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < length && !self.lost {
            pieces.push(self.piece(known, length, &mut at));
        }
        pieces
    }

    /// The bytes of a frame that has begun and is not complete, and of how many.
    pub(super) fn partial(&self) -> Option<(usize, Option<usize>)> {
        if self.lost || self.head.is_empty() {
            return None;
        }
        let of = self.length();
        Some((of.map_or(self.head.len(), |of| of - self.due.unwrap_or(0)), of))
    }

    /// What has come of the frame that is not complete.
    pub(super) fn partial_text(&self) -> String {
        if self.body.is_empty() { hexadecimal(&self.head) } else { readable(&self.body) }
    }

    fn piece(&mut self, known: &[u8], length: usize, at: &mut usize) -> Piece {
        let from = *at;
        let begins = self.head.is_empty();
        if begins {
            self.frames += 1;
        }
        let frame = self.frames;
        let raw = |text: String, trouble: Option<String>| Piece {
            frame,
            bytes: length - from,
            begins,
            whole: None,
            text,
            of: None,
            trouble,
        };
        let wanted = 4 - self.head.len().min(4);
        let head = known.get(from..known.len().min(from + wanted)).unwrap_or_default();
        if head.len() < wanted.min(length - from) {
            // The record of this read ends before the next frame does.
            self.lost = true;
            return raw("...".to_owned(), None);
        }
        self.head.extend_from_slice(head);
        *at += head.len();
        let Ok(first) = <[u8; 4]>::try_from(self.head.as_slice()) else {
            return Piece {
                frame,
                bytes: head.len(),
                begins,
                whole: None,
                text: hexadecimal(head),
                of: None,
                trouble: None,
            };
        };
        let rest = known.get(*at..).unwrap_or_default();
        let body = match self.due {
            Some(due) => due,
            None => {
                let body = self.announced(first, rest);
                if body > LONGEST_BODY {
                    self.lost = true;
                    let shown = known.get(from..).unwrap_or_default();
                    // The four bytes of a length that is absurd on purpose, or a text without one.
                    let text = if rest.is_empty() { hexadecimal(&first) } else { readable(shown) };
                    return raw(text, Some(format!("read as a length: {body} bytes")));
                }
                body
            }
        };
        let taken = body.min(length - *at);
        let seen = rest.get(..taken).unwrap_or(rest);
        let room = KEPT.saturating_sub(self.body.len());
        self.body.extend_from_slice(seen.get(..room).unwrap_or(seen));
        *at += taken;
        self.due = Some(body - taken);
        let of = self.length();
        let mut text = if seen.is_empty() { hexadecimal(head) } else { readable(seen) };
        if seen.len() < taken {
            text.push_str("...");
        }
        let whole = (body == taken).then(|| {
            let mut whole = readable(&self.body);
            if of.is_some_and(|of| of > 4 + self.body.len()) {
                whole.push_str("...");
            }
            self.forget();
            whole
        });
        Piece { frame, bytes: *at - from, begins, whole, text, of, trouble: None }
    }

    /// How long the body is that four bytes announce, in the dialect of this stream.
    fn announced(&mut self, head: [u8; 4], rest: &[u8]) -> usize {
        let prefix = *self.prefix.get_or_insert_with(|| {
            let bytes = [&head, rest].concat();
            let fits = |prefix: &Prefix| length(*prefix, head) <= LONGEST_BODY;
            first_frame(&bytes)
                .and_then(|first| first.prefix)
                .or_else(|| {
                    Prefix::ALL
                        .into_iter()
                        .find(fits)
                        .filter(|_| rest.is_empty() || starts_json(rest))
                })
                .unwrap_or(Prefix::NETWORK)
        });
        length(prefix, head)
    }

    /// The bytes of the frame that is being read.
    fn length(&self) -> Option<usize> {
        let head = <[u8; 4]>::try_from(self.head.as_slice()).ok()?;
        Some(4 + length(self.prefix?, head))
    }

    fn forget(&mut self) {
        self.head.clear();
        self.body.clear();
        self.due = None;
    }
}

fn length(prefix: Prefix, head: [u8; 4]) -> usize {
    usize::try_from(prefix.decode(head)).unwrap_or(usize::MAX)
}

fn starts_json(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|b| b"{[\"".contains(b))
}

fn readable(bytes: &[u8]) -> String {
    escape::bytes(bytes, KEPT)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[{}]", pairs.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pieces: &[Piece]) -> Vec<&str> {
        pieces.iter().filter_map(|piece| piece.whole.as_deref()).collect()
    }

    #[test]
    fn several_frames_come_in_one_read() {
        let bytes =
            [Prefix::NETWORK.frame(b"{\"b\":1,\"a\":2}"), Prefix::NETWORK.frame(b"{}")].concat();
        let pieces = Stream::default().feed(&bytes, bytes.len());
        assert_eq!(whole(&pieces), ["{\"b\":1,\"a\":2}", "{}"]);
        assert!(pieces.iter().all(|piece| piece.begins));
    }

    #[test]
    fn a_frame_comes_in_pieces() {
        let bytes = Prefix::NETWORK.frame(b"{\"USERNAME\":\"ann\"}");
        for cut in 1..bytes.len() {
            let mut stream = Stream::default();
            let first = stream.feed(&bytes[..cut], cut);
            assert_eq!(first.len(), 1);
            assert_eq!(stream.partial().map(|(have, _)| have), Some(cut));
            let second = stream.feed(&bytes[cut..], bytes.len() - cut);
            assert_eq!(whole(&second), ["{\"USERNAME\":\"ann\"}"], "cut at {cut}");
            assert_eq!(second[0].of, Some(bytes.len()));
            assert_eq!(stream.partial(), None);
        }
    }

    #[test]
    fn dialects_are_read_as_they_are_meant() {
        for prefix in Prefix::ALL {
            let bytes = [prefix.frame(b"{\"x\":1}"), prefix.frame(b"{\"y\":2}")].concat();
            let pieces = Stream::default().feed(&bytes, bytes.len());
            assert_eq!(whole(&pieces), ["{\"x\":1}", "{\"y\":2}"], "{prefix:?}");
        }
    }

    #[test]
    fn what_is_no_frame_is_shown_as_it_is() {
        let page = b"HTTP/1.1 400 Bad Request\r\n";
        let pieces = Stream::default().feed(page, page.len());
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].text.starts_with("HTTP/1.1 400"), "{pieces:?}");
        assert!(pieces[0].trouble.is_some());
        let mut stream = Stream::default();
        assert_eq!(stream.feed(&[0xFF; 4], 4)[0].text, "[ff ff ff ff]");
    }

    #[test]
    fn a_record_that_was_cut_loses_and_finds_its_place() {
        let mut stream = Stream::default();
        let long = Prefix::NETWORK.frame(&[b'a'; 5_000]);
        let both = [long, Prefix::NETWORK.frame(b"{}")].concat();
        let pieces = stream.feed(&both[..2_048], both.len());
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        assert!(pieces[0].whole.as_deref().is_some_and(|text| text.ends_with("...")));
        let next = Prefix::NETWORK.frame(b"{\"z\":1}");
        assert_eq!(whole(&stream.feed(&next, next.len())), ["{\"z\":1}"]);
    }
}
