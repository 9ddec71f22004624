//! What was said, encoded once, for everybody who joins later (HI-1 to HI-6, OR-1).
//!
//! Public messages lie in segments of encoded JSON that all joiners share; a welcome is a list of such segments, cut only
//! where a private message of this user belongs between two public ones.

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

/// A segment is sealed, and so shared without copying, when it has this many bytes.
const SEGMENT: u64 = 64 * 1024;

/// Segments go as a whole, so none is larger than this part of what is kept.
const PART: u64 = 16;

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
    fn len(&self) -> u64 {
        self.starts.len() as u64
    }

    fn bytes(&self) -> u64 {
        self.json.as_ref().len() as u64
    }
}

#[derive(Debug)]
struct Private {
    /// How many public messages came before it, ever.
    after_public: u64,
    /// With its separator.
    json: Bytes,
    arrived: i64,
}

/// Everything that is kept.
#[derive(Debug)]
pub struct History {
    sealed: VecDeque<Segment<Bytes>>,
    open: Segment<Vec<u8>>,
    privates: HashMap<Username, VecDeque<Private>>,
    /// Whose private message is the oldest, the next, and so on.
    private_order: VecDeque<Username>,
    messages: u64,
    bytes: u64,
    messages_ever: u64,
    bytes_ever: u64,
    /// Both of these when the open segment began. Private messages count, since they go with the segment around them.
    sealed_at: (u64, u64),
    keep: Keep,
}

impl History {
    /// An empty history.
    pub fn new(keep: Keep) -> Self {
        Self {
            sealed: VecDeque::new(),
            open: Segment::default(),
            privates: HashMap::new(),
            private_order: VecDeque::new(),
            messages: 0,
            bytes: 0,
            messages_ever: 0,
            bytes_ever: 0,
            sealed_at: (0, 0),
            keep,
        }
    }

    /// Adds a message to everybody.
    pub fn push_public(&mut self, json: &[u8], arrived: i64) {
        self.seal_if_full(json.len());
        self.open.starts.push(self.open.json.len());
        self.open.json.extend_from_slice(LIST_SEPARATOR);
        self.open.json.extend_from_slice(json);
        self.open.newest = arrived;
        self.added(json.len());
    }

    /// Adds a message to one user.
    pub fn push_private(&mut self, recipient: &Username, json: &[u8], arrived: i64) {
        self.seal_if_full(json.len());
        let after_public = self.open.first + self.open.len();
        let json_after = [LIST_SEPARATOR, json].concat().into();
        let private = Private { after_public, json: json_after, arrived };
        self.privates.entry(recipient.clone()).or_default().push_back(private);
        self.private_order.push_back(recipient.clone());
        self.added(json.len());
    }

