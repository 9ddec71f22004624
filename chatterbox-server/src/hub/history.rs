//! What was said, encoded once, for everybody who joins later (HI-1 to HI-6, OR-1).
//!
//! Public messages lie in segments of encoded JSON that all joiners share; a welcome is a list of such segments, cut only
//! where a private message of this user belongs between two public ones. Public and private messages have bounds of their
//! own, so that nobody can push out what everybody may read by talking to themselves.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::json::LIST_SEPARATOR;

/// How much is kept; the oldest goes first (HI-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Messages.
    pub messages: u64,
    /// Bytes of JSON.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { messages: 1_000_000, bytes: 64 * 1024 * 1024 }
    }
}

impl Keep {
    const fn part(self, part: u64) -> Self {
        Self { messages: self.messages / part, bytes: self.bytes / part }
    }

    const fn is_exceeded_by(self, held: Self) -> bool {
        held.messages > self.messages || held.bytes > self.bytes
    }
}

/// A segment is sealed, and so shared without copying, when it has this many bytes.
const SEGMENT: u64 = 64 * 1024;

/// Segments go as a whole, so none is larger than this part of what is kept.
const SEGMENT_PART: u64 = 16;

/// All private messages together get this part of what is kept, beside the public ones.
const PRIVATE_PART: u64 = 4;

/// One user's get this part of what is kept.
const RECIPIENT_PART: u64 = 16;

/// What a private message costs beside its JSON: without it, many empty ones would be free.
const OVERHEAD: u64 = 128;

/// Public messages that follow each other. Every one is written with a separator before it.
#[derive(Debug, Default)]
struct Segment<B> {
    json: B,
    /// Where each message (its separator) begins.
    starts: Vec<usize>,
    /// How many public messages came before the first of these, ever.
    first: u64,
    /// When the newest of them arrived.
    newest: i64,
}

impl<B: AsRef<[u8]>> Segment<B> {
    fn held(&self) -> Keep {
        Keep { messages: self.starts.len() as u64, bytes: self.json.as_ref().len() as u64 }
    }
}

#[derive(Debug)]
struct Private {
    /// Rises over all private messages.
    number: u64,
    /// How many public messages came before it, ever.
    after_public: u64,
    /// With its separator.
    json: Bytes,
    arrived: i64,
}

impl Private {
    fn bytes(&self) -> u64 {
        self.json.len() as u64 + OVERHEAD
    }
}

/// The private messages of one user.
#[derive(Debug)]
struct Mailbox {
    privates: VecDeque<Private>,
    held: Keep,
}

/// Everything that is kept.
#[derive(Debug)]
pub struct History {
    sealed: VecDeque<Segment<Bytes>>,
    open: Segment<Vec<u8>>,
    public: Keep,
    mailboxes: HashMap<Username, Mailbox>,
    /// Whose private message has which number, in order; those that are gone already may still be in it.
    private_order: VecDeque<(u64, Username)>,
    private: Keep,
    next_private: u64,
    keep: Keep,
}

impl History {
    /// An empty history.
    pub fn new(keep: Keep) -> Self {
        let nothing = Keep { messages: 0, bytes: 0 };
        Self {
            sealed: VecDeque::new(),
            open: Segment::default(),
            public: nothing,
            mailboxes: HashMap::new(),
            private_order: VecDeque::new(),
            private: nothing,
            next_private: 0,
            keep,
        }
    }

    /// Adds a message to everybody.
    pub fn push_public(&mut self, json: &[u8], arrived: i64) {
        let part = self.keep.part(SEGMENT_PART);
        let open = self.open.held();
        if open.bytes + json.len() as u64 > part.bytes || open.messages >= part.messages {
            self.seal();
        }
        self.open.starts.push(self.open.json.len());
        self.open.json.extend_from_slice(LIST_SEPARATOR);
        self.open.json.extend_from_slice(json);
        self.open.newest = self.open.newest.max(arrived);
        self.public.messages += 1;
        self.public.bytes += (json.len() + LIST_SEPARATOR.len()) as u64;
        if self.open.held().bytes >= SEGMENT {
            self.seal();
        }
        while self.keep.is_exceeded_by(self.public) {
            if self.sealed.is_empty() {
                self.seal();
            }
            self.drop_segment();
        }
    }

    /// Adds a message to one user.
    pub fn push_private(&mut self, recipient: &Username, json: &[u8], arrived: i64) {
        let after_public = self.open.first + self.open.starts.len() as u64;
        let number = self.next_private;
        self.next_private += 1;
        let json = [LIST_SEPARATOR, json].concat().into();
        let private = Private { number, after_public, json, arrived };
        let bytes = private.bytes();
        let mailbox = self.mailboxes.entry(recipient.clone()).or_insert_with(|| Mailbox {
            privates: VecDeque::new(),
            held: Keep { messages: 0, bytes: 0 },
        });
        mailbox.privates.push_back(private);
        for held in [&mut mailbox.held, &mut self.private] {
            held.messages += 1;
            held.bytes += bytes;
        }
        self.private_order.push_back((number, recipient.clone()));
        let most = self.keep.part(RECIPIENT_PART);
        while self.mailboxes.get(recipient).is_some_and(|mailbox| most.is_exceeded_by(mailbox.held))
        {
            self.drop_private(recipient);
        }
        while self.keep.part(PRIVATE_PART).is_exceeded_by(self.private) {
            let Some(user) = self.oldest_recipient() else { break };
            self.drop_private(&user);
        }
    }

