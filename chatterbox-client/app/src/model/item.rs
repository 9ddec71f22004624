//! Items: one thing each in the timeline of a conversation.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::{ScreenText, first_bytes};

use crate::output::{Message, MessageKind, Output};
use crate::words::{Role, whole};

/// A name is shown with so many characters at most.
pub(super) const NAME: usize = 64;

/// Of one message so many bytes are kept at most.
const TEXT: usize = 64 * 1024;

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
    /// The text, line by line.
    pub lines: Vec<ScreenText>,
    /// The number that the server gave it.
    pub id: Option<Id>,
    /// The idempotency key of an own message that is to be acknowledged.
    pub tag: Option<String>,
    /// What became of it.
    pub delivery: Delivery,
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
            lines: lines(message.text.as_wire()),
            id: message.id,
            tag: message.tag.clone(),
            delivery: if on_its_way { Delivery::OnItsWay } else { Delivery::Sent },
        }
    }
}

/// Who came and went, one after the other: of a user who came and went again nothing is left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    /// Who came.
    pub joined: Vec<ScreenText>,
    /// Who went.
    pub left: Vec<ScreenText>,
}

impl Moves {
    pub(super) fn add(&mut self, name: ScreenText, joined: bool) {
        let (to, other) = if joined {
            (&mut self.joined, &mut self.left)
        } else {
            (&mut self.left, &mut self.joined)
        };
        match other.iter().position(|known| *known == name) {
            Some(place) => drop(other.remove(place)),
            None => to.push(name),
        }
    }
}

impl Body {
    /// The words of an output.
    pub(super) fn notice(output: &Output) -> Self {
        let spans = output.clone().into_spans();
        let alarm = spans.iter().any(|span| span.role == Role::Alarm);
        let kind = if alarm { NoticeKind::Alarm } else { NoticeKind::Quiet };
        Self::Notice(kind, lines(&whole(spans)))
    }

    /// About how many bytes of text it has.
    pub(super) fn bytes(&self) -> usize {
        let sum = |lines: &[ScreenText]| lines.iter().map(|line| line.as_str().len()).sum();
        match self {
            Self::Speech(speech) => speech.from.as_str().len() + sum(&speech.lines),
            Self::Moves(moves) => sum(&moves.joined) + sum(&moves.left),
            Self::Notice(_, lines) => sum(lines),
        }
    }
}

/// The lines of a text, each safe to show.
fn lines(text: &str) -> Vec<ScreenText> {
    let kept = first_bytes(text, TEXT);
    let mut lines: Vec<_> =
        kept.split('\n').map(|line| ScreenText::new(line.trim_end_matches('\r'))).collect();
    if kept.len() < text.len() {
        lines.push(ScreenText::new("…"));
    }
    lines
}
