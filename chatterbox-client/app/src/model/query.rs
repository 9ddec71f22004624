//! What is asked of a model: who has named this user, where something was said, what is unread.

use chatterbox_proto::ScreenText;

use super::item::{Body, Item, Key};
use super::links::links;
use super::mentioned::Mention;
use super::state::Model;
use crate::target::Target;

/// A message in which something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'m> {
    /// The item.
    pub key: Key,
    /// Its time.
    pub time: i64,
    /// Who has said it.
    pub from: &'m ScreenText,
    /// The line in which it was found.
    pub line: &'m ScreenText,
}

/// How much is unread in all conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Messages.
    pub unread: usize,
    /// Those of them that name this user, or are private.
    pub mentions: usize,
}

impl Model {
    /// The messages that name this user, the newest first, each with its conversation.
    pub fn mentions(&self) -> impl Iterator<Item = (&Target, &Mention)> {
        self.mentioned
            .iter()
            .filter_map(|mention| Some((&self.list.with_serial(mention.serial)?.target, mention)))
    }

    /// The messages of a conversation that have a text in them, the newest first, at most so many. Case is not regarded.
    pub fn search(&self, target: &Target, text: &str, most: usize) -> Vec<Found<'_>> {
        let text = text.to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let found = |item| found_in(item, |line| line.to_lowercase().contains(&text));
        self.newest_first(target).filter_map(found).take(most).collect()
    }

    /// The links of a conversation, those of the newest messages first and each once, at most so many.
    pub fn links(&self, target: &Target, most: usize) -> Vec<&str> {
        let mut known: Vec<&str> = Vec::new();
        for item in self.newest_first(target) {
            let Body::Speech(speech) = &item.body else { continue };
            for link in speech.lines.iter().flat_map(|line| links(line.as_str())) {
                if known.len() >= most {
                    return known;
                }
                if !known.contains(&link) {
                    known.push(link);
                }
            }
        }
        known
    }

    /// The conversation that asks most for being read: the next one with a mention, or else the next one in which something is
    /// unread, in the order of the list from the one in front on.
    pub fn next_unread(&self) -> Option<&Target> {
        let all = self.conversations();
        let front = self.list.place(&self.front).unwrap_or_default();
        let others = || all.iter().cycle().skip(front + 1).take(all.len().saturating_sub(1));
        let named = others().find(|other| other.mentions > 0);
        named.or_else(|| others().find(|other| other.unread > 0)).map(|other| &other.target)
    }

    /// How much is unread in all conversations.
    pub fn totals(&self) -> Totals {
        self.conversations().iter().fold(Totals::default(), |sum, one| Totals {
            unread: sum.unread + one.unread,
            mentions: sum.mentions + one.mentions,
        })
    }

    fn newest_first(&self, target: &Target) -> impl Iterator<Item = &Item> {
        self.conversation(target).into_iter().flat_map(|one| one.timeline.iter().rev())
    }
}

fn found_in(item: &Item, is_it: impl Fn(&str) -> bool) -> Option<Found<'_>> {
    let Body::Speech(speech) = &item.body else { return None };
    let line = speech.lines.iter().find(|line| is_it(line.as_str()))?;
    Some(Found { key: item.key, time: item.time, from: &speech.from, line })
}
