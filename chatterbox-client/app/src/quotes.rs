//! What was said lately: so much of it that a reply can be shown with the beginning of what it answers, and a message be answered
//! (MT-3). The protocol carries only the number, so what is not here can't be quoted.

use std::collections::{BTreeMap, VecDeque};

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::{ScreenText, limits};

use crate::target::Target;

/// So many messages are kept; the oldest go first.
const KEPT: usize = 2000;

/// Of a name and of a text so many characters are kept.
const NAME: usize = 40;
const TEXT: usize = 60;

/// What a reply answers, as far as this program has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The number of the message.
    pub id: Id,
    /// Who has said it and how it begins; `None` where it is not loaded.
    pub said: Option<(ScreenText, ScreenText)>,
}

impl Quote {
    /// `↪ ann: at five`, as it is shown.
    pub fn words(&self) -> String {
        match &self.said {
            Some((from, text)) => format!("\u{21aa} {from}: {text}"),
            None => "\u{21aa} a message that is not loaded".to_owned(),
        }
    }
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    at: Target,
    /// The sender's name, folded.
    by: String,
    from: ScreenText,
    text: ScreenText,
    own: bool,
}

impl Said {
    /// A message that was said somewhere.
    pub(crate) fn new(at: &Target, from: &str, text: &str, own: bool) -> Self {
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Self {
            at: at.folded(),
            by: from.to_lowercase(),
            from: ScreenText::shortened(from, NAME),
            text: ScreenText::shortened(line.trim(), TEXT),
            own,
        }
    }
}

/// The newest messages that have a number, and own ones that have none yet.
#[derive(Debug, Default)]
pub(crate) struct Quotes {
    said: BTreeMap<Id, Said>,
    unnumbered: VecDeque<(String, Said)>,
}

impl Quotes {
    /// Notes a message.
    pub(crate) fn note(&mut self, id: Id, said: Said) {
        self.said.insert(id, said);
        if self.said.len() > KEPT {
            self.said.pop_first();
        }
    }

    /// Notes an own message that is on its way with an idempotency key.
    pub(crate) fn sent(&mut self, tag: &str, said: Said) {
        if self.unnumbered.len() >= limits::TAGS {
            self.unnumbered.pop_front();
        }
        self.unnumbered.push_back((tag.to_owned(), said));
    }

    /// Notes the number of an own message.
    pub(crate) fn stored(&mut self, tag: &str, id: Id) {
        let place = self.unnumbered.iter().position(|(sent, _)| sent == tag);
        if let Some((_, said)) = place.and_then(|place| self.unnumbered.remove(place)) {
            self.note(id, said);
        }
    }

    /// What a reply in a conversation answers. What was said in another one is not shown there, whatever number a server puts: a
    /// private message would look as if everybody had read it.
    pub(crate) fn quote(&self, at: &Target, id: Id) -> Quote {
        let known = self.said.get(&id).filter(|said| said.at == at.folded());
        Quote { id, said: known.map(|said| (said.from.clone(), said.text.clone())) }
    }

    /// A user has another name: what was said with them belongs to the conversation of that name from now on.
    pub(crate) fn renamed(&mut self, old: &str, new: &str) {
        let (old, new) = (old.to_lowercase(), new.to_lowercase());
        let unnumbered = self.unnumbered.iter_mut().map(|(_, said)| said);
        for said in self.said.values_mut().chain(unnumbered) {
            if said.by == old {
                said.by.clone_from(&new);
            }
            if let Target::User(name) = &mut said.at
                && *name == old
            {
                name.clone_from(&new);
            }
        }
    }

    /// The newest message of somebody else in a conversation, or the newest of this name there.
    pub(crate) fn newest(&self, at: &Target, by: Option<&str>) -> Option<Id> {
        let (at, by) = (at.folded(), by.map(str::to_lowercase));
        let is_it =
            |said: &Said| said.at == at && by.as_ref().map_or(!said.own, |by| said.by == *by);
        // No message has the number 0, so none is answered by it.
        self.said.range(1..).rev().find(|(_, said)| is_it(said)).map(|(id, _)| *id)
    }

    /// Forgets everything: another server counts from 1 again.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(at: &Target, from: &str, text: &str) -> Said {
        Said::new(at, from, text, from == "me")
    }

    #[test]
    fn a_reply_is_shown_with_the_beginning_of_what_it_answers() {
        let mut quotes = Quotes::default();
        let long = format!("\n  {}", "x".repeat(100));
        quotes.note(5, said(&Target::Lobby, "ann\u{1b}", &long));
        let words = quotes.quote(&Target::Lobby, 5).words();
        assert!(words.starts_with("\u{21aa} ann") && !words.contains('\u{1b}'), "{words}");
        assert!(words.ends_with("xxx…") && words.chars().count() < 90, "{words}");
        let missing = quotes.quote(&Target::Lobby, 6).words();
        assert_eq!(missing, "\u{21aa} a message that is not loaded");
        quotes.forget();
        assert_eq!(quotes.quote(&Target::Lobby, 5).said, None);
    }

    #[test]
    fn a_reply_shows_nothing_of_another_conversation() {
        let mut quotes = Quotes::default();
        let (bob, rob) = (Target::User("Bob".to_owned()), Target::User("rob".to_owned()));
        quotes.note(5, said(&bob, "Bob", "a secret"));
        let is_shown = |quotes: &Quotes, at: &Target| quotes.quote(at, 5).said.is_some();
        assert!(is_shown(&quotes, &bob) && is_shown(&quotes, &Target::User("bob".to_owned())));
        for other in [Target::Lobby, Target::Room("bob".to_owned()), rob.clone()] {
            assert!(!is_shown(&quotes, &other), "{other:?}");
        }
        quotes.sent("t", said(&bob, "me", "mine"));
        quotes.renamed("bob", "Rob");
        quotes.stored("t", 6);
        assert!(is_shown(&quotes, &rob) && !is_shown(&quotes, &bob));
        assert_eq!(quotes.newest(&rob, Some("rob")), Some(5));
        assert!(quotes.quote(&rob, 6).said.is_some());
    }

    #[test]
    fn the_newest_of_a_conversation_is_found() {
        let mut quotes = Quotes::default();
        let lab = Target::Room("#Lab".to_owned());
        quotes.note(1, said(&lab, "Ann", "one"));
        quotes.note(2, said(&lab, "bob", "two"));
        quotes.note(3, said(&Target::Lobby, "bob", "three"));
        quotes.sent("t", said(&lab, "me", "four"));
        let lab = Target::Room("#lab".to_owned());
        assert_eq!(quotes.newest(&lab, None), Some(2));
        quotes.stored("t", 4);
        quotes.stored("t", 9);
        assert_eq!(quotes.newest(&lab, None), Some(2), "nobody answers themselves by chance");
        assert_eq!(quotes.newest(&lab, Some("ME")), Some(4));
        assert_eq!(quotes.newest(&lab, Some("ann")), Some(1));
        assert_eq!(quotes.newest(&lab, Some("cyd")), None);
        assert_eq!(quotes.newest(&Target::User("bob".to_owned()), None), None);
        let ann = Target::User("ann".to_owned());
        quotes.note(0, said(&ann, "ann", "no server counts so"));
        assert_eq!(quotes.newest(&ann, None), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut quotes = Quotes::default();
        for id in 1..=3 * KEPT as Id {
            quotes.note(id, said(&Target::Lobby, "ann", "x"));
            quotes.sent(&id.to_string(), said(&Target::Lobby, "me", "x"));
        }
        assert_eq!((quotes.said.len(), quotes.unnumbered.len()), (KEPT, limits::TAGS));
    }
}
