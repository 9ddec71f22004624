//! What was read and said: the server has only what it can't read, and drops that, so the client keeps the texts itself (EE-10).

use std::collections::{BTreeMap, VecDeque};

use chatterbox_proto::NameKey as _;
use chatterbox_proto::capability::ids::Id;
use serde::{Deserialize, Serialize};

use crate::convert::folded;

/// The most texts that are kept.
const TEXTS: usize = 10_000;
/// The most bytes of them.
const BYTES: usize = 16 * 1024 * 1024;
/// About how much one takes beside its text.
const BESIDE: usize = 64;

/// The text of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The number of the message.
    pub id: Id,
    /// The device that sent it.
    pub device: String,
    /// The folded names of sender and recipient, as it came: under other names it is not shown again.
    pub between: (String, String),
    /// The text.
    pub text: String,
    /// The message that is answered.
    pub reply: Option<Id>,
    /// Whether its sender was verified.
    pub verified: bool,
    /// Whether the user has said it.
    #[serde(default)]
    pub own: bool,
}

/// The newest texts.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    each: BTreeMap<Id, Kept>,
    bytes: usize,
    /// Those that are not stored yet, in order.
    new: VecDeque<Id>,
}

impl Texts {
    pub(crate) fn of(&self, id: Id) -> Option<&Kept> {
        self.each.get(&id)
    }

    /// Takes a text that is stored already.
    pub(crate) fn load(&mut self, kept: Kept) {
        self.bytes += size(&kept);
        if let Some(before) = self.each.insert(kept.id, kept) {
            self.bytes -= size(&before);
        }
        while self.each.len() > TEXTS || self.bytes > BYTES {
            let Some((_, oldest)) = self.each.pop_first() else { return };
            self.bytes -= size(&oldest);
        }
    }

    pub(crate) fn keep(&mut self, kept: Kept) {
        self.new.push_back(kept.id);
        self.load(kept);
    }

    pub(crate) fn take_new(&mut self) -> Vec<Kept> {
        let new = std::mem::take(&mut self.new);
        new.iter().filter_map(|id| self.each.get(id)).cloned().collect()
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.each.values()
    }
}

/// Sender and recipient, as a text is kept with them.
pub(crate) fn between(source: &str, recipient: &str) -> (String, String) {
    let name = |name: &str| folded(name).map(|name| name.name_key().to_owned()).unwrap_or_default();
    (name(source), name(recipient))
}

fn size(kept: &Kept) -> usize {
    kept.text.len() + BESIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(id: Id, bytes: usize) -> Kept {
        let (device, between) = ("d1".into(), between("bob", "ann"));
        let text = "x".repeat(bytes);
        Kept { id, device, between, text, reply: None, verified: false, own: false }
    }

    #[test]
    fn the_newest_are_kept() {
        let mut texts = Texts::default();
        for id in 1..=TEXTS as Id + 5 {
            texts.keep(kept(id, 1));
        }
        assert_eq!((texts.of(5), texts.each.len()), (None, TEXTS));
        assert!(texts.of(6).is_some());
        texts.keep(kept(20_000, BYTES - BESIDE));
        assert_eq!((texts.each.len(), texts.bytes), (1, BYTES));
        texts.keep(kept(20_000, 1));
        assert_eq!(texts.bytes, BESIDE + 1);
        assert_eq!(texts.take_new().last(), Some(&kept(20_000, 1)));
        assert!(texts.take_new().is_empty());
    }
}