    /// The elements of MESSAGES for this user, as pieces of one list.
    pub fn for_user(&self, user: &Username) -> Vec<Bytes> {
        let open = Bytes::copy_from_slice(&self.open.json);
        let sealed = self.sealed.iter().map(|s| (s.json.clone(), &s.starts, s.first));
        let segments = sealed.chain([(open, &self.open.starts, self.open.first)]);
        let mailbox = self.mailboxes.get(user).into_iter();
        let mut privates = mailbox.flat_map(|mailbox| &mailbox.privates).peekable();
        let mut pieces = Vec::with_capacity(self.sealed.len() + 1);
        for (json, starts, first) in segments {
            let end = first + starts.len() as u64;
            let mut from = 0;
            while let Some(private) = privates.next_if(|private| private.after_public < end) {
                let index = usize::try_from(private.after_public.saturating_sub(first)).ok();
                let to = index.and_then(|index| starts.get(index).copied()).unwrap_or(from);
                push_piece(&mut pieces, json.slice(from..to));
                push_piece(&mut pieces, private.json.clone());
                from = to;
            }
            push_piece(&mut pieces, json.slice(from..));
        }
        for private in privates {
            push_piece(&mut pieces, private.json.clone());
        }
        // The list begins without a separator.
        if let Some(first) = pieces.first_mut() {
            *first = first.slice(LIST_SEPARATOR.len()..);
        }
        pieces
    }

    /// Drops what arrived before `oldest`, public messages as far as whole segments are that old.
    pub fn expire(&mut self, oldest: i64) {
        if !self.open.starts.is_empty() && self.open.newest < oldest {
            self.seal();
        }
        while self.sealed.front().is_some_and(|segment| segment.newest < oldest) {
            self.drop_segment();
        }
        while let Some(user) = self.oldest_recipient() {
            let first = self.mailboxes.get(&user).and_then(|mailbox| mailbox.privates.front());
            if first.is_none_or(|private| private.arrived >= oldest) {
                return;
            }
            self.drop_private(&user);
        }
    }

    fn seal(&mut self) {
        if self.open.starts.is_empty() {
            return;
        }
        let first = self.open.first + self.open.starts.len() as u64;
        let full = std::mem::replace(&mut self.open, Segment { first, ..Segment::default() });
        self.sealed.push_back(Segment {
            json: full.json.into(),
            starts: full.starts,
            first: full.first,
            newest: full.newest,
        });
    }

    fn drop_segment(&mut self) {
        if let Some(segment) = self.sealed.pop_front() {
            self.public.messages -= segment.held().messages;
            self.public.bytes -= segment.held().bytes;
        }
    }

    /// To whom the oldest private message is.
    fn oldest_recipient(&mut self) -> Option<Username> {
        loop {
            let (number, user) = self.private_order.front()?;
            let mailbox = self.mailboxes.get(user);
            if mailbox.is_some_and(|m| m.privates.front().is_some_and(|p| p.number == *number)) {
                return Some(user.clone());
            }
            self.private_order.pop_front();
        }
    }

    /// Drops the oldest private message to somebody.
    fn drop_private(&mut self, user: &Username) {
        let Some(mailbox) = self.mailboxes.get_mut(user) else { return };
        if let Some(private) = mailbox.privates.pop_front() {
            for held in [&mut mailbox.held, &mut self.private] {
                held.messages -= 1;
                held.bytes -= private.bytes();
            }
        }
        if mailbox.privates.is_empty() {
            self.mailboxes.remove(user);
        }
        // What is gone is taken out of the order when it is half of it.
        if self.private_order.len() as u64 > 2 * self.private.messages + 64 {
            let mailboxes = &self.mailboxes;
            self.private_order.retain(|(number, user)| {
                let first = mailboxes.get(user).and_then(|mailbox| mailbox.privates.front());
                first.is_some_and(|first| first.number <= *number)
            });
        }
    }
}

