//! Bytes of one connection to bodies. What lies whole in what was just read is not copied; only the
//! beginning of a frame is kept, and its memory is given back when it was large.
//!
//! A welcome may hold a history of many megabytes, and everybody gets the same one. So it is held
//! against the [`Reference`], the history of the first who joined, as it comes in: as long as it is
//! equal nothing is kept.

use std::{ops::Range, rc::Rc};

/// The largest frame that is followed (`LG-3`: a welcome may be large).
pub const LARGEST: usize = 1024 * 1024 * 1024;

/// Buffers above this are given back after use.
const KEPT: usize = 16 * 1024;

/// Frames below this are simply collected.
const LARGE: usize = 256 * 1024;

/// How far into a frame the beginning of its history is looked for: a long list of users may stand
/// in front of it.
const HEAD: usize = 32 * 1024 * 1024;

const KEY: &[u8] = br#""MESSAGES": ["#;

/// The history list of the first welcome, from its bracket to its bracket.
#[derive(Debug, Default)]
pub struct Reference {
    bytes: Vec<u8>,
}

impl Reference {
    /// Finds the history in the first welcome; `None` when it is not spelled as expected.
    #[must_use]
    pub fn of(welcome: &[u8]) -> Option<Self> {
        if welcome.len() < LARGE {
            return None;
        }
        let from = find(welcome, 0)?;
        let list = welcome.get(from..)?;
        // The list is the last thing in the object, or it can't serve.
        let end = list.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end().len();
        let bytes = list.get(..end)?.to_vec();
        (bytes.len() >= LARGE && bytes.ends_with(b"]]")).then_some(Self { bytes })
    }