    /// How many messages are kept.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The elements of MESSAGES for this user, as pieces of one list.
    pub fn for_user(&self, user: &Username) -> Vec<Bytes> {
        let open = Bytes::copy_from_slice(&self.open.json);
        let sealed = self.sealed.iter().map(|s| (s.json.clone(), &s.starts, s.first));
        let segments = sealed.chain([(open, &self.open.starts, self.open.first)]);
        let mut privates = self.privates.get(user).into_iter().flatten().peekable();
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

    /// Makes room for one more message of this size.
    fn seal_if_full(&mut self, json: usize) {
        let bytes = self.bytes_ever - self.sealed_at.1 + json as u64;
        let messages = self.messages_ever - self.sealed_at.0;
        if bytes > SEGMENT.min(self.keep.bytes / PART) || messages >= self.keep.messages / PART {
            self.seal();
        }
    }

    /// Drops what arrived before `oldest`, as far as whole segments are that old.
    pub fn expire(&mut self, oldest: i64) {
        if !self.open.starts.is_empty() && self.open.newest < oldest {
            self.seal();
        }
        loop {
            if self.sealed.front().is_some_and(|segment| segment.newest < oldest) {
                self.drop_segment();
            } else if self.oldest_private().is_some_and(|private| private.arrived < oldest) {
                self.drop_private();
            } else {
                return;
            }
        }
    }

    fn seal(&mut self) {
        self.sealed_at = (self.messages_ever, self.bytes_ever);
        if self.open.starts.is_empty() {
            return;
        }
        let first = self.open.first + self.open.len();
        let full = std::mem::replace(&mut self.open, Segment { first, ..Segment::default() });
        self.sealed.push_back(Segment {
            json: full.json.into(),
            starts: full.starts,
            first: full.first,
            newest: full.newest,
        });
    }

    fn added(&mut self, json: usize) {
        let bytes = (json + LIST_SEPARATOR.len()) as u64;
        self.messages += 1;
        self.bytes += bytes;
        self.messages_ever += 1;
        self.bytes_ever += bytes;
        while self.messages > self.keep.messages || self.bytes > self.keep.bytes {
            if !self.drop_oldest() {
                break;
            }
        }
    }

    /// Drops the oldest private message, or the oldest segment with the private messages said within it, whichever
    /// is older. The open segment is sealed first when it is all there is.
    fn drop_oldest(&mut self) -> bool {
        if self.sealed.is_empty() {
            self.seal();
        }
        let first = self.sealed.front().map(|segment| segment.first);
        let private = self.oldest_private().map(|private| private.after_public);
        match (first, private) {
            (None, None) => return false,
            (Some(first), private) if private.is_none_or(|private| private > first) => {
                self.drop_segment();
            }
            _ => self.drop_private(),
        }
        true
    }

    fn oldest_private(&self) -> Option<&Private> {
        self.privates.get(self.private_order.front()?)?.front()
    }

    fn drop_segment(&mut self) {
        let Some(segment) = self.sealed.pop_front() else { return };
        self.messages -= segment.len();
        self.bytes -= segment.bytes();
        let end = segment.first + segment.len();
        while self.oldest_private().is_some_and(|private| private.after_public < end) {
            self.drop_private();
        }
    }

    fn drop_private(&mut self) {
        let Some(user) = self.private_order.pop_front() else { return };
        let Some(privates) = self.privates.get_mut(&user) else { return };
        if let Some(private) = privates.pop_front() {
            self.messages -= 1;
            self.bytes -= private.json.len() as u64;
        }
        if privates.is_empty() {
            self.privates.remove(&user);
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
        assert_eq!((read(&history, "a").len(), history.messages(), history.bytes), (0, 0, 0));
    }

    #[test]
    fn a_bound_of_zero_keeps_nothing() {
        let mut history = History::new(Keep { messages: 0, bytes: 0 });
        add(&mut history, None, "x");
        add(&mut history, Some("a"), "y");
        assert_eq!((read(&history, "a").len(), history.messages(), history.bytes), (0, 0, 0));
        assert!(history.privates.is_empty() && history.private_order.is_empty());
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
            said in prop::collection::vec((prop::option::of(Just("a")), 1_usize..9000), 0..80),
            keep in (0_u64..50, 0_u64..200_000),
        ) {
            let mut history = History::new(Keep { messages: keep.0, bytes: keep.1 });
            let mut plain = Vec::new();
            for (number, (to, size)) in said.into_iter().enumerate() {
                let text = format!("{number}{}", "x".repeat(size));
                add(&mut history, to, &text);
                plain.push(text);
                prop_assert!(history.messages() <= keep.0 && history.bytes <= keep.1);
            }
            let kept = read(&history, "a");
            prop_assert_eq!(kept.len() as u64, history.messages());
            prop_assert_eq!(&kept[..], &plain[plain.len() - kept.len()..]);
            // Not much less than it could be: a part of the bound, and two messages.
            let full = history.messages + 2 >= keep.0 - keep.0 / PART
                || history.bytes + 20_000 >= keep.1 - keep.1 / PART;
            prop_assert!(full || kept.len() == plain.len(), "{} of {}", kept.len(), plain.len());
        }
    }
}
