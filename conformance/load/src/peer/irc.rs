//! A member on IRC: registers, joins the room, answers PING, and reads who came, who left and what
//! was said.

use std::mem;

use conformance_kit::escape;

use super::{partial::Partial, room::CHANNEL};
use crate::frame_summary::{FrameSummary, Reading};

/// The longest line that is followed. One has 512 bytes, and tags in front of it may have 8,191.
const LONGEST: usize = 9 * 1_024;

/// The longest token of a PING that is sent back.
const TOKEN: usize = 510;

/// How many of our users a list may name before it is none.
const MOST_NAMES: usize = 500_000;

/// What stands in front of names in a list: the signs of operators and of others who may do more.
const SIGNS: &[u8] = b"~&@%+!";

/// One member's side of IRC.
#[derive(Debug, Default)]
pub struct IrcSession {
    partial: Partial,
    /// The members that a list has named which has not ended.
    names: Vec<u32>,
    has_joined: bool,
    is_broken: bool,
}

/// A line that is known to have a command.
struct Line<'a> {
    /// The nick of who is its source, or the name of the server.
    source: &'a [u8],
    command: &'a [u8],
    rest: &'a [u8],
}

impl IrcSession {
    /// What a member says first.
    pub(super) fn opening(name: &str) -> Vec<u8> {
        format!("NICK {name}\r\nUSER load 0 * :load\r\n").into_bytes()
    }

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
        let kept = partial.feed(bytes, |bytes| {
            let mut used = 0;
            let mut rest = bytes;
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                self.line(line, reading, answers, &mut summary, &mut sink);
                used += end + 1;
                rest = behind.get(1..).unwrap_or_default();
            }
            used
        });
        if kept > LONGEST {
            self.is_broken = true;
            partial.forget();
            summary.nonsense = Some(format!("a line of more than {LONGEST} bytes"));
        }
        self.partial = partial;
        hand_over(&mut summary, &mut sink);
    }

    fn line(
        &mut self,
        line: &[u8],
        reading: &Reading,
        answers: &mut Vec<u8>,
        summary: &mut FrameSummary,
        sink: &mut impl FnMut(&FrameSummary),
    ) {
        if line.is_empty() {
            return;
        }
        let Some(Line { source, command, rest }) = Line::read(line) else {
            summary.nonsense = Some(escape::bytes(line, 80));
            return;
        };
        match command {
            b"PRIVMSG" => {
                let (target, text) = word(rest);
                if target == CHANNEL.as_bytes() {
                    reading.said(summary, Some(source), trailing(text));
                } else {
                    summary.strangers += 1;
                }
            }
            b"PING" => {
                answers.extend_from_slice(b"PONG ");
                answers.extend_from_slice(rest.get(..TOKEN).unwrap_or(rest));
                answers.extend_from_slice(b"\r\n");
            }
            b"JOIN" if trailing(word(rest).0) == CHANNEL.as_bytes() => {
                summary.joined.extend(reading.names.user(source));
            }
            b"PART" | b"QUIT" => summary.left.extend(reading.names.user(source)),
            b"ERROR" => self.refuse(trailing(rest), summary, sink),
            b"001" => answers.extend_from_slice(format!("JOIN {CHANNEL}\r\n").as_bytes()),
            b"353" => self.list(rest, reading, summary),
            b"366" if !self.has_joined => {
                // What was said until then is not a part of the welcome.
                hand_over(summary, sink);
                self.has_joined = true;
                summary.listed = Some(mem::take(&mut self.names));
                summary.accepted = Some(true);
                hand_over(summary, sink);
            }
            // There is no message of the day.
            b"422" => {}
            [b'4' | b'5', _, _] => {
                // The first word is the name of whom it is for.
                self.refuse(word(rest).1, summary, sink);
            }
            _ => {}
        }
    }

    /// Notes the names of `353 NICK = #load :NAME @NAME ...`.
    fn list(&mut self, rest: &[u8], reading: &Reading, summary: &mut FrameSummary) {
        let Some(start) = rest.windows(2).position(|two| two == b" :") else { return };
        let names = rest.get(start + 2..).unwrap_or_default().split(|byte| *byte == b' ');
        for name in names {
            let signs = name.iter().take_while(|byte| SIGNS.contains(byte)).count();
            self.names.extend(reading.names.user(name.get(signs..).unwrap_or_default()));
        }
        if self.names.len() > MOST_NAMES {
            self.names = Vec::new();
            summary.nonsense = Some("a list of names without an end".to_owned());
        }
    }

    /// Notes what the server has against something: it refuses the name, or says so later.
    fn refuse(
        &self,
        text: &[u8],
        summary: &mut FrameSummary,
        sink: &mut impl FnMut(&FrameSummary),
    ) {
        hand_over(summary, sink);
        summary.error = Some(escape::bytes(text, 200));
        summary.accepted = (!self.has_joined).then_some(false);
        hand_over(summary, sink);
    }
}

impl<'a> Line<'a> {
    /// Reads `[@TAGS ][:SOURCE ]COMMAND[ REST]`.
    fn read(line: &'a [u8]) -> Option<Self> {
        let line = if line.starts_with(b"@") { word(line).1 } else { line };
        let (source, line) = match line.strip_prefix(b":") {
            Some(line) => word(line),
            None => (b"".as_slice(), line),
        };
        let nick = source.split(|byte| *byte == b'!').next().unwrap_or_default();
        let (command, rest) = word(line);
        (!command.is_empty()).then_some(Self { source: nick, command, rest })
    }
}

/// The first word, and what is behind the spaces that end it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    (word, rest.get(spaces..).unwrap_or_default())
}

/// A last parameter without the colon in front of it.
fn trailing(text: &[u8]) -> &[u8] {
    text.strip_prefix(b":").unwrap_or(text)
}

/// Hands over what has come together, if anything has.
fn hand_over(summary: &mut FrameSummary, sink: &mut impl FnMut(&FrameSummary)) {
    if *summary != FrameSummary::default() {
        sink(summary);
        *summary = FrameSummary::default();
    }
}
