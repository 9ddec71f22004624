//! One stage of a path: what it asks, how that looks on the wire, and which cases belong to it.

use std::fmt::Write as _;

/// A step in writing a server or a client.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// A short name, which is permanent.
    pub id: &'static str,
    /// The name of the step, in one line.
    pub title: &'static str,
    /// What has to be built, in paragraphs.
    pub asks: &'static [&'static str],
    /// An example of it on the wire.
    pub wire: &'static [Line],
    /// Pointers into standard libraries, and what is easily overlooked. Lines behind the first one of
    /// each are code.
    pub how: &'static [&'static str],
    /// The cases that belong to it: ids, and groups for whatever no stage names.
    pub takes: &'static [&'static str],
}

/// A line of an example. The length in front of a body is computed, so that it is right.
#[derive(Debug, Clone, Copy)]
pub enum Line {
    /// Frames that are written at once.
    Frames {
        /// Who writes.
        from: &'static str,
        /// Who reads.
        to: &'static str,
        /// Their bodies.
        bodies: &'static [&'static str],
    },
    /// A frame that arrives in pieces.
    Pieces {
        /// Who writes.
        from: &'static str,
        /// Who reads.
        to: &'static str,
        /// Its body.
        body: &'static str,
        /// Where the bytes of the frame are cut.
        cuts: &'static [usize],
    },
    /// Something that is no frame.
    Happens(&'static str),
}

/// A frame from one to another.
pub(super) const fn frame(
    from: &'static str,
    to: &'static str,
    bodies: &'static [&'static str],
) -> Line {
    Line::Frames { from, to, bodies }
}

/// Something that is no frame.
pub(super) const fn happens(what: &'static str) -> Line {
    Line::Happens(what)
}

impl Line {
    /// The bodies that it shows.
    pub fn bodies(&self) -> impl Iterator<Item = &'static str> {
        let (many, one): (&[&'static str], _) = match self {
            Self::Frames { bodies, .. } => (bodies, None),
            Self::Pieces { body, .. } => (&[], Some(*body)),
            Self::Happens(_) => (&[], None),
        };
        many.iter().copied().chain(one)
    }

    /// The two ends, for a line that has them.
    #[must_use]
    pub const fn ends(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Frames { from, to, .. } | Self::Pieces { from, to, .. } => Some((*from, *to)),
            Self::Happens(_) => None,
        }
    }

    /// Its bytes: lengths in hexadecimal, bodies as text, `|` where the bytes are cut.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Happens(what) => (*what).to_owned(),
            Self::Frames { bodies, .. } => {
                let frames: Vec<String> = bodies.iter().map(|body| written(body, &[])).collect();
                frames.join("  ")
            }
            Self::Pieces { body, cuts, .. } => written(body, cuts),
        }
    }
}

/// A frame as a person can read it.
fn written(body: &str, cuts: &[usize]) -> String {
    let mut out = String::new();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    for (at, byte) in length.iter().enumerate() {
        let mark = if cuts.contains(&at) { "| " } else { "" };
        // Writing to a String can't fail.
        let _ = write!(out, "{mark}{byte:02x} ");
    }
    for (at, c) in body.char_indices() {
        if cuts.contains(&(at + length.len())) {
            out.push_str(" | ");
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_that_of_the_body() {
        let line = frame("ann", "server", &[r#"{"USERNAME": "ann"}"#]);
        assert_eq!(line.text(), r#"00 00 00 13 {"USERNAME": "ann"}"#);
        let two = frame("ann", "server", &["{}", "{}"]);
        assert_eq!(two.text(), "00 00 00 02 {}  00 00 00 02 {}");
    }

    #[test]
    fn pieces_are_cut_in_the_length_and_in_the_body() {
        let line = Line::Pieces { from: "a", to: "b", body: "{\"A\": 1}", cuts: &[2, 6] };
        assert_eq!(line.text(), "00 00 | 00 08 {\" | A\": 1}");
    }
}
