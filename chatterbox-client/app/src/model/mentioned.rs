//! The list of mentions: where somebody has named this user, across conversations.

use std::collections::VecDeque;

use chatterbox_proto::ScreenText;

use super::item::{Key, Speech};

/// So many mentions are kept; the oldest go first.
const KEPT: usize = 200;

/// A message that names this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The conversation, by its identity.
    pub(super) serial: u64,
    /// The item.
    pub key: Key,
    /// Its time.
    pub time: i64,
    /// Who has said it.
    pub from: ScreenText,
    /// Its first line.
    pub line: ScreenText,
}

/// The mentions, by time.
#[derive(Debug, Default)]
pub(super) struct Mentioned(VecDeque<Mention>);

impl Mentioned {
    pub(super) fn note(&mut self, serial: u64, key: Key, time: i64, speech: &Speech) {
        let line = speech.lines.first().map_or("", ScreenText::as_str);
        let mention = Mention {
            serial,
            key,
            time,
            from: speech.from.clone(),
            line: ScreenText::shortened(line, 200),
        };
        let place =
            self.0.iter().rposition(|known| known.time <= time).map_or(0, |place| place + 1);
        self.0.insert(place, mention);
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mention> {
        self.0.iter().rev()
    }

    /// Forgets the mention of an item that is gone.
    pub(super) fn forget(&mut self, key: Key) {
        self.0.retain(|mention| mention.key != key);
    }

    /// Forgets those of a conversation that is gone.
    pub(super) fn forget_all(&mut self, serial: u64) {
        self.0.retain(|mention| mention.serial != serial);
    }
}
