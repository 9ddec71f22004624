//! Items: one thing each in the timeline of a conversation.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::{ScreenText, first_bytes};

use super::moves::Moves;
use crate::files::Attached;
use crate::output::{Lock, Message, MessageKind, Output};
use crate::quotes::Quote;
use crate::words::Role;

/// A name is shown with so many characters at most.
pub(super) const NAME: usize = 64;

/// Of one message so many bytes and lines are kept at most.
const TEXT: usize = 64 * 1024;
const LINES: usize = 1000;

/// So many bytes of a notice are made at a time.
const PIECE: usize = 4096;

/// The identity of an item, which it keeps wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u64);

impl Key {
    pub(super) fn new(number: u64) -> Self {
        Self(number)
    }
}

/// One thing in the timeline of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its identity.
    pub key: Key,
    /// When it was, in seconds since 1970: by the server's clock, or else by the sender's.
    pub time: i64,
    /// What it is.
    pub body: Body,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Somebody says something.
    Speech(Speech),
    /// Users come and go.
    Moves(Moves),
    /// What the server or this program tells: of one line or several.
    Notice(NoticeKind, Vec<ScreenText>),
    /// Messages are missing here: what is above was said before the connection was lost, what is below after it came back.
    Hole(Hole),
}

/// What is known of messages that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hole {
    /// They can be asked for.
    Open,
    /// They were asked for.
    Asked,
    /// The server does not have them: what is below is another history, or begins anew.
    Lost,
}

/// What a notice is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something that is good to know.
    Quiet,
    /// An error or a refusal.
    Alarm,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The sender's name.
    pub from: ScreenText,
    /// Whether this user has sent it.
    pub own: bool,
    /// Whether it names this user.
    pub mention: bool,
    /// What it answers.
    pub quote: Option<Box<Quote>>,
    /// The file that goes with it.
    pub file: Option<Box<Attached>>,
    /// The text, line by line.
    pub lines: Vec<ScreenText>,
    /// The number that the server gave it.
    pub id: Option<Id>,
    /// The idempotency key of an own message that is to be acknowledged.
    pub tag: Option<String>,
    /// What became of it.
    pub delivery: Delivery,
    /// Whether it was encrypted.
    pub lock: Lock,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has arrived, or nobody says whether it has.
    Sent,
    /// The server has not said whether it is stored.
    OnItsWay,
    /// The server has stored it.
    Stored,
    /// The server has refused it, for this reason.
    Refused(ScreenText),
}

impl Speech {
    pub(super) fn new(message: &Message, own: bool, mention: bool) -> Self {
        let on_its_way = message.kind == MessageKind::Own && message.tag.is_some();
        Self {
            from: ScreenText::shortened(message.from.as_wire(), NAME),
            own,
            mention,
            quote: message.quote.clone(),
            file: message.file.clone(),
            lines: lines(message.text.as_wire()),
            id: message.id,
            tag: message.tag.clone(),
            delivery: if on_its_way { Delivery::OnItsWay } else { Delivery::Sent },
            lock: message.lock,
        }
    }
}

impl Body {
    /// The words of an output; of long ones only the beginning is ever made.
    pub(super) fn notice(output: &Output) -> Self {
        let mut text = String::new();
        let mut alarm = false;
        for mut span in output.clone().into_spans() {
            alarm |= span.role == Role::Alarm;
            while span.words.left() > 0 && text.len() <= TEXT {
                span.words.push_next(&mut text, PIECE);
            }
        }
        let kind = if alarm { NoticeKind::Alarm } else { NoticeKind::Quiet };
        Self::Notice(kind, lines(&text))
    }

    /// About how many bytes of text it has.
    pub(super) fn bytes(&self) -> usize {
        let sum = |lines: &[ScreenText]| -> usize {
            lines.iter().map(|line| line.as_str().len() + size_of::<ScreenText>()).sum()
        };
        match self {
            Self::Speech(speech) => {
                let quote = speech.quote.as_ref().and_then(|quote| quote.said.as_ref());
                let quote =
                    quote.map_or(0, |(from, text)| from.as_str().len() + text.as_str().len());
                let file = speech
                    .file
                    .as_ref()
                    .map_or(0, |file| size_of::<Attached>() + 2 * file.told.name.as_wire().len());
                speech.from.as_str().len() + sum(&speech.lines) + quote + file
            }
            Self::Moves(moves) => sum(&moves.joined) + sum(&moves.left),
            Self::Notice(_, lines) => sum(lines),
            Self::Hole(_) => 0,
        }
    }
}

/// The lines of a text, each safe to show.
fn lines(text: &str) -> Vec<ScreenText> {
    let kept = first_bytes(text, TEXT);
    let mut rest = kept.split('\n');
    let mut lines: Vec<_> = rest
        .by_ref()
        .take(LINES)
        .map(|line| ScreenText::new(line.strip_suffix('\r').unwrap_or(line)))
        .collect();
    if kept.len() < text.len() || rest.next().is_some() {
        lines.push(ScreenText::new("…"));
    }
    lines
}