fn push_piece(pieces: &mut Vec<Bytes>, piece: Bytes) {
    if !piece.is_empty() {
        pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn read(history: &History, user: &str) -> Vec<String> {
        let json = [b"[".to_vec(), history.for_user(&name(user)).concat(), b"]".to_vec()].concat();
        serde_json::from_slice(&json).unwrap()
    }

    fn add(history: &mut History, to: Option<&str>, text: &str) {
        let json = serde_json::to_vec(text).unwrap();
        match to {
            None => history.push_public(&json, 7),
            Some(user) => history.push_private(&name(user), &json, 7),
        }
    }

    #[test]
    fn private_messages_stand_where_they_were_said() {
        let mut history = History::new(Keep::default());
        for (to, text) in [
            (Some("a"), "1"),
            (None, "2"),
            (Some("a"), "3"),
            (Some("b"), "4"),
            (Some("a"), "5"),
            (None, "6"),
            (Some("b"), "7"),
        ] {
            add(&mut history, to, text);
        }
        assert_eq!(read(&history, "a"), ["1", "2", "3", "5", "6"]);
        assert_eq!(read(&history, "B"), ["2", "4", "6", "7"]);
        assert_eq!(read(&history, "c"), ["2", "6"]);
        assert_eq!(read(&History::new(Keep::default()), "c"), [""; 0]);
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let mut history = History::new(Keep::default());
        for arrived in 1..=6 {
            history.push_public(format!("\"all {arrived}\"").as_bytes(), arrived);
            history.push_private(&name("a"), format!("\"a {arrived}\"").as_bytes(), arrived);
            if arrived == 3 {
                history.seal();
            }
        }
        history.expire(3);
        let all = read(&history, "a");
        assert_eq!(all.len(), 10, "the segment is not old as a whole: {all:?}");
        assert!(!all.contains(&"a 2".to_owned()) && all.contains(&"a 3".to_owned()));
        history.expire(5);
        assert_eq!(read(&history, "a"), ["all 4", "all 5", "a 5", "all 6", "a 6"]);
        history.expire(7);
        assert_eq!(
            (read(&history, "a").len(), history.public.messages + history.private.messages),
            (0, 0)
        );
    }

    #[test]
    fn talking_to_oneself_pushes_out_nothing_of_others() {
        let mut history = History::new(Keep { messages: 1000, bytes: 100_000 });
        add(&mut history, None, "for all");
        add(&mut history, Some("b"), "for b");
        for number in 0..10_000 {
            add(&mut history, Some("a"), &format!("{number}"));
        }
        assert_eq!(read(&history, "b"), ["for all", "for b"]);
        let kept = read(&history, "a");
        assert_eq!(kept.last().map(String::as_str), Some("9999"));
        assert!(kept.len() <= 1 + 1000 / 16 && history.private_order.len() < 300);
    }

    #[test]
    fn a_long_message_is_shared_and_not_copied() {
        let mut history = History::new(Keep::default());
        add(&mut history, None, &"x".repeat(1 << 20));
        let places: Vec<_> = (0..2).map(|_| history.for_user(&name("a"))[0].as_ptr()).collect();
        assert_eq!(places[0], places[1]);
    }

    #[test]
    fn a_bound_of_zero_keeps_nothing() {
        let mut history = History::new(Keep { messages: 0, bytes: 0 });
        add(&mut history, None, "x");
        add(&mut history, Some("a"), "y");
        assert_eq!(
            (read(&history, "a").len(), history.public.messages + history.private.messages),
            (0, 0)
        );
        assert!(history.mailboxes.is_empty() && history.public.bytes + history.private.bytes == 0);
    }

    proptest! {
        #[test]
        fn equals_a_plain_list(
            said in prop::collection::vec((prop::option::of("[ab]"), 1_usize..30_000), 0..40),
        ) {
            let mut history = History::new(Keep::default());
            let mut plain = Vec::new();
            for (number, (to, size)) in said.into_iter().enumerate() {
                let text = format!("{number}{}", "x".repeat(size));
                add(&mut history, to.as_deref(), &text);
                plain.push((to, text));
            }
            for user in ["a", "b", "c"] {
                let expected: Vec<_> = plain
                    .iter()
                    .filter(|(to, _)| to.as_deref().is_none_or(|to| to == user))
                    .map(|(_, text)| text.clone())
                    .collect();
                prop_assert_eq!(read(&history, user), expected);
            }
        }

        #[test]
        fn a_bounded_history_is_the_newest_part(
            said in prop::collection::vec((prop::option::of("[ab]"), 1_usize..3000), 0..150),
            keep in (0_u64..100, 0_u64..200_000),
        ) {
            let keep = Keep { messages: keep.0, bytes: keep.1 };
            let mut history = History::new(keep);
            let (mut public, mut private) = (Vec::new(), Vec::new());
            for (number, (to, size)) in said.into_iter().enumerate() {
                let text = format!("{number}{}", "x".repeat(size));
                add(&mut history, to.as_deref(), &text);
                match to.as_deref() {
                    None => public.push(text),
                    Some("a") => private.push(text),
                    Some(_) => {}
                }
                prop_assert!(!keep.is_exceeded_by(history.public));
                prop_assert!(!keep.part(PRIVATE_PART).is_exceeded_by(history.private));
            }
            let kept = read(&history, "a");
            let (kept_public, kept_private): (Vec<_>, Vec<_>) =
                kept.into_iter().partition(|text| public.contains(text));
            prop_assert!(public.ends_with(&kept_public) && private.ends_with(&kept_private));
            // Not much less than it could be: a part of the bound, and one message.
            let part = keep.part(SEGMENT_PART);
            let full = history.public.messages + part.messages + 1 >= keep.messages
                || history.public.bytes + part.bytes + 6_100 >= keep.bytes;
            prop_assert!(full || kept_public.len() == public.len(), "{} of {}", kept_public.len(), public.len());
        }
    }
}