    /// How large it is.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// The place behind the key of the history.
fn find(bytes: &[u8], from: usize) -> Option<usize> {
    let searched = bytes.get(from..)?;
    let at = searched.windows(KEY.len()).position(|window| window == KEY)?;
    Some(from + at + KEY.len() - 1)
}

/// One piece that the reader hands over.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A body.
    Body(&'a [u8]),
    /// A welcome with the history of the reference, which has been taken out of it.
    Welcome(&'a [u8]),
    /// A length beyond [`LARGEST`]: nothing behind it can be followed.
    Absurd(u32),
}

/// The beginning of a frame.
#[derive(Debug, Default)]
pub struct FrameReader {
    partial: Vec<u8>,
    matching: Option<Box<Matching>>,
    broken: bool,
}

/// A large frame whose history is held against the reference.
#[derive(Debug)]
struct Matching {
    reference: Rc<Reference>,
    /// Where in `partial` the history was taken out.
    at: usize,
    /// How much of the reference has come.
    matched: usize,
    /// How much of `partial` was searched in vain; once found, it is not used any more.
    searched: usize,
    found: bool,
}

impl FrameReader {
    /// Whether a frame has begun and is not complete.
    #[cfg(test)]
    const fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Takes bytes and hands over every body that is complete.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        reference: Option<&Rc<Reference>>,
        mut sink: impl FnMut(Piece<'_>),
    ) {
        while !bytes.is_empty() && !self.broken {
            if self.partial.is_empty() {
                match whole(bytes) {
                    Whole::Body(range) => {
                        let end = range.end;
                        sink(Piece::Body(bytes.get(range).unwrap_or_default()));
                        bytes = bytes.get(end..).unwrap_or_default();
                        continue;
                    }
                    Whole::Absurd(length) => {
                        self.broken = true;
                        sink(Piece::Absurd(length));
                        return;
                    }
                    Whole::More => {}
                }
            }
            bytes = self.collect(bytes, reference, &mut sink);
        }
    }

    /// Collects the frame that has begun, and gives back what is behind it.
    fn collect<'a>(
        &mut self,
        bytes: &'a [u8],
        reference: Option<&Rc<Reference>>,
        sink: &mut impl FnMut(Piece<'_>),
    ) -> &'a [u8] {
        let head = 4_usize.saturating_sub(self.partial.len()).min(bytes.len());
        let (prefix, bytes) = bytes.split_at_checked(head).unwrap_or((bytes, &[]));
        self.partial.extend_from_slice(prefix);
        let Some((prefix, _)) = self.partial.split_first_chunk::<4>() else { return bytes };
        let announced = u32::from_be_bytes(*prefix);
        let Some(length) = usize::try_from(announced).ok().filter(|length| *length <= LARGEST)
        else {
            self.broken = true;
            sink(Piece::Absurd(announced));
            return &[];
        };
        if length >= LARGE && self.matching.is_none() {
            self.matching = reference.map(|reference| {
                let reference = Rc::clone(reference);
                Box::new(Matching { reference, at: 0, matched: 0, searched: 4, found: false })
            });
        }
        let matched = self.matching.as_ref().map_or(0, |matching| matching.matched);
        let missing = (length + 4).saturating_sub(self.partial.len() + matched);
        let (now, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.keep(now);
        if now.len() == missing {
            let is_welcome = self.end_matching();
            let body = self.partial.get(4..).unwrap_or_default();
            sink(if is_welcome { Piece::Welcome(body) } else { Piece::Body(body) });
            if self.partial.capacity() > KEPT {
                self.partial = Vec::new();
            }
            self.partial.clear();
        }
        rest
    }

    /// Keeps bytes of the frame, or holds them against the reference.
    fn keep(&mut self, bytes: &[u8]) {
        let Some(matching) = &mut self.matching else {
            self.partial.extend_from_slice(bytes);
            return;
        };
        let mut bytes = bytes;
        if !matching.found {
            self.partial.extend_from_slice(bytes);
            match find(&self.partial, matching.searched) {
                Some(at) => {
                    matching.found = true;
                    matching.at = at;
                    let list = self.partial.split_off(at);
                    return self.hold(&list);
                }
                None if self.partial.len() > HEAD => self.matching = None,
                None => matching.searched = self.partial.len().saturating_sub(KEY.len()).max(4),
            }
            bytes = &[];
        }
        self.hold(bytes);
    }

    fn hold(&mut self, bytes: &[u8]) {
        let Some(matching) = &mut self.matching else {
            self.partial.extend_from_slice(bytes);
            return;
        };
        let rest = matching.reference.bytes.get(matching.matched..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        let (list, tail) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
        if rest.get(..count) == Some(list) {
            matching.matched += count;
            self.partial.extend_from_slice(tail);
        } else {
            self.give_up();
            self.partial.extend_from_slice(bytes);
        }
    }

    /// The history is another one: what was not kept is put back.
    fn give_up(&mut self) {
        if let Some(matching) = self.matching.take() {
            let same = matching.reference.bytes.get(..matching.matched).unwrap_or_default();
            // Nothing but the head has been kept so far, unless the whole reference has come.
            let tail = self.partial.split_off(matching.at.min(self.partial.len()));
            self.partial.extend_from_slice(same);
            self.partial.extend_from_slice(&tail);
        }
    }

    /// Whether the history of the frame was that of the reference; an empty list stands for it.
    fn end_matching(&mut self) -> bool {
        let Some(matching) = &self.matching else { return false };
        if !matching.found {
            self.matching = None;
            return false;
        }
        let tail = self.partial.get(matching.at..).unwrap_or_default();
        if matching.matched == matching.reference.size()
            && tail.trim_ascii_start().first() != Some(&b',')
        {
            let at = matching.at;
            self.partial.splice(at..at, *b"[]");
            self.matching = None;
            true
        } else {
            self.give_up();
            false
        }
    }
}

enum Whole {
    Body(Range<usize>),
    More,
    Absurd(u32),
}

/// The body of the frame at the beginning, when all of it is there.
fn whole(bytes: &[u8]) -> Whole {
    let Some((prefix, rest)) = bytes.split_first_chunk::<4>() else { return Whole::More };
    let announced = u32::from_be_bytes(*prefix);
    match usize::try_from(announced) {
        Ok(length) if length <= LARGEST => {
            if rest.len() >= length {
                Whole::Body(4..4 + length)
            } else {
                Whole::More
            }
        }
        _ => Whole::Absurd(announced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
    }

    fn feed(stream: &[u8], step: usize, reference: Option<&Rc<Reference>>) -> Vec<(bool, Vec<u8>)> {
        let mut frames = FrameReader::default();
        let mut bodies = Vec::new();
        for chunk in stream.chunks(step) {
            frames.push(chunk, reference, |piece| match piece {
                Piece::Body(body) => bodies.push((false, body.to_vec())),
                Piece::Welcome(body) => bodies.push((true, body.to_vec())),
                Piece::Absurd(length) => panic!("{length}"),
            });
        }
        assert!(!frames.is_partial());
        bodies
    }

    #[test]
    fn any_split_gives_the_same_bodies() {
        let bodies: Vec<Vec<u8>> = [0, 1, 3, 700, 40_000].map(|n| vec![b'x'; n]).into();
        let stream: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
        let expected: Vec<_> = bodies.into_iter().map(|body| (false, body)).collect();
        for step in [1, 2, 3, 5, 701, 4_096, 1 << 20] {
            assert_eq!(feed(&stream, step, None), expected, "{step}");
        }
    }

    fn welcome(users: usize, messages: usize, tail: &str) -> Vec<u8> {
        let users = vec![r#""somebody""#; users].join(", ");
        let list: Vec<_> =
            (0..messages).map(|n| format!(r#"["a", "ALL", 1, "{n:0100}"]"#)).collect();
        format!(r#"{{"USER_LIST": [{users}], "MESSAGES": [{}{tail}]}}  "#, list.join(", "))
            .into_bytes()
    }

    #[test]
    fn the_history_of_the_reference_is_not_kept() {
        let reference = Rc::new(Reference::of(&welcome(1, 4_000, "")).unwrap());
        let same = welcome(300, 4_000, "");
        let stream = [frame(&same), frame(b"{}")].concat();
        let expected = welcome(300, 0, "");
        for step in [1_000, 16_384, 1 << 20] {
            let bodies = feed(&stream, step, Some(&reference));
            if step < same.len() {
                assert_eq!(bodies[0], (true, expected.clone()), "{step}");
            }
            assert_eq!(bodies[1], (false, b"{}".to_vec()));
        }
    }

    #[test]
    fn another_history_is_kept_as_it_is() {
        let reference = Rc::new(Reference::of(&welcome(1, 4_000, "")).unwrap());
        let mut changed = welcome(3, 4_000, "");
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let mut early = welcome(3, 4_000, "");
        early[60] ^= 1;
        let longer = welcome(3, 4_000, r#", ["b", "ALL", 2, "more"]"#);
        let shorter = welcome(3, 3_999, "");
        let other = vec![b'7'; 1 << 20];
        for body in [changed, early, longer, shorter, other] {
            for step in [999, 16_384] {
                assert_eq!(feed(&frame(&body), step, Some(&reference)), [(false, body.clone())]);
            }
        }
    }

    #[test]
    fn an_absurd_length_is_told_once() {
        let mut frames = FrameReader::default();
        let mut told = 0;
        for byte in [0xFF; 12] {
            frames.push(&[byte], None, |piece| {
                assert!(matches!(piece, Piece::Absurd(_)));
                told += 1;
            });
        }
        assert_eq!(told, 1);
    }
}
