//! Drafts: what is typed for conversations that are not in front, so that it never goes to others than those for whom it was typed.

use std::collections::VecDeque;

use chatterbox_app::input::Draft;

/// So many drafts are kept, of so many bytes together; the oldest goes first.
const DRAFTS: usize = 200;
const BYTES: usize = 1024 * 1024;

/// The drafts, by the identity of their conversation.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    kept: VecDeque<(u64, Draft)>,
    bytes: usize,
}

impl Drafts {
    /// Keeps a draft, unless nothing is in it.
    pub(super) fn put(&mut self, conversation: u64, draft: Draft) {
        self.take(conversation);
        if draft.text().is_empty() {
            return;
        }
        self.bytes += draft.size();
        self.kept.push_back((conversation, draft));
        while self.kept.len() > DRAFTS || self.bytes > BYTES {
            let Some((_, oldest)) = self.kept.pop_front() else { break };
            self.bytes -= oldest.size();
        }
    }

    /// Takes the draft of a conversation; an empty one, where there is none.
    pub(super) fn take(&mut self, conversation: u64) -> Draft {
        let place = self.kept.iter().position(|(known, _)| *known == conversation);
        let Some((_, draft)) = place.and_then(|place| self.kept.remove(place)) else {
            return Draft::default();
        };
        self.bytes -= draft.size();
        draft
    }

    pub(super) fn has(&self, conversation: u64) -> bool {
        self.kept.iter().any(|(known, _)| *known == conversation)
    }

    /// Drops the drafts whose texts are like this.
    pub(super) fn drop_like(&mut self, alike: impl Fn(&str) -> bool) {
        self.kept.retain(|(_, draft)| !alike(draft.text()));
        self.bytes = self.kept.iter().map(|(_, draft)| draft.size()).sum();
    }

    /// Takes the texts out whose conversations there are no more.
    pub(super) fn prune(&mut self, is_there: impl Fn(u64) -> bool) -> Vec<String> {
        let gone: Vec<u64> =
            self.kept.iter().map(|(known, _)| *known).filter(|known| !is_there(*known)).collect();
        gone.into_iter().map(|gone| self.take(gone).text().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_app::input::Composer;

    use super::*;

    fn draft(text: &str) -> Draft {
        let mut composer = Composer::default();
        composer.set(text);
        composer.exchange(Draft::default())
    }

    #[test]
    fn the_oldest_make_room_for_others() {
        let mut drafts = Drafts::default();
        for conversation in 0..250 {
            drafts.put(conversation, draft("text"));
        }
        assert!(!drafts.has(49) && drafts.has(50) && drafts.has(249));
        for conversation in 0..10 {
            drafts.put(conversation, draft(&"x".repeat(200_000)));
        }
        assert!(drafts.bytes <= BYTES && drafts.kept.len() == 5, "{}", drafts.kept.len());
        assert_eq!(drafts.take(9).text().len(), 200_000);
        assert!(!drafts.has(9));
        drafts.put(8, draft(""));
        assert!(!drafts.has(8), "what is empty is no draft");
        assert_eq!(drafts.prune(|known| known != 7).len(), 1);
        let bytes: usize = drafts.kept.iter().map(|(_, draft)| draft.size()).sum();
        assert_eq!(bytes, drafts.bytes);
    }
}
